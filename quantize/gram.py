# SPDX-License-Identifier: Apache-2.0
"""The effect of weight errors on the membrane of a neuron, over given spikes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spikewright.base.cache import compiled
from spikewright.network.network import (
    INPUT,
    RESETS,
    SUBTRACT_NEXT,
    SUBTRACT_SAME,
    ZERO_KEEP,
    Network,
    Population,
)
from spikewright.network.recording import Recording
from spikewright.network.reference import fired_by

__all__ = ["MANY", "Drive", "Errors", "arriving_events", "drives", "membrane_errors",
           "synapse_traces"]

WINDOW, FLOOR, OWN, EVEN, SLIGHT = 0.4, 0.02, 1.0, 0.3, 0.01

# Smallest threshold that the width of the window is measured by.
TINY = 1e-9

# Membranes change slowly, so every THIN-th step is enough.
THIN = 3

# With more synapses than this, the errors of a neuron average out, and its work grows. Single
# precision and fewer scales are then enough.
MANY = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Drive:
    """Synapses of one neuron, and the events that reach it.

    Parameters
    ----------
    population : Population
    neuron : int
    used : ndarray of int64, shape (synapses,)
        The synapses whose weight is not 0, as indices of the rows of all projections to the neuron.
    arriving : ndarray of float32, shape (steps, rows)
        Events of all these rows. The neurons of a population share the array, because it is large.
    weights : ndarray of float64, shape (synapses,)
        In units of m.
    fired, reset : ndarray of bool, shape (steps,)
        Whether the neuron fires, and whether its state is cleared before the step.
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
        """Bytes that `membrane_errors` needs for the traces and for a smaller copy of them."""
        return 12 * len(self.used) * -(-len(self.arriving) // THIN)


@dataclass(frozen=True, kw_only=True, eq=False)
class Errors:
    """The effect of weight errors on the membrane of one neuron.

    Parameters
    ----------
    gram : ndarray of float64, shape (synapses, synapses)
        The matrix H of `rounding`. Other spikes have other correlations between two synapses. The
        diagonal is therefore counted twice. A source may be silent in these spikes but not in
        others, so 0.3 times the mean of the diagonal is also added.
    weights : ndarray of float64, shape (synapses,)
        Weights with which the given decays are closest to the exact membrane.
    rest : float
        Error of the membrane with these weights.
    """

    gram: np.ndarray
    weights: np.ndarray
    rest: float


def arriving_events(network: Network, recording: Recording, spikes: np.ndarray,
                    index: int) -> np.ndarray:
    """Events that reach the targets of projection ``index``, float32 of shape (steps, sources).

    ``spikes`` is bool of shape (steps, neurons), in the columns of `Network.spike_columns`.
    """
    projection, steps = network.projections[index], recording.steps
    delay = projection.delay
    events = np.zeros((steps, network.size(projection.source)), np.float32)
    if projection.source == INPUT:
        step = np.repeat(np.arange(steps), np.diff(recording.start)) + delay
        arrives = step < steps
        np.add.at(events, (step[arrives], recording.channel[arrives]), 1)
    else:
        fired = fired_by(network, recording, spikes, projection.source)
        events[delay:] = fired[:max(steps - delay, 0)]
    # A reset also clears the spikes that have not arrived yet.
    for began in np.flatnonzero(recording.reset).tolist():
        events[began:began + delay] = 0
    return events


def drives(network: Network, recording: Recording, spikes: np.ndarray) -> Iterator[Drive]:
    """The `Drive` of each neuron with a weight other than 0, in the order of populations.

    ``spikes`` is as for `arriving_events`.
    """
    for population in network.populations:
        into = [k for k, p in enumerate(network.projections) if p.target == population.name]
        if not into:
            continue
        events = np.hstack([arriving_events(network, recording, spikes, k) for k in into])
        weights = np.vstack([network.projections[k].weights for k in into])
        fired = (fired_by(network, recording, spikes, population.name) if population.spiking
                 else np.zeros((recording.steps, population.neurons), bool))
        for i in range(population.neurons):
            used = np.flatnonzero(weights[:, i])
            if len(used):
                yield Drive(population=population, neuron=i, used=used, arriving=events,
                            weights=weights[used, i], fired=fired[:, i], reset=recording.reset)


def membrane_errors(drive: Drive, decays: tuple[float, float]) -> Errors:
    """The effect of weight errors on a neuron with the given ``decays`` of s and of m."""
    population, i = drive.population, drive.neuron
    current = _driven_current(drive.arriving, drive.used, drive.weights)
    reset = RESETS.index(population.reset)
    exact = synapse_traces(current, np.zeros(1, np.int64), population.synaptic_decay[i],
                           population.membrane_decay[i], drive.fired, drive.reset, reset,
                           THIN)[:, 0]
    counts = np.ones(len(exact))
    if population.spiking:
        threshold = population.threshold[i]
        level = exact
        if population.reset.startswith("subtract"):
            # What the spikes took away from m does not depend on the weights.
            level = exact - threshold * _taken(drive.fired, drive.reset,
                                               population.membrane_decay[i], reset)[::THIN]
        distance = (level - threshold) / (WINDOW * max(abs(threshold), TINY))
        counts = np.exp(-np.minimum(distance**2, 700)) + FLOOR
    counts = np.sqrt(counts / counts.sum())
    traces = synapse_traces(drive.arriving, drive.used, *decays, drive.fired, drive.reset, reset,
                            THIN)
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


@compiled(nogil=True)
def _driven_current(arriving, used, weights):
    """Sum of the events of the rows ``used`` times their weights, float64 of shape (steps, 1)."""
    current = np.zeros((len(arriving), 1))
    for t in range(len(arriving)):
        for j in range(len(used)):
            current[t, 0] += arriving[t, used[j]] * weights[j]
    return current


@compiled(nogil=True)
def _taken(fired, reset, b, kind):
    """Thresholds that the spikes have taken away from m, decayed, float64 of shape (steps,)."""
    taken, total = np.zeros(len(fired)), 0.0
    for t in range(len(fired)):
        before = t > 0 and fired[t - 1] and not reset[t]
        total = 0.0 if reset[t] else b * (total + (before and kind == SUBTRACT_SAME))
        total += before and kind == SUBTRACT_NEXT
        taken[t] = total
    return taken


@compiled(nogil=True)
def synapse_traces(arriving, used, a, b, fired, reset, kind, every):
    """Membrane that each synapse alone causes with weight 1, in every ``every``-th step.

    Synapse j takes its events from column ``used[j]`` of ``arriving``, which has the shape (steps,
    rows). ``a`` is the decay of s and ``b`` of m. ``fired`` and ``reset`` are bool (steps,).
    ``kind`` is the index in ``RESETS`` of what a spike does. A reset clears s and m. The result is
    float64 of shape (steps kept, synapses).
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
            if not cleared or kind > ZERO_KEEP:
                m[j] = b * m[j] + s[j]
            else:
                m[j] = s[j] if kind == ZERO_KEEP else 0.0
            s[j] *= a
        if t % every == 0:
            traces[t // every] = m
    return traces
