# SPDX-License-Identifier: Apache-2.0
"""The integers of graded networks a second time, in plain Python without a program or a log.

For a layer with the inputs x, its integers W and bias b, and a factor and a shift for each unit::

    u = W x + b
    h = min((max(u, 0) factor + 2**(shift - 1)) >> shift, largest)       the next x

x of the first layer are sums of counts: those of the steps of ages delay to until - 1. In the steps
in which a frame fills, an age is that of the last one of these steps.
"""

import numpy as np

from spikewright.network.network import INPUT

__all__ = ["plain_run", "window_sums"]


def plain_run(model, counts, reset=()):
    """Outputs (steps, outputs) of ``counts`` (steps, channels), and whether a value has saturated.

    ``reset`` has the steps before which everything begins anew.
    """
    outputs, flags, began, flag = [], [], 0, False
    for t in range(len(counts)):
        if t in reset:
            began, flag = t, False
        values = {}
        for population in model.populations:
            sums = [0] * population.size
            for projection in model.projections:
                if projection.target == population.name:
                    given = (window_sums(model, counts, began, t, projection)
                             if projection.source == INPUT else values[projection.source])
                    for value, row in zip(given, projection.weights.tolist(), strict=True):
                        sums = [u + value * weight for u, weight in zip(sums, row, strict=True)]
            sums = [u + bias for u, bias in zip(sums, population.bias.tolist(), strict=True)]
            if population.kind == "rectify":
                found = [(max(u, 0) * factor + (1 << shift - 1)) >> shift for u, factor, shift
                         in zip(sums, population.factor.tolist(), population.shift.tolist(),
                                strict=True)]
                flag |= max(found) > population.largest
                values[population.name] = [min(value, population.largest) for value in found]
            else:
                values[population.name] = sums
        last = values[model.populations[-1].name]
        outputs.append([0] * len(last) if t - began < model.silent_steps else last)
        flags.append(flag)
    return np.array(outputs), np.array(flags)


def window_sums(model, counts, began, t, projection):
    """Sum of each input row over the window of a projection."""
    now = max(t, began + model.fill_steps - 1)      # a frame that is not full stands still
    first, last = now - projection.until + 1, min(now - projection.delay, t)
    inside = counts[max(first, began):max(last + 1, began)].sum(axis=0)
    rows = [0] * model.rows
    for channel, row in enumerate(model.channel_row.tolist()):
        if row >= 0:
            rows[row] += int(inside[channel])
    return rows
