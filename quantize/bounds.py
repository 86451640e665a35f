# SPDX-License-Identifier: Apache-2.0
"""Bounds of the states over every input: widths that no input can overflow."""

import math

import numpy as np

from spikewright.model.model import IntegerModel, IntegerPopulation
from spikewright.network.network import INPUT

__all__ = ["proven_bits"]


def proven_bits(model: IntegerModel, events_per_channel: int = 1) -> tuple[int, int]:
    """Bits of s and of m that no input can overflow.

    The input may have up to ``events_per_channel`` events per channel and step. The upper bound of
    a state counts only positive weights, and the lower bound only negative ones. The order of
    events within a step therefore does not matter. A state x becomes at most
    ``D x / 2**d + 1/2`` by its decay D and the rounding. A neuron fires in every second step at
    most, because m is 0 after a spike. Let E be the sum of the weights of all input events of a
    step, and R the sum over all recurrent events. Then, for each neuron::

        s <= (E + 1/2) / (1 - a) + R / (1 - a**2),      a = A / 2**d
        m <= (s + 1/2) / (1 - b),                       b = B / 2**d
        m <= b threshold + 1/2 + s                      upper bound for a spiking neuron: m was at
                                                        most its threshold, or it is 0 now

    Returns
    -------
    current, membrane : int
        Bits, sign included.
    """
    current = membrane = 1
    for population in model.populations:
        for sign in (1, -1):
            s, m = _peaks(model, population, events_per_channel, sign)
            current, membrane = max(current, _bits(s, sign)), max(membrane, _bits(m, sign))
    return current, membrane


def _peaks(model: IntegerModel, population: IntegerPopulation, events_per_channel: int,
           sign: int) -> tuple[float, float]:
    """Bounds of s and m of a population: upper for ``sign`` 1, magnitude of the lower for -1."""
    unit = float(1 << model.widths.decay)
    a, b = population.synaptic_decay / unit, population.membrane_decay / unit
    # Several channels may share a row.
    channels = np.bincount(model.channel_row[model.channel_row >= 0], minlength=model.rows)
    s = 0.5 / (1 - a)
    for projection in model.projections:
        if projection.target == population.name:
            drive = (np.maximum(sign * projection.weights, 0)
                     << projection.shift + model.widths.fraction)
            s += (events_per_channel * (channels @ drive) / (1 - a)
                  if projection.source == INPUT else drive.sum(axis=0) / (1 - a**2))
    m = (s + 0.5) / (1 - b)
    if population.spiking and sign > 0:
        m = np.minimum(m, b * population.threshold + 0.5 + s)
    return float(s.max()), float(m.max())


def _bits(peak: float, sign: int) -> int:
    # The states are integers. The smallest number in two's complement is -largest - 1.
    most = math.floor(peak)
    return (most if sign > 0 else max(most - 1, 0)).bit_length() + 1
