# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Neuron table: its image, and what is stored in it."""

import pytest

from spikewright.hw.memories.neuron_table import NeuronTable
from tests.hw.bench import simulate

# Threshold, B and A of three neurons.
NEURONS = [(5, 17, 3), (63, 31, 0), (0, 1, 30)]


async def read(ctx, dut, neuron, half):
    """Value and factor of a word, which stay until the next one is read."""
    ctx.set(dut.en, 1)
    ctx.set(dut.neuron, neuron)
    ctx.set(dut.half, half)
    await ctx.tick()
    ctx.set(dut.en, 0)
    ctx.set(dut.half, 1 - half)
    found = ctx.get(dut.value), ctx.get(dut.factor)
    await ctx.tick()
    assert (ctx.get(dut.value), ctx.get(dut.factor)) == found
    return found


@pytest.mark.parametrize("membrane, decay", [(7, 5), (8, 6), (10, 5), (16, 8)])
def test_neuron_table(membrane, decay):
    """Each m is 0 at first; a store changes m of one neuron, and no threshold and no decay."""
    image = [word for threshold, b, a in NEURONS for word in (b, threshold << decay | a)]
    dut = NeuronTable(image, membrane=membrane, factor=decay)

    async def bench(ctx):
        m = [0, 0, 0]
        for neuron, value in ((0, -64), (2, 63), (0, 21), (1, -1)):
            for k, (threshold, b, a) in enumerate(NEURONS):
                assert await read(ctx, dut, k, 0) == (m[k], b)
                assert await read(ctx, dut, k, 1) == (threshold, a)
            ctx.set(dut.store_neuron, neuron)
            ctx.set(dut.stored, value)
            await ctx.tick()                    # without `store` nothing is written
            assert await read(ctx, dut, neuron, 0) == (m[neuron], NEURONS[neuron][1])
            ctx.set(dut.store, 1)
            await ctx.tick()
            ctx.set(dut.store, 0)
            m[neuron] = value
        for k, (threshold, b, a) in enumerate(NEURONS):
            assert await read(ctx, dut, k, 0) == (m[k], b)
            assert await read(ctx, dut, k, 1) == (threshold, a)
        assert m == [21, -1, 63]

    simulate(dut, bench, max_cycles=76)


def test_neuron_table_reads_one_neuron_while_it_stores_another():
    """As the pipeline does in every second cycle."""
    dut = NeuronTable([9, 4 << 4 | 2] * 2, membrane=6, factor=4)

    async def bench(ctx):
        ctx.set(dut.store, 1)
        ctx.set(dut.stored, -32)
        assert await read(ctx, dut, 1, 0) == (0, 9)
        ctx.set(dut.store, 0)
        assert await read(ctx, dut, 0, 0) == (-32, 9)
        assert await read(ctx, dut, 0, 1) == (4, 2)

    simulate(dut, bench, max_cycles=6)
