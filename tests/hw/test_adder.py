# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Row adder on words made by hand: ``s + (w << fraction << shift)``, clamped, 2 cycles later."""

import numpy as np
import pytest

from spikewright.hw.engines.adder import AdderParams, RowAdder
from tests.hw.bench import simulate
from tests.hw.core_bench import PlainCurrents

PARAMS = AdderParams(lanes=2, words=8, current=8, fraction=1, weight=4, row_shift=1, shifted=5)


def put(ctx, dut, words, weights, shift=0, lanes=3):
    for name, value in (("valid", 1), ("lanes", lanes), ("words", words), ("weights", weights),
                        ("shift", shift)):
        ctx.set(getattr(dut.i, name), value)


def rest(ctx, dut):
    ctx.set(dut.i.valid, 0)
    ctx.set(dut.i.lanes, 0)


def watcher(dut, flags):
    """A bench that adds ``saturated`` of each cycle to ``flags``."""
    async def watch(ctx):
        async for _, _, saturated in ctx.tick().sample(dut.saturated):
            flags.append(saturated)
    return watch


def test_adder_adds_words():
    """Random words, one in every cycle, with a state word of its own in each lane."""
    dut = RowAdder(PARAMS)
    memory = PlainCurrents(dut)
    rng = np.random.default_rng(3)
    want = rng.integers(-100, 100, (8, 2))
    memory.words = want.tolist()
    flags = []

    async def feed(ctx):
        for k in range(90):
            # Words of three cycles in a row are never alike.
            words = [(k * 3 + lane) % 8 for lane in range(2)]
            weights, shift = rng.integers(-8, 8, 2).tolist(), int(rng.integers(0, 2))
            lanes = int(rng.integers(0, 4))
            put(ctx, dut, words, weights, shift, lanes)
            for lane in range(2):
                if lanes >> lane & 1:
                    s = want[words[lane], lane] + (weights[lane] << 1 << shift)
                    want[words[lane], lane] = np.clip(s, -128, 127)
            await ctx.tick()
        rest(ctx, dut)
        await ctx.tick().repeat(4)

    simulate(dut, feed, background=(memory.serve, watcher(dut, flags)), max_cycles=96)
    assert memory.words == want.tolist()
    assert any(flags)


def test_adder_writes_two_cycles_later_and_tells_once():
    dut = RowAdder(PARAMS)
    memory = PlainCurrents(dut)
    memory.words[5] = [120, -120]
    flags = []

    async def feed(ctx):
        put(ctx, dut, [5, 5], [7, -8], 1)
        await ctx.tick()
        rest(ctx, dut)
        await ctx.tick().repeat(5)

    simulate(dut, feed, background=(memory.serve, watcher(dut, flags)), max_cycles=8)
    assert memory.words[5] == [127, -128]
    assert memory.writes == [(2, 5)]
    assert flags[:6] == [0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_adder_streams_words_for_one_state_word(gap):
    """A sum that is not yet written is used by the word after it."""
    dut = RowAdder(AdderParams(lanes=2, words=8, current=8, fraction=1, weight=4, row_shift=1,
                               shifted=5, streams=True))
    memory = PlainCurrents(dut, streams=True)

    async def feed(ctx):
        for _ in range(6):
            put(ctx, dut, [3, 3], [1, -2])
            await ctx.tick()
            rest(ctx, dut)
            for _ in range(gap):
                await ctx.tick()
        await ctx.tick().repeat(4)

    simulate(dut, feed, background=(memory.serve,), max_cycles=30)
    assert memory.words[3] == [12, -24]
