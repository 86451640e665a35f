# SPDX-License-Identifier: Apache-2.0
"""Rounding of weights: to the nearest integer, or so that the errors of a neuron cancel.

Rounded weights ``q`` with scale ``sigma`` drive a neuron's membrane wrongly by ``Z (w - sigma q)``,
where column j of Z is the membrane that synapse j alone would cause (`synapse_traces`). What counts
is the error where the neuron decides, near its threshold, so with weights g per step::

    error(q, sigma) = (w - sigma q)' H (w - sigma q),    H = Z' diag(g) Z / sum(g) + ridge
    g = exp(-((m - threshold) / (WINDOW * threshold))**2) + FLOOR        1 for a leaky integrator

`compensated` descends this error one weight at a time, from the nearest integers on, for some
scales below the largest weight's (a few clipped weights buy a finer grid for all others), and keeps
the best. A weight that is zero stays zero. The idea is that of GPTQ and AdaRound (Frantar et al.
2022, Nagel et al. 2020), with the membrane's dynamics in the place of a layer's activations.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from .network import INPUT, Network, Population
from .recording import Recording
from .reference import run_reference

__all__ = ["Rounded", "compensated", "nearest", "round_half_up"]

WINDOW, FLOOR, RIDGE = 0.4, 0.02, 0.01
SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
SWEEPS = 50
THIN = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounded:
    """Integer weights and their scales.

    Parameters
    ----------
    scale : dict of str to ndarray of float64, shape (neurons,)
        Per population: units of m per weight LSB.
    weights : tuple of ndarray of int64, shape (sources, targets)
        Per projection.
    """

    scale: dict[str, np.ndarray]
    weights: tuple[np.ndarray, ...]


def round_half_up(x: np.ndarray) -> np.ndarray:
    """Nearest integer, ties towards +inf, as int64: 2.5 -> 3, -2.5 -> -2, -0.5 -> 0."""
    return np.floor(np.asarray(x) + 0.5).astype(np.int64)


def nearest(network: Network, weight_bits: int) -> Rounded:
    """Round to the nearest integer; a neuron's largest weight becomes the largest integer."""
    largest = (1 << weight_bits - 1) - 1
    scale = {}
    for population in network.populations:
        peak = np.zeros(population.neurons)
        for projection in network.projections:
            if projection.target == population.name:
                peak = np.maximum(peak, np.abs(projection.weights).max(axis=0, initial=0.0))
        # A neuron that nothing reaches keeps the unit scale: any would do.
        scale[population.name] = np.where(peak > 0, peak, largest) / largest
    return Rounded(scale=scale, weights=tuple(
        round_half_up(p.weights / scale[p.target]) for p in network.projections))


@threadpool_limits.wrap(limits=1)
def compensated(network: Network, weight_bits: int, recording: Recording) -> Rounded:
    """Round so that the errors of each neuron cancel over the spikes of ``recording``.

    The float network runs over the recording once; then every neuron is rounded by itself, as if
    all others fired as in that run.
    """
    start = nearest(network, weight_bits)
    trace = run_reference(network, recording)
    weights = [array.copy() for array in start.weights]
    scale = {name: array.copy() for name, array in start.scale.items()}
    first = 0
    for population in network.populations:
        into = [k for k, p in enumerate(network.projections) if p.target == population.name]
        events = np.hstack([_events(network, recording, trace.spikes, k) for k in into])
        exact = np.vstack([network.projections[k].weights for k in into])
        for i in range(population.neurons):
            fired = (trace.spikes[:, first + i] if population.spiking
                     else np.zeros(recording.steps, bool))
            gram = _gram(population, i, events, exact[:, i], fired, recording.reset)
            scale[population.name][i], column = _best(gram, exact[:, i], scale[population.name][i],
                                                      weight_bits)
            for k in into:
                weights[k][:, i] = column[:len(weights[k])]
                column = column[len(weights[k]):]
        first += population.neurons if population.spiking else 0
    return Rounded(scale=scale, weights=tuple(weights))


