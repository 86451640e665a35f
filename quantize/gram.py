# SPDX-License-Identifier: Apache-2.0
"""What an error of each weight does to the membrane of its neuron, over given spikes."""

import numpy as np
from numba import njit

from .network import INPUT, Network, Population
from .recording import Recording

__all__ = ["arriving_events", "membrane_gram", "synapse_traces"]

WINDOW, FLOOR, RIDGE = 0.4, 0.02, 1.0
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


def membrane_gram(population: Population, i: int, events: np.ndarray, weights: np.ndarray,
                  fired: np.ndarray, reset: np.ndarray) -> np.ndarray:
    """The matrix H of neuron ``i``, float64 (synapses, synapses).

    The ridge is as large as the mean of the diagonal: what the given spikes say of two weights
    together holds only in part for other spikes.
    """
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
