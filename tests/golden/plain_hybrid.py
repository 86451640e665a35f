# SPDX-License-Identifier: Apache-2.0
"""The integers of the hybrid network once more: whole convolutions, then keypoint by keypoint.

Steps before the first one have no events. With Python's whole numbers, which never overflow::

    y1[t] = sum over d of W1[d] x[t - d]
    p1[t] = rnd((max(y1[t - 1], y1[t]) + b1) f1)                in every second step
    y2[t] = sum over d of W2[d] p1[t - d]
    p2[t] = rnd((max(y2[t - 2], y2[t]) + b2) f2)                in every fourth step
    c = W z' + U z + b of every layer,  m = rnd(B m) + c,  z = m > threshold
    key = W z + b,  output = 4 key' + i (key - key'),  i = 1, 2, 3, 4
"""

import numpy as np

from spikewright.network.network import CONSTANT, INPUT

__all__ = ["plain_hybrid"]


def plain_hybrid(model, counts):
    """Answers to ``counts`` (steps, channels).

    Returns outputs (steps, outputs), spikes (steps, neurons), and whether a value has been clamped
    (steps,).
    """
    steps, values = len(counts), np.asarray(counts, object)
    clamped = np.zeros(steps, bool)
    pools = [p for p in model.populations if getattr(p, "kind", "") == "pool"]
    for pool, source in zip(pools, (INPUT, pools[0].name), strict=True):
        values, flags = _pooled(pool, values, [p for p in model.projections if p.source == source
                                               and p.target == pool.name])
        clamped |= flags
    phase, layers = pools[1].phase, model.populations[len(pools) + 1:-1]
    last = model.populations[-1]
    m, z = ([[0] * p.neurons for p in layers] for _ in range(2))
    outputs, keys = np.zeros((steps, last.neurons), object), [[0] * last.neurons] * 2
    fired = np.zeros((steps, sum(p.neurons for p in layers)), bool)
    for t in range(steps):
        if t >= phase and (t - phase) % 4 == 0:
            given = (pools[1].name, values[t].tolist())
            for k, layer in enumerate(layers):
                c = _drive(model, layer, {given[0]: given[1], layer.name: z[k], CONSTANT: [1]})
                m[k], z[k] = _leaky(model, layer, m[k], z[k], c)
                given = (layer.name, z[k])
            fired[t] = np.concatenate(z)
            keys = [keys[1], _drive(model, last, {given[0]: given[1], CONSTANT: [1]}, once=True)]
        part = (t - phase) % 4 + 1
        outputs[t] = [4 * a + part * (b - a) for a, b in zip(*keys, strict=True)]
    return outputs.astype(np.int64), fired, np.logical_or.accumulate(clamped)


def _pooled(pool, values, taps):
    steps = len(values)
    sums = np.zeros((steps + pool.interval, pool.size), object)
    for tap in taps:
        weights = tap.weights.astype(object)
        for t in range(tap.delay, steps):
            sums[pool.interval + t] += values[t - tap.delay] @ weights
    pooled = np.zeros((steps, pool.size), object)
    clamped = np.zeros(steps, bool)
    most = (1 << pool.bits - 1) - 1
    for t in range(pool.phase, steps, pool.period):
        pairs = zip(sums[t], sums[pool.interval + t], pool.bias.tolist(), pool.factor.tolist(),
                    pool.shift.tolist(), strict=True)
        whole = [((max(a, b) + bias) * factor + (1 << shift - 1)) >> shift
                 for a, b, bias, factor, shift in pairs]
        pooled[t] = [max(-most - 1, min(most, value)) for value in whole]
        clamped[t] = (pooled[t] != whole).any()
    return pooled, clamped


def _drive(model, population, given, once=False):
    sums = [0] * population.neurons
    for p in model.projections:
        if p.target == population.name and not (once and p.delay):
            for value, row in zip(given[p.source], p.weights.tolist(), strict=True):
                sums = [s + (value * w << p.shift) for s, w in zip(sums, row, strict=True)]
    return sums


def _leaky(model, layer, m, z, c):
    bits, after = model.widths.decay, []
    for value, spike, drive, b, threshold in zip(
            m, z, c, layer.membrane_decay.tolist(), layer.threshold.tolist(), strict=True):
        kept = 0 if spike and layer.reset == "zero_keep" else value
        new = ((kept * b + (1 << bits - 1)) >> bits) + drive
        after.append(new - threshold if spike and layer.reset == "subtract_next" else new)
    return after, [int(a > t) for a, t in zip(after, layer.threshold.tolist(), strict=True)]
