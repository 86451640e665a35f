# SPDX-License-Identifier: Apache-2.0
"""Helpers of the core's unit tests: a memory in plain Python, and the numbers of a layout."""

import numpy as np
from amaranth import Value

__all__ = ["PlainCurrents", "currents_of", "lane_values"]


class PlainCurrents:
    """Currents of a block under test, in place of :class:`CurrentMemory`.

    Each lane is a memory of its own. What is read while it is written reads as anything, as in a
    block RAM, or where rows stream, as what is written. It stays in a cycle without ``reads``.

    ``words`` holds a list of currents per word, ``writes`` notes (cycle, word) of every write, and
    ``cycle`` counts the cycles: for a bench that runs before ``serve``, from 0.
    """

    def __init__(self, dut, streams=False, seed=0):
        self.currents = dut.currents
        self.lanes = dut.params.lanes
        self.streams = streams
        self.words = [[0] * self.lanes for _ in range(dut.params.words)]
        self.writes = []
        self.cycle = 0
        self.rng = np.random.default_rng(seed)

    async def serve(self, ctx):
        """Answer the block's ports in every cycle; a background testbench."""
        port = self.currents
        ports = (port.reads, Value.cast(port.read_words), Value.cast(port.write_words),
                 port.write_lanes, port.write)
        bits = len(Value.cast(port.read_words)) // self.lanes
        async for _, _, reads, read, written, lanes, values in ctx.tick().sample(*ports):
            words = [written >> k * bits & (1 << bits) - 1 for k in range(self.lanes)]
            old = []
            for k in range(self.lanes):
                word = read >> k * bits & (1 << bits) - 1
                clash = word == words[k] and lanes >> k & 1
                old.append(values[k] if clash and self.streams
                           else int(self.rng.integers(-100, 100)) if clash
                           else self.words[word % len(self.words)][k])
            if reads:
                ctx.set(port.read, old)
            if lanes:
                first = min(k for k in range(self.lanes) if lanes >> k & 1)
                self.writes.append((self.cycle, words[first]))
            for k in range(self.lanes):
                if lanes >> k & 1:
                    self.words[words[k]][k] = values[k]
            self.cycle += 1


def lane_values(layout, values):
    """Per-neuron ``values`` of all populations, laid out as state words."""
    words = []
    for span in layout.spans.values():
        part = [int(value) for value in values[span.first:span.stop]]
        part += [0] * (-len(part) % layout.lanes)
        words += [part[k:k + layout.lanes] for k in range(0, len(part), layout.lanes)]
    return words


def currents_of(layout, words):
    """Inverse of `lane_values`: the currents of all neurons, ndarray of int64."""
    values = []
    for span in layout.spans.values():
        flat = [value for word in words[span.word:span.word + span.words] for value in word]
        values += flat[:span.neurons]
    return np.array(values, np.int64)
