# SPDX-License-Identifier: Apache-2.0
"""What an error of each weight does to the membrane of its neuron, over given spikes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit

from spikewright.network.network import INPUT, Network, Population
from spikewright.network.recording import Recording

__all__ = ["MANY", "Drive", "Errors", "arriving_events", "drives", "membrane_errors",
           "synapse_traces"]

WINDOW, FLOOR, OWN, EVEN, SLIGHT = 0.4, 0.02, 1.0, 0.3, 0.01

# Membranes change slowly: every THIN-th step says nearly as much as all.
THIN = 3

# With more synapses than this, errors average out, and the work of a neuron grows: half the digits
# and fewer scales will do.
MANY = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Drive:
    """What reaches a neuron.

    Parameters
    ----------
    population : Population
    neuron : int
    used : ndarray of int64, shape (synapses,)
        Its synapses whose weight is not 0, among the rows of all projections that reach it.
    arriving : ndarray of float32, shape (steps, rows)
        Events of these rows. The neurons of a population share the array, which is large.
    weights : ndarray of float64, shape (synapses,)
    fired, reset : ndarray of bool, shape (steps,)
    """

    population: Population
    neuron: int
    used: np.ndarray
    arriving: np.ndarray
    weights: np.ndarray
    fired: np.ndarray
    reset: np.ndarray

    @property
    def memory(self) -> int:
        """Bytes that `membrane_errors` needs at once: the traces, and a smaller copy of them."""
        return 12 * len(self.used) * -(-len(self.arriving) // THIN)


@dataclass(frozen=True, kw_only=True, eq=False)
class Errors:
    """What errors of the weights of a neuron do to its membrane.

    Parameters
    ----------
    gram : ndarray of float64, shape (synapses, synapses)
        The matrix H of `rounding`. What the given spikes say of two weights together holds only in
        part for other spikes, so its diagonal counts twice; 0.3 times the mean of it is added,
        for sources that are silent here and need not be elsewhere.
    weights : ndarray of float64, shape (synapses,)
        Those that come closest to the exact membrane with the given decays.
    rest : float
        The error that they leave.
    """

    gram: np.ndarray
    weights: np.ndarray
    rest: float


def arriving_events(network: Network, recording: Recording, spikes: np.ndarray,
                    index: int) -> np.ndarray:
    """Events that reach the targets of a projection in each step: float32 (steps, sources).

    ``spikes`` bool (steps, neurons): those of the spiking populations, side by side.
    """
    projection, steps = network.projections[index], recording.steps
    delay = projection.delay
    events = np.zeros((steps, network.size(projection.source)), np.float32)
    if projection.source == INPUT:
        step = np.repeat(np.arange(steps), np.diff(recording.start)) + delay
        arrives = step < steps
        np.add.at(events, (step[arrives], recording.channel[arrives]), 1)
    else:
        events[delay:] = spikes[:max(steps - delay, 0), network.spike_columns[projection.source]]
    # A reset forgets the spikes that are still on their way.
    for began in np.flatnonzero(recording.reset).tolist():
        events[began:began + delay] = 0
    return events


def drives(network: Network, recording: Recording, spikes: np.ndarray) -> Iterator[Drive]:
    """What reaches each neuron that anything reaches, by population; ``spikes`` as above."""
    columns = network.spike_columns
    for population in network.populations:
        into = [k for k, p in enumerate(network.projections) if p.target == population.name]
        events = np.hstack([arriving_events(network, recording, spikes, k) for k in into])
        weights = np.vstack([network.projections[k].weights for k in into])
        fired = (spikes[:, columns[population.name]] if population.spiking
                 else np.zeros((recording.steps, population.neurons), bool))
        for i in range(population.neurons):
            used = np.flatnonzero(weights[:, i])
            if len(used):
                yield Drive(population=population, neuron=i, used=used, arriving=events,
                            weights=weights[used, i], fired=fired[:, i], reset=recording.reset)


def membrane_errors(drive: Drive, decays: tuple[float, float]) -> Errors:
    """What errors of the weights of a neuron cost that runs with ``decays`` of s and of m."""
    population, i = drive.population, drive.neuron
    current = _driven_current(drive.arriving, drive.used, drive.weights)
    exact = synapse_traces(current, np.zeros(1, np.int64), population.synaptic_decay[i],
                           population.membrane_decay[i], drive.fired, drive.reset, THIN)[:, 0]
    counts = np.ones(len(exact))
    if population.spiking:
        threshold = population.threshold[i]
        distance = (exact - threshold) / (WINDOW * threshold)
        counts = np.exp(-np.minimum(distance**2, 700)) + FLOOR
    counts = np.sqrt(counts / counts.sum())
    traces = synapse_traces(drive.arriving, drive.used, *decays, drive.fired, drive.reset, THIN)
    traces = traces.astype(np.float32 if len(drive.used) > MANY else np.float64, copy=False)
    traces *= counts[:, None]
    gram = traces.T @ traces
    unit = max(np.trace(gram) / len(gram), 1e-12) * np.eye(len(gram), dtype=gram.dtype)
    error = (exact * counts - traces @ drive.weights).astype(traces.dtype)
    missing = traces.T @ error
    change = np.linalg.solve(gram + SLIGHT * unit, missing)
    ridge = OWN * np.diag(np.diag(gram)) + EVEN * unit
    return Errors(gram=gram + ridge, weights=drive.weights + change,
                  rest=float(error @ error - missing @ change))


@njit(cache=True, nogil=True)
def _driven_current(arriving, used, weights):
    """Events of the rows ``used`` times their weights, added up: float64 (steps, 1)."""
    current = np.zeros((len(arriving), 1))
    for t in range(len(arriving)):
        for j in range(len(used)):
            current[t, 0] += arriving[t, used[j]] * weights[j]
    return current


@njit(cache=True, nogil=True)
def synapse_traces(arriving, used, a, b, fired, reset, every):
    """Membrane that each synapse alone would cause with weight 1, in each ``every``-th step.

    ``arriving`` (steps, rows), of which the rows ``used`` are those of the synapses; decays ``a``
    and ``b``; ``fired`` and ``reset`` bool (steps,): the membrane starts again from 0 after a
    spike, everything after a reset. Returns float64 (kept steps, synapses).
    """
    steps, synapses = len(arriving), len(used)
    traces = np.zeros((-(-steps // every), synapses))
    s, m = np.zeros(synapses), np.zeros(synapses)
    for t in range(steps):
        if reset[t]:
            s[:] = 0
            m[:] = 0
        cleared = t > 0 and fired[t - 1] and not reset[t]
        for j in range(synapses):
            s[j] += arriving[t, used[j]]
            m[j] = 0.0 if cleared else b * m[j] + s[j]
            s[j] *= a
        if t % every == 0:
            traces[t // every] = m
    return traces
