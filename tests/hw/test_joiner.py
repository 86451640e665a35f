# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Words that a host stores: from bytes to their places in the memories."""

import numpy as np
import pytest

from spikewright.hw.memories.joiner import Joiner
from spikewright.hw.memories.neuron_table import NeuronTable
from spikewright.hw.memories.weights import BankedRom
from spikewright.plan.images import load_bytes
from spikewright.plan.loads import LoadMap
from tests.hw.bench import simulate


def images(sizes, bits, seed):
    rng = np.random.default_rng(seed)
    return {name: (rng.integers(1 << bits, size=size).tolist(), bits)
            for name, size in sizes.items()}


def test_regions_begin_at_multiples_of_their_sizes():
    loads = LoadMap.of(images({"small": 1, "odd": 5, "large": 600, "even": 64}, 9, 1))
    assert [(region.name, region.first, region.room) for region in loads.regions] == [
        ("large", 0, 10), ("even", 640, 6), ("odd", 704, 3), ("small", 709, 0)]
    assert (loads.words, loads.word_bytes) == (710, 2)
    image = loads.image
    assert image[:600] == loads.region("large").image and not any(image[600:640])
    assert image[709:] == loads.region("small").image


@pytest.mark.parametrize("size", [1, 2, 3])
def test_joiner_gives_words(size):
    loads = LoadMap.of({"a": ([0] * 5, 8 * size)})
    words = images({"a": 5}, 8 * size, 2)["a"][0]
    dut   = Joiner(loads)
    found = []

    async def bench(ctx):
        for k, byte in enumerate(load_bytes(words, size)):
            ctx.set(dut.load, {"word": k // size, "byte": k % size, "data": byte})
            for write in ([0] * (k % 3)) + [1]:         # nothing counts without `write`
                ctx.set(dut.write, write)
                await ctx.delay(1e-8)
                stored = ctx.get(dut.stored)
                if stored.valid:
                    found.append((stored.word, stored.data))
                await ctx.tick()
            ctx.set(dut.write, 0)

    simulate(dut, bench, max_cycles=100)
    assert found == list(enumerate(words))


def test_table_in_banks_takes_the_words_of_its_region():
    """Two banks, behind another table: no word of that one, and none of a gap, is stored."""
    old, new = (images({"first": 700, "mine": 600, "last": 3}, 12, seed) for seed in (3, 4))
    loads = LoadMap.of(new)
    dut   = BankedRom(old["mine"][0], 12, loads, "mine")
    first = loads.region("mine").first
    assert first == 1024

    async def bench(ctx):
        for image in (old, new):
            for address, word in enumerate(image["mine"][0]):
                ctx.set(dut.en, 1)
                ctx.set(dut.address, address)
                await ctx.tick()
                assert ctx.get(dut.data) == word, address
            ctx.set(dut.en, 0)
            everything = loads.image
            everything[first + 600:loads.region("last").first] = \
                [0xfff] * (loads.region("last").first - first - 600)
            # In any order: each word goes to its place, and to no other.
            for number in np.random.default_rng(7).permutation(len(everything)).tolist():
                ctx.set(dut.stored, {"valid": 1, "word": number, "data": everything[number]})
                await ctx.tick()
            # Without `valid` nothing is stored.
            ctx.set(dut.stored, {"valid": 0, "word": first, "data": 0})
            await ctx.tick()

    simulate(dut, bench, max_cycles=2 * (600 + 2000) + 10)


def test_neuron_table_takes_whole_words():
    """Words of m and B, then of the threshold and A; m may be stored again afterwards."""
    old, new = (images({"weights": 40, "neurons": 10}, 20, seed) for seed in (5, 6))
    loads = LoadMap.of(new)
    dut   = NeuronTable(old["neurons"][0], membrane=12, factor=8, loads=loads)

    async def check(ctx, words):
        for address, word in enumerate(words):
            ctx.set(dut.en, 1)
            ctx.set(dut.half, address % 2)
            ctx.set(dut.neuron, address // 2)
            await ctx.tick()
            assert (ctx.get(dut.value) % (1 << 12), ctx.get(dut.factor)) == divmod(word, 1 << 8)
        ctx.set(dut.en, 0)

    async def bench(ctx):
        await check(ctx, old["neurons"][0])
        for number, word in enumerate(loads.image):
            ctx.set(dut.load, {"valid": 1, "word": number, "data": word})
            await ctx.tick()
        ctx.set(dut.load, {"valid": 0, "word": loads.region("neurons").first, "data": 0})
        await ctx.tick()
        await check(ctx, new["neurons"][0])
        ctx.set(dut.store, 1)
        ctx.set(dut.stored, -5)
        ctx.set(dut.store_neuron, 3)
        await ctx.tick()
        ctx.set(dut.store, 0)
        words = list(new["neurons"][0])
        words[6] = (-5 % (1 << 12)) << 8 | words[6] % (1 << 8)
        await check(ctx, words)

    simulate(dut, bench, max_cycles=200)
