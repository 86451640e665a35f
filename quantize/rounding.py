# SPDX-License-Identifier: Apache-2.0
"""Rounding of weights: to the nearest integer, or so that the errors of a neuron cancel.

A weight is ``sigma * 2**shift * q``, with an integer q, a scale sigma for each neuron, and a shift
for each projection. The rounded weights change the membrane of a neuron by
``Z (w - sigma 2**shift q)``. Column j of Z is the membrane that synapse j alone causes
(`gram.synapse_traces`). w are the float weights, corrected for the rounding of the decays
(`gram.membrane_errors`). An error matters most where the neuron decides, near its threshold. Each
step therefore has a factor g::

    error(q, sigma) = r' H r,    r = w - sigma 2**shift q,    H = Z' diag(g) Z / sum(g) + ridge
    g = exp(-((m - threshold) / (WINDOW * threshold))**2) + FLOOR        1 for a leaky integrator

`compensated` searches for the smallest error. For each of several scales it begins at the nearest
integers and changes one weight at a time (`descent.closest_integers`). A weight that is zero stays
zero. The idea comes from GPTQ and AdaRound (Frantar et al. 2022, Nagel et al. 2020), which use the
activations of a layer. Here the dynamics of the membrane take their place.
"""

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np

from spikewright.model.integers import largest_weight
from spikewright.network.network import INPUT, Network
from spikewright.network.recording import Recording
from spikewright.network.reference import Trace, fired_by, run_reference

from .decays import Decays, round_decays
from .descent import closest_integers
from .gram import Drive, drives, membrane_errors
from .workers import each_neuron

__all__ = ["MOST_SHIFT", "Rounded", "as_rounded", "best_shifts", "compensated", "nearest",
           "round_half_up"]

MOST_SHIFT = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounded:
    """Integer weights and their scales.

    Parameters
    ----------
    scale : dict of str to ndarray of float64, shape (neurons,)
        By population: units of m per weight LSB in a projection with shift 0.
    weights : tuple of ndarray of int64, shape (sources, targets)
        One array for each projection.
    bits : tuple of int
        Bits of a weight of each projection.
    shift : tuple of int
        Shift of each projection. Its weight LSB is 2**shift times as large.
    exact : frozenset of str
        Populations whose weights are not changed by the rounding, since they lie on a grid.
    """

    scale: dict[str, np.ndarray]
    weights: tuple[np.ndarray, ...]
    bits: tuple[int, ...]
    shift: tuple[int, ...]
    exact: frozenset[str] = frozenset()


def round_half_up(x: np.ndarray) -> np.ndarray:
    """Nearest integers as int64, ties towards +inf: 2.5 -> 3, -2.5 -> -2, -0.5 -> 0."""
    return np.floor(np.asarray(x) + 0.5).astype(np.int64)


def nearest(network: Network, bits: tuple[int, ...],
            shift: tuple[int, ...] | None = None) -> Rounded:
    """Round to the nearest integer. The largest weight of a neuron becomes the largest integer.

    All weights of a population may be multiples of powers of two, so that they are integers of
    ``bits`` with these as scales. No weight then changes, and the shifts of its projections are 0.
    ``bits`` and ``shift`` have one number for each projection. By default, a projection that has k
    bits fewer than the widest has the shift k. All projections then have the same largest weight.
    """
    grids = _grids(network, bits)
    shift = _without(network, grids, shift or _lacking(bits))
    scale = {}
    for population in network.populations:
        if population.name in grids:
            scale[population.name] = grids[population.name]
            continue
        least = np.zeros(population.neurons)
        for projection, own, by in zip(network.projections, bits, shift, strict=True):
            if projection.target == population.name:
                least = np.maximum(least, _peaks(projection.weights) / (1 << by)
                                   / largest_weight(own))
        # A neuron without weights can have any scale, and gets 1.
        scale[population.name] = np.where(least > 0, least, 1.0)
    return Rounded(scale=scale, bits=bits, shift=shift, exact=frozenset(grids), weights=tuple(
        round_half_up(p.weights / scale[p.target] / (1 << by))
        for p, by in zip(network.projections, shift, strict=True)))


