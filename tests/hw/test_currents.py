# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.hw.memories.currents import CurrentMemory, CurrentParams
from tests.hw.bench import simulate


@pytest.mark.parametrize("name", ["rows", "neurons"])
@pytest.mark.parametrize("lanes, words", [(1, 10), (3, 4), (8, 3), (16, 3), (17, 3)])
def test_current_memory(lanes, words, name):
    """A read and a write per cycle; each lane is written by itself; all zero at first.

    What is read stays until the next cycle with ``reads``. Where rows stream, all lanes have the
    same word, and one that is read while it is written is the new one.
    """
    params = CurrentParams(lanes=lanes, words=words, width=9, streams=lanes > 16)
    dut, rng = CurrentMemory(params), np.random.default_rng(1)
    port, half = getattr(dut, name), 1 << 8
    values_of = [[0] * lanes for _ in range(words)]

    async def bench(ctx):
        ctx.set(port.reads, 1)
        for word in range(words):
            ctx.set(port.read_words, [word] * lanes)
            await ctx.tick()
            assert list(ctx.get(port.read)) == values_of[word]
        for _ in range(300):
            read, word = rng.integers(0, words, (2, lanes)).tolist()
            if params.streams:
                read, word = [read[0]] * lanes, [word[0]] * lanes
            values = rng.integers(-half, half, lanes).tolist()
            enable = int(rng.integers(0, 1 << lanes))
            reads = int(rng.integers(0, 2))
            before = list(ctx.get(port.read))
            ctx.set(port.reads, reads)
            ctx.set(port.read_words, read)
            ctx.set(port.write_words, word)
            ctx.set(port.write, values)
            ctx.set(port.write_lanes, enable)
            await ctx.tick()
            found = list(ctx.get(port.read))
            for k in range(lanes):
                written = enable >> k & 1
                # A word that is read while it is written reads as anything in a block RAM.
                if not reads:
                    assert found[k] == before[k]
                elif params.streams and read[k] == word[k] and written:
                    assert found[k] == values[k]
                elif read[k] != word[k] or not written:
                    assert found[k] == values_of[read[k]][k]
                if written:
                    values_of[word[k]][k] = values[k]

    simulate(dut, bench, max_cycles=words + 301)


def test_neurons_go_first():
    """Both ask in the same cycle: the neurons are served, and both see what they read."""
    dut = CurrentMemory(CurrentParams(lanes=2, words=3, width=6))

    async def bench(ctx):
        for port, word, values in ((dut.rows, 0, [1, -2]), (dut.neurons, 2, [-31, 31])):
            ctx.set(port.write_words, [word, word])
            ctx.set(port.write, values)
            ctx.set(port.write_lanes, 0b11)
        await ctx.tick()
        # The row adder is alone now.
        ctx.set(dut.neurons.write_lanes, 0)
        ctx.set(dut.rows.write_lanes, 0b10)
        await ctx.tick()
        ctx.set(dut.rows.write_lanes, 0)
        ctx.set(dut.rows.reads, 1)
        for word, found in ((0, [0, -2]), (1, [0, 0]), (2, [-31, 31])):
            ctx.set(dut.rows.read_words, [word, word])
            await ctx.tick()
            assert list(ctx.get(dut.rows.read)) == list(ctx.get(dut.neurons.read)) == found
        ctx.set(dut.rows.read_words, [0, 2])
        await ctx.tick()
        assert list(ctx.get(dut.rows.read)) == [0, 31]
        ctx.set(dut.neurons.reads, 1)
        ctx.set(dut.neurons.read_words, [2, 0])
        await ctx.tick()
        assert list(ctx.get(dut.rows.read)) == [-31, -2]

    simulate(dut, bench, max_cycles=9)