def _events(network: Network, recording: Recording, spikes: np.ndarray, index: int) -> np.ndarray:
    """Events that reach the targets of a projection in each step: float64 (steps, sources)."""
    projection = network.projections[index]
    if projection.source == INPUT:
        events = np.zeros((recording.steps, recording.channels))
        step = np.repeat(np.arange(recording.steps), np.diff(recording.start))
        np.add.at(events, (step, recording.channel), 1)
    else:
        first = 0
        for population in network.populations:
            if population.name == projection.source:
                break
            first += population.neurons if population.spiking else 0
        events = spikes[:, first:first + len(projection.weights)].astype(np.float64)
    delay = projection.delay
    late = np.zeros_like(events)
    late[delay:] = events[:len(events) - delay]
    # A reset forgets the spikes that are still on their way.
    for began in np.flatnonzero(recording.reset).tolist():
        late[began:began + delay] = 0
    return late


def _gram(population: Population, i: int, events: np.ndarray, weights: np.ndarray,
          fired: np.ndarray, reset: np.ndarray) -> np.ndarray:
    """The matrix H of neuron ``i``, float64 (synapses, synapses)."""
    # Membranes change slowly: every THIN-th step tells nearly as much as all.
    traces = synapse_traces(events, population.synaptic_decay[i], population.membrane_decay[i],
                            fired, reset)[::THIN]
    counts = np.ones(len(traces))
    if population.spiking:
        threshold = population.threshold[i]
        distance = (traces @ weights - threshold) / (WINDOW * threshold)
        counts = np.exp(-np.minimum(distance**2, 700)) + FLOOR
    traces = traces * np.sqrt(counts / counts.sum())[:, None]
    gram = traces.T @ traces
    return gram + RIDGE * max(np.trace(gram) / len(gram), 1e-12) * np.eye(len(gram))


@njit(cache=True)
def synapse_traces(events, a, b, fired, reset):
    """Membrane that each synapse alone would cause with weight 1: float64 (steps, synapses).

    ``events`` float64 (steps, synapses); decays ``a`` and ``b``; ``fired`` and ``reset`` bool
    (steps,): the membrane starts again from 0 after a spike, everything after a reset.
    """
    steps, synapses = events.shape
    traces = np.zeros((steps, synapses))
    s, m = np.zeros(synapses), np.zeros(synapses)
    for t in range(steps):
        if reset[t]:
            s[:] = 0
            m[:] = 0
        cleared = t > 0 and fired[t - 1] and not reset[t]
        for j in range(synapses):
            s[j] += events[t, j]
            m[j] = 0.0 if cleared else b * m[j] + s[j]
            traces[t, j] = m[j]
            s[j] *= a
    return traces


def _best(gram, weights, scale, weight_bits):
    """Scale and integers (synapses,) of the least error over all ``SCALES``."""
    largest = (1 << weight_bits - 1) - 1
    used = np.flatnonzero(weights)
    column = np.zeros(len(weights), np.int64)
    if not len(used):
        return scale, column
    h, w = np.ascontiguousarray(gram[np.ix_(used, used)]), weights[used]
    best = np.inf
    for factor in SCALES:
        trial = scale * factor
        q = np.clip(np.floor(w / trial + 0.5), -largest - 1, largest)
        _descend(h, w / trial, q, -largest - 1.0, float(largest), SWEEPS)
        rest = w - q * trial
        error = rest @ h @ rest
        if error < best:
            best, kept = error, trial
            column[used] = q.astype(np.int64)
    return kept, column


@njit(cache=True)
def _descend(gram, weights, q, low, high, sweeps):
    """Move one integer of ``q`` at a time to where the error is least, until none moves."""
    synapses = len(weights)
    slope = np.zeros(synapses)
    for i in range(synapses):
        for j in range(synapses):
            slope[i] += gram[i, j] * (weights[j] - q[j])
    for _ in range(sweeps):
        moved = False
        for j in range(synapses):
            step = min(max(q[j] + np.floor(slope[j] / gram[j, j] + 0.5), low), high) - q[j]
            if step != 0:
                q[j] += step
                moved = True
                for i in range(synapses):
                    slope[i] -= gram[i, j] * step
        if not moved:
            return
