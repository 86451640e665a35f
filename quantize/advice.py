# SPDX-License-Identifier: Apache-2.0
"""Warnings of the quantizer, one line each."""

from collections.abc import Sequence

import numpy as np

from spikewright.model.integers import largest_weight
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT, Network

from .prune import firing
from .rounding import Rounded
from .rules import Rules

__all__ = ["changed_decays", "clipped", "dropped_parts", "saturating", "vanished"]

# Largest change of a time constant, share of clipped weights, and share of weights that become 0,
# without a warning.
TIME_CONSTANT_CHANGE, CLIPPED, VANISHED = 0.05, 0.2, 0.2


def changed_decays(model: IntegerModel, network: Network, rules: Rules) -> list[str]:
    """Warnings about time constants that rounding changed by more than ``TIME_CONSTANT_CHANGE``."""
    bits = f"{model.widths.decay} decay bits"
    cause, advice = ((bits, "take more decay bits") if rules.decay_terms is None else
                     (f"{rules.decay_terms} terms of {bits}", "take more terms"))
    warnings = []
    for population in model.populations:
        exact = network.population(population.name)
        for kind in ("synaptic", "membrane"):
            wanted = getattr(exact, f"{kind}_decay")[population.kept]
            given = getattr(population, f"{kind}_decay") / (1 << model.widths.decay)
            # A decay is exp(-dt / tau), so the time constant is -dt / log(decay). Decays of 0 and 1
            # have no time constant, and are exact.
            with np.errstate(divide="ignore", invalid="ignore"):
                tau, rounded = (-1e3 * network.dt / np.log(decay) for decay in (wanted, given))
                change = np.where((wanted > 0) & (wanted < 1), np.abs(rounded / tau - 1), 0.0)
            count, worst = int((change > TIME_CONSTANT_CHANGE).sum()), int(change.argmax())
            if count:
                warnings.append(
                    f"{cause} change {count} {kind} time constants of {population.name} by more "
                    f"than {TIME_CONSTANT_CHANGE:.0%} (neuron {int(population.kept[worst])}: "
                    f"{tau[worst]:.4g} ms becomes {rounded[worst]:.4g} ms): {advice}")
    return warnings


def clipped(network: Network, rounded: Rounded) -> list[str]:
    """Warnings about projections with more than ``CLIPPED`` of their weights clipped."""
    warnings = []
    for projection, bits, shift in zip(network.projections, rounded.bits, rounded.shift,
                                       strict=True):
        unit = rounded.scale[projection.target] * (1 << shift)
        beyond = np.abs(projection.weights) > unit * (largest_weight(bits) + 0.5)
        share = beyond.sum() / max(np.count_nonzero(projection.weights), 1)
        if share > CLIPPED:
            warnings.append(f"{projection.title}: {share:.0%} of the weights are clipped, so that "
                            f"{bits} bits round the others less: take more weight bits")
    return warnings


def saturating(model: IntegerModel, evidence: dict) -> list[str]:
    """A warning if the scale of the states comes from simulated spikes, and no proof covers them.

    ``evidence`` is the entry ``calibration`` of the manifest.
    """
    if evidence["proven"] or not evidence["simulated"]:
        return []
    bits = evidence["proven_bits"]
    safe = (f"only {bits['current']} and {bits['membrane']} bits are safe for every input"
            if bits["current"] is not None and bits["membrane"] is not None else
            "no width is safe for every input, because a neuron sums its input without a leak")
    text = (f"states of {model.widths.current} and {model.widths.membrane} bits may saturate: "
            f"their scale comes from {evidence['source']}, and {safe}; calibrate on a recording "
            "of yours")
    return [text]


def vanished(network: Network, rounded: Rounded) -> list[str]:
    """Warnings about projections with more than ``VANISHED`` of their weights rounded to 0."""
    warnings = []
    for projection, weights, bits in zip(network.projections, rounded.weights, rounded.bits,
                                         strict=True):
        used = projection.weights != 0
        share = (weights[used] == 0).mean() if used.any() else 0.0
        if share > VANISHED:
            warnings.append(f"{projection.title}: {share:.0%} of the weights become 0, because "
                            f"with {bits} bits they are too small beside the largest weights of "
                            "their neurons: take more weight bits")
    return warnings


def dropped_parts(network: Network, model: IntegerModel, empty: list[str]) -> list[str]:
    """Warnings about projections, channels and neurons that are left out.

    ``empty`` has the titles of projections without weights. Some channels and neurons can change no
    output in ``network`` already. Others lost their last effect by rounding.
    """
    fires = firing(network)
    used = np.zeros(network.channels, bool)
    for projection in network.projections:
        if projection.source == INPUT:
            used |= (projection.weights[:, fires[projection.target]] != 0).any(axis=1)
    channels = np.flatnonzero(model.channel_row < 0)
    gone = channels[used[channels]].tolist()
    never, silenced = 0, []
    for population in model.populations:
        dropped = np.setdiff1d(np.arange(population.size), population.kept)
        could = fires[population.name][dropped]
        never += int((~could).sum())
        silenced += [f"{population.name} {neuron}" for neuron in dropped[could]]
    warnings = [f"projections without a weight other than 0, left out: {_numbers(empty)}"
                ] if empty else []
    for what, count, lost in (
            ("channels that can change no output", len(channels) - len(gone), gone),
            ("neurons that can never fire", never, silenced)):
        if count:
            warnings.append(f"{what}, left out: {count}")
        if lost:
            warnings.append(f"{what} once weights are rounded, left out: {_numbers(lost)}: take "
                            "more weight bits")
    return warnings


def _numbers(items: Sequence) -> str:
    """The number of ``items``, and the first five of them."""
    shown = ", ".join(str(item) for item in items[:5])
    return f"{len(items)} ({shown}{', ..' if len(items) > 5 else ''})"
