# SPDX-License-Identifier: Apache-2.0
"""A run of the float network. The integer model is measured against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .network import CONSTANT, INPUT, START, Network, Population, inner
from .recording import Recording

__all__ = ["Trace", "fired_by", "run_reference"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """Results of a run in floating point.

    Parameters
    ----------
    velocity : ndarray of float64, shape (steps, axes)
        ``readout @ membranes + offset`` of the output populations, in physical units.
    spikes : ndarray of bool, shape (steps, neurons)
        Spikes of the spiking populations, in the columns of `Network.spike_columns`.
    current_peak, membrane_peak : dict of str to ndarray of float64, shape (neurons,)
        Largest magnitude of s and of m, by population. s includes the events of its step.
    membrane : dict of str to ndarray of float64, shape (steps, neurons)
        m of the watched populations, as it is compared with the threshold.
    """

    velocity: np.ndarray
    spikes: np.ndarray
    current_peak: dict[str, np.ndarray]
    membrane_peak: dict[str, np.ndarray]
    membrane: dict[str, np.ndarray] = field(default_factory=dict)


def fired_by(network: Network, recording: Recording, spikes: np.ndarray,
             name: str) -> np.ndarray:
    """Spikes of the spiking population ``name``, bool of shape (steps, neurons).

    ``spikes`` is bool of shape (steps, neurons), in the columns of `Network.spike_columns`. The
    populations `network.constant` and `network.start` have no columns.
    """
    if name == CONSTANT:
        return np.ones((recording.steps, 1), bool)
    if name == START:
        first = recording.reset.copy()
        first[:1] = True
        return first[:, None]
    return spikes[:, network.spike_columns[name]]


def run_reference(network: Network, recording: Recording, dtype=np.float64,
                  watch: Iterable[str] = ()) -> Trace:
    """Run ``network`` over ``recording`` from zero state.

    All arithmetic has the type ``dtype``. `network.Population` has the equations. With float64 and
    the published delays, the outputs equal those of the published model. With retimed delays, the
    same outputs come ``lead_steps`` steps earlier. ``watch`` has the names of the populations whose
    membranes the trace keeps.
    """
    populations = network.populations
    weights = [projection.weights.astype(dtype) for projection in network.projections]
    slots = 1 + max(projection.delay for projection in network.projections)
    a = {p.name: p.synaptic_decay.astype(dtype) for p in populations}
    b = {p.name: p.membrane_decay.astype(dtype) for p in populations}
    threshold = {p.name: p.threshold.astype(dtype) for p in populations}
    s_peak = {p.name: np.zeros(p.neurons) for p in populations}
    m_peak = {p.name: np.zeros(p.neurons) for p in populations}
    velocity, spikes = [], []
    watched: dict[str, list[np.ndarray]] = {name: [] for name in watch}

    for t in range(recording.steps):
        if t == 0 or recording.reset[t]:
            s = {p.name: np.zeros(p.neurons, dtype) for p in populations}
            m = {p.name: np.zeros(p.neurons, dtype) for p in populations}
            fired = {p.name: np.zeros(p.neurons, bool) for p in populations}
            events = {name: [np.zeros(0, np.int64)] * slots for name in (INPUT, *s)}
        events[INPUT][t % slots] = recording.channel[recording.start[t]:recording.start[t + 1]]
        for population in populations:
            name = population.name
            for projection, weight in zip(network.projections, weights, strict=True):
                if projection.target == name:
                    due = events[projection.source][(t - projection.delay) % slots]
                    s[name] += weight[due].sum(axis=0, dtype=dtype)
            m[name] = _advanced(population, b[name], m[name], s[name], fired[name],
                                threshold[name])
            above = m[name] > threshold[name]
            if population.at_least:
                above |= m[name] == threshold[name]
            fired[name] = above & population.spiking
            if name in watched:
                watched[name].append(m[name].astype(np.float64))
            events[name][t % slots] = np.flatnonzero(fired[name])
            np.maximum(s_peak[name], np.abs(s[name]), out=s_peak[name])
            np.maximum(m_peak[name], np.abs(m[name]), out=m_peak[name])
            s[name] = a[name] * s[name]
            if population.reset == "zero_keep":
                m[name] = np.where(fired[name], dtype(0), m[name])
            elif population.reset == "subtract_same":
                m[name] = m[name] - np.where(fired[name], threshold[name], dtype(0))
        velocity.append(np.concatenate([m[p.name] for p in populations if not p.spiking]))
        spikes.append(np.concatenate([fired[p.name] for p in populations
                                      if p.spiking and not inner(p.name)]))
    velocity = np.array(velocity, np.float64) @ network.readout.T + network.offset
    return Trace(velocity=velocity, spikes=np.array(spikes),
                 current_peak=s_peak, membrane_peak=m_peak,
                 membrane={name: np.array(rows) for name, rows in watched.items()})


def _advanced(population: Population, b: np.ndarray, m: np.ndarray, s: np.ndarray,
              fired: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """The membranes of a step before a reset in the same step. ``fired`` is of the step before."""
    new = b * m + s
    if population.reset == "zero_lose":
        return np.where(fired, np.zeros_like(new), new)
    if population.reset == "subtract_next":
        return new - np.where(fired, threshold, np.zeros_like(new))
    return new
