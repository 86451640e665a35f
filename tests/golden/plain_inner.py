# SPDX-License-Identifier: Apache-2.0
"""The integers of SNN_Flat a second time, in plain Python without a program, sums or a log.

n are the counts of each part and channel in this step, N of them, S1 and S2 the sums of n and n**2,
and D = N S2 - S1**2 + epsilon. In inner step j, from membranes of 0::

    c = (N n[j] - S1) W[j] / sqrt(D) 2**fraction + bias[j]
    m = B m + c - (m > threshold) threshold
    z = m > threshold                                    what the next layer takes

``1 / sqrt(D)`` is taken in the middle of all D with the same leading 10 bits, rounded down to 15.
"""

from math import isqrt

import numpy as np

from spikewright.model.graded import GradedPopulation
from spikewright.network.network import CONSTANT, INPUT
from tests.golden.plain_graded import window_sums

__all__ = ["plain_inner_run"]


def plain_inner_run(model, counts, reset=()):
    """Outputs (steps, outputs) of ``counts`` (steps, channels), spikes (steps, columns), and flags.

    ``reset`` has the steps before which everything begins anew.
    """
    parts = [p for p in model.projections if p.source == INPUT]
    outputs, spikes, flags, began, flag = [], [], [], 0, False
    for t in range(len(counts)):
        if t in reset:
            began, flag = t, False
        n = [window_sums(model, counts, began, t, part) for part in parts]
        currents, clamped = _currents(model, parts, n)
        last, fired = _inner_steps(model, currents)
        flag |= clamped
        outputs.append(last)
        spikes.append(fired)
        flags.append(flag)
    return np.array(outputs), np.array(spikes), np.array(flags)


def _currents(model, parts, n):
    """Currents of the first layer in each inner step, and whether one was clamped."""
    cells = [count for part in n for count in part]
    once, squares = sum(cells), sum(count * count for count in cells)
    d = len(cells) * squares - once * once + model.epsilon
    quarters = 0
    while 4 ** (quarters + 1) <= d:
        quarters += 1
    leading = d * 256 // 4 ** quarters
    root = isqrt(2 ** 39 // (2 * leading + 1))
    lost, largest = 15 + quarters - model.widths.fraction, model.widths.largest_current
    currents, clamped = [], False
    for part, given in zip(parts, n, strict=True):
        unit = model.index(part.target)
        found = []
        for i, bias in enumerate(unit.bias.tolist()):
            spread = sum((len(cells) * count - once) * weight for count, weight
                         in zip(given, part.weights[:, i].tolist(), strict=True))
            value = (spread * root + 2 ** (lost - 1)) // 2 ** lost + bias
            found.append(max(-largest - 1, min(value, largest)))
            clamped |= found[-1] != value
        currents.append(found)
    return currents, clamped


def _inner_steps(model, currents):
    """Membranes of the outputs after all inner steps, and the spikes of all."""
    layers = [p for p in model.populations
              if not isinstance(p, GradedPopulation) and p.name != CONSTANT]
    m = {p.name: [0] * p.size for p in layers}
    fired = {p.name: [] for p in layers if p.spiking}
    for current in currents:
        given = {CONSTANT: [1]}
        for k, layer in enumerate(layers):
            drive = current if k == 0 else _drive(model, layer, given)
            m[layer.name] = [
                ((b * before + 2 ** (model.widths.decay - 1)) >> model.widths.decay) + c
                - (threshold if layer.spiking and before > threshold else 0)
                for before, c, b, threshold in zip(
                    m[layer.name], drive, layer.membrane_decay.tolist(),
                    layer.threshold.tolist(), strict=True)]
            if layer.spiking:
                given[layer.name] = [int(after > threshold) for after, threshold
                                     in zip(m[layer.name], layer.threshold.tolist(), strict=True)]
                fired[layer.name] += given[layer.name]
    return m[layers[-1].name], [z for spikes in fired.values() for z in spikes]


def _drive(model, layer, given):
    drive = [0] * layer.size
    for p in model.projections:
        if p.target == layer.name:
            for z, row in zip(given[p.source], p.weights.tolist(), strict=True):
                drive = [c + z * (weight << model.widths.fraction)
                         for c, weight in zip(drive, row, strict=True)]
    return drive
