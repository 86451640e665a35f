# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Row look-up on tables made by hand: every word, in its cycle."""

import numpy as np
import pytest
from amaranth import Value

from spikewright.hw.engines.lookup import RowLookup, RowParams, WeightMemory
from spikewright.hw.layouts import TableFormat
from spikewright.plan.formats import TableImages
from tests.hw.bench import simulate, stream_put

# Two rows for 3 neurons in two lanes, whose state words are 1 and 2.
HAND = np.array([[1, -2, 3], [0, 7, -8]])


def watch_words(dut, seen):
    """Note (cycle, lanes, state words, weights, shift) of every word, from cycle 0 on."""
    lanes, weight = dut.params.lanes, dut.params.weight

    async def watch(ctx):
        port, cycle = dut.o, 0
        ports = (port.valid, port.lanes, Value.cast(port.words), Value.cast(port.weights),
                 port.shift)
        async for _, _, valid, enabled, words, weights, shift in ctx.tick().sample(*ports):
            if valid:
                bits = len(Value.cast(port.words)) // lanes
                found = [words >> k * bits & (1 << bits) - 1 for k in range(lanes)]
                values = [(weights >> k * weight) + (1 << weight - 1) & (1 << weight) - 1
                          for k in range(lanes)]
                seen.append((cycle, enabled, found, [v - (1 << weight - 1) for v in values], shift))
            else:
                assert not enabled
            cycle += 1
    return watch


@pytest.mark.parametrize("name, first, lanes", [
    ("dense", 2, (3, 3)), ("bitmap", 3, (3, 3)), ("rows", 2, (2, 1))])
def test_lookup_without_a_model(name, first, lanes):
    """The second row in each format; all rows have two words. A zero that fills up is not added."""
    images = TableImages(lanes=2, weight_bits=4, word_bits=2)
    images.add(HAND, name, 1)
    params = RowParams(lanes=2, words=3, row_words=2, row_shift=1,
                       memories=(WeightMemory(format=name, images=images, shift=0),))
    assert (params.formats, params.widths, params.weight) == ({name}, [4], 4)
    dut, seen = RowLookup(params), []

    async def feed(ctx):
        await stream_put(ctx, dut.i, {
            "format": TableFormat[name.upper()], "address": 2, "row": 1, "target": 1,
            "words": 2, "shift": 1})
        await ctx.tick().repeat(8)

    simulate(dut, feed, background=(watch_words(dut, seen),), max_cycles=10)
    assert [word[0] for word in seen] == [first, first + 1]
    assert all(word[4] == 1 for word in seen)
    added = sorted((words[k], k, weights[k]) for _, enabled, words, weights, _ in seen
                   for k in range(2) if enabled >> k & 1 and weights[k])
    assert added == [(1, 1, 7), (2, 0, -8)]
    if name != "rows":
        assert [word[1] for word in seen] == list(lanes)


def test_lookup_of_two_widths():
    """Two memories, the narrow one shifted by 2."""
    wide, narrow = (TableImages(lanes=1, weight_bits=bits, word_bits=1) for bits in (4, 2))
    wide.add(np.array([[3]]), "dense", 0)
    narrow.add(np.array([[-1]]), "dense", 1)
    params = RowParams(lanes=1, words=2, row_words=1, row_shift=0,
                       memories=(WeightMemory(format="dense", images=wide, shift=0),
                                 WeightMemory(format="dense", images=narrow, shift=2)))
    assert (params.widths, params.weight) == ([4, 2], 4)
    dut, seen = RowLookup(params), []

    async def feed(ctx):
        for width in (0, 1):
            await stream_put(ctx, dut.i, {"target": width, "words": 1, "width": width})
        await ctx.tick().repeat(5)

    simulate(dut, feed, background=(watch_words(dut, seen),), max_cycles=12)
    assert [word[1:] for word in seen] == [(1, [0], [3], 0), (1, [1], [-4], 0)]


@pytest.mark.parametrize("streams, period", [(False, 3), (True, 1)])
def test_lookup_occupies_its_period(streams, period):
    """Rows of one word follow without a gap; ``active`` lasts as long as they occupy the block."""
    images = TableImages(lanes=1, weight_bits=4, word_bits=1)
    images.add(np.array([[1], [2], [3]]), "dense", 0)
    params = RowParams(lanes=1, words=1, row_words=1, row_shift=0, streams=streams,
                       memories=(WeightMemory(format="dense", images=images, shift=0),))
    dut, seen, active = RowLookup(params), [], []

    async def feed(ctx):
        for row in range(3):
            await stream_put(ctx, dut.i, {"address": row, "words": 1})
        await ctx.tick().repeat(6)

    async def watch(ctx):
        async for _, _, value in ctx.tick().sample(dut.active):
            active.append(value)

    simulate(dut, feed, background=(watch, watch_words(dut, seen)), max_cycles=20)
    assert [(word[0], word[3]) for word in seen] == [
        (2 + period * k, [k + 1]) for k in range(3)]
    assert active[0] == 0 and active[1:1 + 3 * period] == [1] * 3 * period
    assert not any(active[1 + 3 * period:])
