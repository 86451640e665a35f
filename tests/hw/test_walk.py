# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Counters of the shared neuron pipelines, cycle by cycle."""

import pytest

from spikewright.hw.engines.walk import LaneWalk, NeuronWalk
from tests.hw.bench import simulate


@pytest.mark.parametrize("lanes, words, word, places", [
    (3, 4, 1, [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)]),
    (2, 3, 0, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]),
    (1, 6, 2, [(2, 0), (3, 0), (4, 0), (5, 0)]),
    (4, 1, 0, [(0, 0), (0, 1), (0, 2), (0, 3)]),
])
def test_lane_walk(lanes, words, word, places):
    """Every lane of a word, then the next word; without ``step`` it stays; ``start`` goes first."""
    dut = LaneWalk(lanes, words)

    async def bench(ctx):
        for _ in range(2):
            ctx.set(dut.start, 1)
            ctx.set(dut.word, word)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.word, 0)
            for place in places:
                for step in (0, 1):
                    assert (ctx.get(dut.at_word), ctx.get(dut.at_lane)) == place
                    ctx.set(dut.step, step)
                    await ctx.tick()
            # The next start comes with a step.
            assert ctx.get(dut.step)

    simulate(dut, bench, max_cycles=2 * (1 + 2 * len(places)))


@pytest.mark.parametrize("neurons, first, count", [(6, 2, 3), (6, 0, 6), (6, 5, 1), (1, 0, 1),
                                                   (6, 3, 0)])
def test_neuron_walk(neurons, first, count):
    """Two halves of each neuron from the cycle after ``start``; stage a counts the first ones."""
    dut, seen = NeuronWalk(neurons), []
    ports = (dut.en, dut.half, dut.neuron, dut.a.valid, dut.a.last)

    async def bench(ctx):
        for _ in range(2):
            ctx.set(dut.start, 1)
            ctx.set(dut.first, first)
            ctx.set(dut.count, count)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.first, 0)
            ctx.set(dut.count, 0)
            while ctx.get(dut.en):
                seen.append(tuple(ctx.get(port) for port in ports))
                await ctx.tick()
            assert not ctx.get(dut.half) and not ctx.get(dut.a.valid)

    simulate(dut, bench, max_cycles=2 * (1 + 2 * count))
    last = first + count - 1
    assert seen == 2 * [(1, half, neuron, 1 - half, int(neuron == last))
                        for neuron in range(first, first + count) for half in (0, 1)]