def compensated(network: Network, bits: tuple[int, ...], recording: Recording, *,
                decay_bits: int, decays: dict[str, Decays] | None = None,
                trace: Trace | None = None, most_shift: int = MOST_SHIFT) -> Rounded:
    """Round so that the errors of each neuron cancel over the spikes of ``recording``.

    Each neuron is rounded alone, as if all other neurons fired as in ``trace``. The weights also
    correct a part of what the rounding of the decays changes.

    Parameters
    ----------
    network : Network
    bits : tuple of int
        Bits of a weight of each projection.
    recording : Recording
    decay_bits : int
        Bits of a decay.
    decays : dict of str to Decays, optional
        Rounded decays of each population. By default, a decay becomes the nearest integer.
    trace : Trace, optional
        The run of ``network`` over ``recording``. By default, `compensated` makes this run.
    most_shift : int
        Largest shift of a projection with the most bits. A projection that has k bits fewer may
        have a shift of k more.
    """
    trace = trace or run_reference(network, recording)
    decays, unit_decay = decays or round_decays(network, decay_bits), 2.0 ** -decay_bits
    start = nearest(network, bits, best_shifts(network, bits, recording, trace, most_shift))
    weights = [array.copy() for array in start.weights]
    scale = {name: array.copy() for name, array in start.scale.items()}

    def work(drive: Drive) -> None:
        name, i = drive.population.name, drive.neuron
        if name in start.exact:
            return
        into = [k for k, p in enumerate(network.projections) if p.target == name]
        rows = [len(weights[k]) for k in into]
        unit = np.repeat([2.0 ** start.shift[k] for k in into], rows)[drive.used]
        largest = np.repeat([float(largest_weight(bits[k])) for k in into], rows)[drive.used]
        errors = membrane_errors(drive, (decays[name].synaptic[i] * unit_decay,
                                         decays[name].membrane[i] * unit_decay))
        # The weight LSB of a synapse depends on the shift of its projection.
        column = np.zeros(sum(rows), np.int64)
        scale[name][i], column[drive.used] = closest_integers(
            errors.gram * np.outer(unit, unit), errors.weights / unit, largest)
        for k, part in zip(into, np.split(column, np.cumsum(rows)[:-1]), strict=True):
            weights[k][:, i] = part

    each_neuron(work, drives(network, recording, trace.spikes), "rounding weights",
                memory=lambda drive: drive.memory)
    return dataclasses.replace(start, scale=scale, weights=tuple(weights))


def as_rounded(network: Network, rounded: Rounded, decays: dict[str, Decays],
               decay_bits: int) -> Network:
    """``network`` with the rounded weights and decays, in floating point."""
    populations = tuple(
        dataclasses.replace(p, synaptic_decay=decays[p.name].synaptic / (1 << decay_bits),
                            membrane_decay=decays[p.name].membrane / (1 << decay_bits))
        for p in network.populations)
    projections = tuple(
        dataclasses.replace(p, weights=weights * rounded.scale[p.target] * (1 << shift))
        for p, weights, shift in zip(network.projections, rounded.weights, rounded.shift,
                                     strict=True))
    return dataclasses.replace(network, populations=populations, projections=projections)


def best_shifts(network: Network, bits: tuple[int, ...], recording: Recording, trace: Trace,
                most: int) -> tuple[int, ...]:
    """Shift of each projection with which the rounding errors are smallest.

    A shift is from 0 to ``most``. For a projection that has k ``bits`` fewer than the widest, it
    may be k more.

    The rounding error of a weight has a variance proportional to the square of its LSB,
    ``sigma 2**shift``. The error acts as often as the source fires. The scale sigma of a neuron
    follows from its largest weight, so the error of a neuron is proportional to::

        max over projections(peak / largest / 2**shift)**2  *  sum over projections(rate * 4**shift)

    ``peak`` is the largest weight. ``largest`` is the largest integer of the projection, relative
    to the widest projection. ``rate`` is summed over the sources whose weight is not zero. The
    product of this error over all neurons of a population is minimised. Its logarithm is convex, so
    small steps reach the minimum: see `_least_shifts`.
    """
    shift, lacking = [0] * len(network.projections), _lacking(bits)
    for population in network.populations:
        into = [k for k, p in enumerate(network.projections) if p.target == population.name]
        if not into:
            continue
        weights = [network.projections[k].weights for k in into]
        reach = [largest_weight(bits[k]) / largest_weight(max(bits)) for k in into]
        peak = np.array([_peaks(w) / share for w, share in zip(weights, reach, strict=True)])
        rate = np.array([_rates(network, recording, trace, network.projections[k].source)
                         @ (w != 0) for k, w in zip(into, weights, strict=True)])
        counts = (peak.max(axis=0) > 0) & (rate.sum(axis=0) > 0)
        if counts.any():
            found = _least_shifts(peak[:, counts], rate[:, counts],
                                  np.array([most + lacking[k] for k in into]))
            for k, own in zip(into, found.tolist(), strict=True):
                shift[k] = own
    return tuple(shift)


