# SPDX-License-Identifier: Apache-2.0
"""Currents that no input can fill: their bound over every input."""

import numpy as np

from spikewright.network.network import INPUT

from .graded import GradedPopulation
from .integers import IntegerPopulation, IntegerProjection
from .model import IntegerModel

__all__ = ["currents_fit"]


def currents_fit(model: IntegerModel) -> bool:
    """Whether no current of a neuron is ever clamped, whatever comes in.

    This is proven for neurons that keep nothing of a current (A = 0), and for those that keep all
    (A = 1) of rows that are taken back later. A step has any number of events, so it is not proven
    for neurons that the input reaches.
    """
    if model.normalizes:
        return False
    neurons = [p for p in model.populations if not isinstance(p, GradedPopulation)]
    return all(_fits(model, population) for population in neurons)


def _fits(model: IntegerModel, population: IntegerPopulation) -> bool:
    into = [p for p in model.projections if p.target == population.name]
    sources = {p.source for p in into}
    keeps = (population.synaptic_decay == 1 << model.widths.decay).all()
    if INPUT in sources or not (keeps or not population.synaptic_decay.any()):
        return False
    largest = np.zeros(population.neurons, np.int64)
    for name in sources:
        source, rows = model.index(name), [p for p in into if p.source == name]
        if keeps:
            total = np.zeros((source.neurons, population.neurons), np.int64)
            most = np.zeros_like(total)
            for age in range(0, max(p.delay for p in rows) + 1, source.period):
                now = [_weights(model, p) for p in rows if p.delay == age]
                most  += np.abs(total) + sum(np.abs(weights) for weights in now)
                total += sum(now)
            if total.any():         # it grows with each spike
                return False
        else:
            # A source may give more than once from one update to the next.
            often = -(-population.interval // source.period)
            most = often * sum(np.abs(_weights(model, p)) for p in rows)
        value = source.largest + source.pools       # the smallest value of a pool is one further
        largest += value * most.sum(axis=0)
    return bool((largest <= model.widths.largest_current).all())


def _weights(model: IntegerModel, projection: IntegerProjection) -> np.ndarray:
    """What each row adds to the currents."""
    return projection.weights << projection.shift + model.widths.fraction
