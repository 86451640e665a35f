# SPDX-License-Identifier: Apache-2.0
"""What an error of each weight does to the membrane of its neuron, over given spikes."""

import numpy as np
from numba import njit

from .network import INPUT, Network, Population
from .recording import Recording

__all__ = ["arriving_events", "membrane_gram", "synapse_traces"]

WINDOW, FLOOR, RIDGE, SLIGHT = 0.4, 0.02, 1.0, 0.01
THIN = 3


def arriving_events(network: Network, recording: Recording, spikes: np.ndarray,
                    index: int) -> np.ndarray:
    """Events that reach the targets of a projection in each step: float64 (steps, sources).

    ``spikes`` bool (steps, neurons): those of the spiking populations, side by side.
    """
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


def membrane_gram(population: Population, i: int, decays: tuple[float, float], events: np.ndarray,
                  weights: np.ndarray, fired: np.ndarray,
                  reset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What errors of the weights of neuron ``i`` cost, and the weights to be rounded.

    Parameters
    ----------
    decays : tuple of float
        The rounded ones of s and of m, with which the neuron will run.
    events : ndarray of float64, shape (steps, synapses)
    weights : ndarray of float64, shape (synapses,)
        None of them 0: what is not there is not to be rounded.
    fired, reset : ndarray of bool, shape (steps,)

    Returns
    -------
    gram : ndarray of float64, shape (synapses, synapses)
        The matrix H. Its ridge is as large as the mean of its diagonal: what the given spikes say
        of two weights together holds only in part for other spikes.
    weights : ndarray of float64, shape (synapses,)
        Those that come closest to the exact membrane with the rounded decays.
    """
    # Membranes change slowly: every THIN-th step tells nearly as much as all.
    exact = synapse_traces((events @ weights)[:, None], population.synaptic_decay[i],
                           population.membrane_decay[i], fired, reset)[::THIN, 0]
    counts = np.ones(len(exact))
    if population.spiking:
        threshold = population.threshold[i]
        distance = (exact - threshold) / (WINDOW * threshold)
        counts = np.exp(-np.minimum(distance**2, 700)) + FLOOR
    counts = np.sqrt(counts / counts.sum())
    traces = synapse_traces(events, *decays, fired, reset)[::THIN] * counts[:, None]
    gram = traces.T @ traces
    unit = max(np.trace(gram) / len(gram), 1e-12) * np.eye(len(gram))
    missing = traces.T @ (exact * counts - traces @ weights)
    return gram + RIDGE * unit, weights + np.linalg.solve(gram + SLIGHT * unit, missing)


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
