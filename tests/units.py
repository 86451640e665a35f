# SPDX-License-Identifier: Apache-2.0
"""Random integer models with graded populations."""

import itertools
from dataclasses import replace

import numpy as np

from spikewright.model.graded import GradedPopulation, largest_sum
from spikewright.model.integers import IntegerPopulation, IntegerProjection, Widths
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT
from spikewright.quantize.graded.inner import quantize_inner
from tests.graded import graded_network, random_counts, recording_of

__all__ = ["graded_model", "inner_model", "mixed_model", "near_the_end", "units_of"]


def units_of(name, size, *, output=False, bits=4, bias=None, factor=None, shift=None):
    """A graded population of outputs, or of rectified units."""
    zeros = np.zeros(size, np.int64)
    return GradedPopulation(
        name=name, kind="sum" if output else "rectify", size=size,
        bias=zeros if bias is None else bias, bits=0 if output else bits,
        factor=zeros if output or factor is None else factor,
        shift=zeros if output else zeros + 1 if shift is None else shift)


def graded_model(seed, *, rows=None, most=9, longest=12):
    """A random model: windows over the input, one to three layers of units, and one of outputs.

    Each window has one part from delay 0 on, or several parts with or without steps in which they
    fill. Values have few bits, so that some saturate.
    """
    rng = np.random.default_rng(seed)
    rows = rows or int(rng.integers(1, 7))
    sizes = rng.integers(1, most + 1, rng.integers(1, 4)).tolist()
    names = [f"p{k}" for k in range(len(sizes))] + ["out"]
    sizes.append(int(rng.integers(1, 4)))
    parts, starts = _windows(rng, longest)
    bits = int(rng.integers(3, 9))

    def weights(sources, targets):
        half = 1 << bits - 1
        return rng.integers(-half, half, (sources, targets)) * (rng.random((sources, targets))
                                                                < 0.7)

    projections = [IntegerProjection(source=INPUT, target=names[0], delay=delay, until=until,
                                     bits=bits, weights=weights(rows, sizes[0]))
                   for delay, until in parts]
    projections += [IntegerProjection(source=source, target=target, delay=0, bits=bits,
                                      weights=weights(before, size))
                    for (source, before), (target, size) in itertools.pairwise(
                        zip(names, sizes, strict=True))]
    populations = tuple(
        units_of(name, size, output=name == "out", bits=int(rng.integers(2, 8)),
                 bias=rng.integers(-40, 60, size), factor=rng.integers(0, 1 << 15, size),
                 shift=rng.choice([9, 14, 16, 20], size))
        for name, size in zip(names, sizes, strict=True))
    row = np.array(rng.permutation(rows).tolist() + [-1] * int(rng.integers(0, 3)))
    return _narrow(dict(
        name=f"units {seed}", dt=4e-3, channels=len(row), channel_row=row, lead_steps=0,
        populations=populations, projections=tuple(projections), readout=np.eye(sizes[-1]),
        **starts), bits)


def mixed_model(seed):
    """A random model with windows, graded units, and neurons that take their values."""
    rng = np.random.default_rng(seed)
    base = graded_model(seed, rows=4, most=5, longest=6)
    units, bits = [p for p in base.populations if not p.output], base.widths.weight
    widths = replace(base.widths, current=max(16, base.widths.current), membrane=24)
    neurons = int(rng.integers(3, 6))

    def population(name, size, threshold, reset="zero_lose"):
        return IntegerPopulation(
            name=name, spiking=name == "lif", size=size, kept=np.arange(size), reset=reset,
            synaptic_decay=rng.integers(0, 3000, size), threshold=threshold,
            membrane_decay=rng.integers(1000, 4000, size))

    def projection(source, target, delay, sources, targets):
        weights = rng.integers(-(1 << bits - 1), 1 << bits - 1, (sources, targets))
        return IntegerProjection(source=source, target=target, delay=delay, bits=bits,
                                 weights=weights)

    reset = ("zero_lose", "subtract_next", "zero_keep")[seed % 3]
    return replace(
        base, name=f"mixed {seed}", widths=widths, silent_steps=0, offset=None,
        readout=np.eye(2), populations=(
            *units, population("lif", neurons, rng.integers(0, 15, neurons), reset),
            population("readout", 2, np.full(2, widths.largest_membrane))),
        projections=(*(p for p in base.projections if p.target != "out"),
                     *(projection(p.name, "lif", 0, p.size, neurons) for p in units),
                     projection("lif", "lif", 1, neurons, neurons),
                     projection("lif", "readout", 0, neurons, 2)))


def inner_model(seed, channels=3, hidden=(4, 3), *, bits=8, fraction=4):
    """The integers of a random SNN_Flat."""
    network = graded_network("SNN_Flat", seed, channels=channels, hidden=hidden)
    return quantize_inner(network, recording_of(random_counts(seed, 200, channels, 0.06)),
                          name="made", weight_bits=bits, fraction=fraction)


def near_the_end(model):
    """The model with a bias of the first part so large that some currents are clamped."""
    part, *rest = model.populations
    bias = part.bias.copy()
    bias[0] = model.widths.largest_current - 5
    return replace(model, populations=(replace(part, bias=bias), *rest))


def _windows(rng, longest):
    """Delays and ends of the parts of a window, and what it does at the start."""
    if rng.random() < 0.4:
        until = int(rng.integers(1, longest + 1))
        return [(0, until)], {"silent_steps": int(rng.integers(0, until))}
    edges = sorted(rng.choice(np.arange(1, longest + 1), int(rng.integers(2, 5)),
                              replace=False).tolist())
    parts = list(itertools.pairwise(edges))[::int(rng.choice([1, -1]))]
    return parts, {"fill_steps": int(rng.choice([0, rng.integers(1, edges[-1] + 3)]))}


def _narrow(facts, bits):
    """The model with the fewest bits of a sum."""
    model = IntegerModel(widths=Widths(weight=bits, current=32, membrane=32, fraction=0), **facts)
    peak = max(largest_sum(model, population) for population in model.populations)
    width = max(peak.bit_length() + 1, 8)
    return IntegerModel(widths=Widths(weight=bits, current=width, membrane=width, fraction=0),
                        **facts)
