# SPDX-License-Identifier: Apache-2.0
"""Warnings of what may surprise: one line each."""

import numpy as np

from spikewright.model.model import IntegerModel, largest_weight
from spikewright.network.network import Network

from .rounding import Rounded
from .rules import Rules

__all__ = ["changed_decays", "clipped", "dropped_parts", "saturating"]

# Shares from which on a change of a time constant, or clipped weights, are worth a warning.
TIME_CONSTANT_CHANGE, CLIPPED = 0.05, 0.2


def changed_decays(model: IntegerModel, network: Network, rules: Rules) -> list[str]:
    """Time constants that rounding changed by more than ``TIME_CONSTANT_CHANGE``."""
    bits = f"{model.widths.decay} decay bits"
    cause, advice = ((bits, "take more decay bits") if rules.decay_terms is None else
                     (f"{rules.decay_terms} terms of {bits}", "take more terms"))
    warnings = []
    for population in model.populations:
        exact = network.population(population.name)
        for kind in ("synaptic", "membrane"):
            wanted = getattr(exact, f"{kind}_decay")[population.kept]
            given = getattr(population, f"{kind}_decay") / (1 << model.widths.decay)
            # A decay is exp(-dt / tau), so the time constant is -dt / log(decay).
            tau, rounded = (-1e3 * network.dt / np.log(decay) for decay in (wanted, given))
            change = np.abs(rounded / tau - 1)
            count, worst = int((change > TIME_CONSTANT_CHANGE).sum()), int(change.argmax())
            if count:
                warnings.append(
                    f"{cause} change {count} {kind} time constants of {population.name} by more "
                    f"than {TIME_CONSTANT_CHANGE:.0%} (neuron {int(population.kept[worst])}: "
                    f"{tau[worst]:.4g} ms becomes {rounded[worst]:.4g} ms): {advice}")
    return warnings


def clipped(network: Network, rounded: Rounded) -> list[str]:
    """Projections where more than ``CLIPPED`` of the weights are beyond the integers."""
    warnings = []
    for projection, bits, shift in zip(network.projections, rounded.bits, rounded.shift,
                                       strict=True):
        unit = rounded.scale[projection.target] * (1 << shift)
        beyond = np.abs(projection.weights) > unit * (largest_weight(bits) + 0.5)
        share = beyond.sum() / max(np.count_nonzero(projection.weights), 1)
        if share > CLIPPED:
            warnings.append(f"{projection.title}: {share:.0%} of the weights are clipped, so that "
                            f"the others keep {bits} bits that tell: take more weight bits")
    return warnings


def saturating(model: IntegerModel, evidence: dict) -> list[str]:
    """States whose scale comes from simulated spikes, and which no proof covers."""
    if evidence["proven"] or not evidence["simulated"]:
        return []
    bits = evidence["proven_bits"]
    text = (f"states of {model.widths.current} and {model.widths.membrane} bits may saturate: "
            f"their scale comes from {evidence['source']}, and only {bits['current']} and "
            f"{bits['membrane']} bits are safe for every input; calibrate on a recording of yours")
    return [text]


def dropped_parts(dropped: dict[str, int]) -> list[str]:
    """Channels and neurons that are left out."""
    told = {"channels": "channels with only zero weights, whose spikes are ignored",
            "neurons": "neurons that can never fire, left out"}
    return [f"{text}: {dropped[key]}" for key, text in told.items() if dropped[key]]
