# SPDX-License-Identifier: Apache-2.0
"""Helpers of the core's unit tests: a memory in plain Python, and the numbers of a model."""

import numpy as np
from amaranth import Value
from spikewright.golden.run import constants_of
from spikewright.hw.layouts import words_layout

__all__ = ["PlainCurrents", "currents_of", "golden_of", "lane_values"]


class PlainCurrents:
    """Currents of a block under test, in place of :class:`CurrentMemory`.

    Each lane is a memory of its own. What is read while it is written reads as anything, as in a
    block RAM, or where rows stream, as what is written. It stays in a cycle without ``reads``.

    ``words`` holds a list of currents per word, ``writes`` notes (cycle, word) of every write, and
    ``cycle`` counts the cycles: for a bench that runs before ``serve``, from 0.
    """

    def __init__(self, dut, seed=0):
        params = dut.params
        self.dut = dut
        self.words = [[0] * params.lanes for _ in range(params.state_words)]
        self.writes = []
        self.cycle = 0
        self.rng = np.random.default_rng(seed)
        self.bits = words_layout(params).size // params.lanes

    async def serve(self, ctx):
        """Answer the block's ports in every cycle; a background testbench."""
        dut = self.dut
        count = dut.params.lanes
        ports = (dut.reads, _each(dut, "read_word", count), _each(dut, "write_word", count),
                 dut.write_lanes, dut.write)
        async for _, _, reads, read, written, lanes, values in ctx.tick().sample(*ports):
            words = [written >> k * self.bits & (1 << self.bits) - 1 for k in range(count)]
            old = []
            for k in range(count):
                word = read >> k * self.bits & (1 << self.bits) - 1
                clash = word == words[k] and lanes >> k & 1
                old.append(values[k] if clash and dut.params.streams
                           else int(self.rng.integers(-100, 100)) if clash
                           else self.words[word % len(self.words)][k])
            if reads:
                ctx.set(dut.read, old)
            if lanes:
                first = min(k for k in range(count) if lanes >> k & 1)
                self.writes.append((self.cycle, words[first]))
            for k in range(count):
                if lanes >> k & 1:
                    self.words[words[k]][k] = values[k]
            self.cycle += 1


def _each(dut, name, lanes):
    """Port of a word per lane, as one value; a port of one word for all lanes serves them all."""
    if hasattr(dut, f"{name}s"):
        return Value.cast(getattr(dut, f"{name}s"))
    return getattr(dut, name).replicate(lanes)


def golden_of(model):
    """Golden's flat tables of ``model``, and a state for a test to fill."""
    return constants_of(model)


def lane_values(model, lanes, values):
    """Per-neuron ``values`` of all populations, laid out as state words of ``lanes``."""
    words, first = [], 0
    for population in model.populations:
        part = [int(value) for value in values[first:first + population.neurons]]
        part += [0] * (-len(part) % lanes)
        words += [part[k:k + lanes] for k in range(0, len(part), lanes)]
        first += population.neurons
    return words


def currents_of(model, lanes, words):
    """Inverse of `lane_values`: the currents of all neurons, ndarray of int64."""
    values, base = [], 0
    for population in model.populations:
        count = -(-population.neurons // lanes)
        flat = [value for word in words[base:base + count] for value in word]
        values += flat[:population.neurons]
        base += count
    return np.array(values, np.int64)