def _least_shifts(peak: np.ndarray, rate: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Shifts of the projections to a population, int64 of shape (projections,).

    ``peak`` and ``rate`` have the shape (projections, neurons). ``most`` is the largest shift of
    each projection. The search begins with shifts of 0. Each step adds 1 to the shifts of some
    projections: of one, of two, of all, of all but one, or of all but two. It takes those with the
    smallest error. With five projections or fewer, these are all choices, and no other shifts have
    a smaller error.
    """
    def error(shift: np.ndarray) -> float:
        unit = 2.0 ** shift[:, None]
        return np.log((peak / unit).max(axis=0) ** 2 * (rate * unit ** 2).sum(axis=0)).sum()

    shift = np.zeros(len(peak), np.int64)
    least = error(shift)
    while (free := np.flatnonzero(shift < most)).size:
        few = [np.isin(np.arange(len(shift)), some) for count in range(3)
               for some in itertools.combinations(free, count)]
        trials = [shift + raised for raised in (*few, *((shift < most) & ~some for some in few))]
        errors = [error(trial) for trial in trials]
        best = int(np.argmin(errors))
        if errors[best] > least - 1e-9:
            break
        shift, least = trials[best], errors[best]
    return shift - shift.min()


def _grids(network: Network, bits: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Scales with which all weights of a population are integers already, by population.

    A scale is the smallest power of two with which the largest weight of the neuron fits. The
    largest powers of two that divide all weights are in `_divisor`. A population with a weight that
    would need more bits has no entry.
    """
    grids = {}
    for population in network.populations:
        into = [(p.weights, largest_weight(own)) for p, own in zip(network.projections, bits,
                                                                  strict=True)
                if p.target == population.name]
        scale = np.ones(population.neurons)
        for i in range(population.neurons):
            columns = [(weights[:, i], largest) for weights, largest in into]
            unit = min((_divisor(column) for column, _ in columns), default=np.inf)
            most = max((np.abs(column).max(initial=0) / largest for column, largest in columns),
                       default=0.0)
            if most > unit:
                break
            if most > 0:
                scale[i] = 2.0 ** np.ceil(np.log2(most))
        else:
            grids[population.name] = scale
    return grids


def _divisor(values: np.ndarray) -> float:
    """The largest power of two of which all ``values`` are multiples; infinity without values."""
    mantissa, exponent = np.frexp(values[values != 0])
    whole = np.abs(mantissa * 2.0 ** 53).astype(np.int64)
    lowest = exponent - 53 + np.log2((whole & -whole).astype(np.float64))
    return float(2.0 ** lowest.min()) if len(lowest) else np.inf


def _without(network: Network, grids: dict[str, np.ndarray],
             shift: tuple[int, ...]) -> tuple[int, ...]:
    """``shift``, but 0 for the projections to populations in ``grids``."""
    return tuple(0 if p.target in grids else own
                 for p, own in zip(network.projections, shift, strict=True))


def _lacking(bits: tuple[int, ...]) -> tuple[int, ...]:
    """How many bits fewer each projection has than the widest."""
    return tuple(max(bits) - own for own in bits)


def _peaks(weights: np.ndarray) -> np.ndarray:
    return np.abs(weights).max(axis=0, initial=0.0)


def _rates(network: Network, recording: Recording, trace: Trace, source: str) -> np.ndarray:
    """Events per step of each neuron of ``source``."""
    if source == INPUT:
        counts = np.bincount(recording.channel, minlength=recording.channels)
        return counts / recording.steps
    return fired_by(network, recording, trace.spikes, source).mean(axis=0)
