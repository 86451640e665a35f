# SPDX-License-Identifier: Apache-2.0
"""Helpers of the core's unit tests: a memory in plain Python, and the numbers of a model."""

import numpy as np

from golden.run import constants_of

__all__ = ["PlainCurrents", "currents_of", "golden_of", "lane_values"]


class PlainCurrents:
    """Currents of a block under test, in place of :class:`CurrentMemory`.

    Each lane is a memory of its own. What is read while it is written reads as anything, as in a
    block RAM.

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

    async def serve(self, ctx):
        """Answer the block's ports in every cycle; a background testbench."""
        dut = self.dut
        ports = (dut.read_word, dut.write_word, dut.write_lanes, dut.write)
        async for _, _, read, word, lanes, values in ctx.tick().sample(*ports):
            old = list(self.words[read % len(self.words)])
            for k in range(len(old)):
                if read == word and lanes >> k & 1:
                    old[k] = int(self.rng.integers(-100, 100))
            ctx.set(dut.read, old)
            if lanes:
                self.writes.append((self.cycle, word))
                self.words[word] = [values[k] if lanes >> k & 1 else value
                                    for k, value in enumerate(self.words[word])]
            self.cycle += 1


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
