# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Weights in large memory, which a host fills."""

import numpy as np
import pytest
from amaranth import *
from amaranth.back import rtlil
from amaranth.lib import memory

from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.memories.large_weights import LargeWeightTable
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import without_contents
from spikewright.plan.images import load_bytes
from tests.designs import equal_answer, plan_of
from tests.hw.bench import simulate, stream_get, stream_put
from tests.hw.test_core import equals, tokens_of
from tests.networks import deep_model, random_recording


@pytest.mark.parametrize("words, width, lanes", [
    (1, 8, 1), (2, 2, 3), (130, 8, 4), (257, 5, 2), (64, 8, 8), (33, 1, 64),
])
def test_large_weight_table(words, width, lanes):
    """A word per cycle, one cycle after its address; else, as while bytes come, none changes."""
    rng = np.random.default_rng(1)
    weights = rng.integers(-(1 << width - 1), 1 << width - 1, (words, lanes)).tolist()
    image = [sum((weight & (1 << width) - 1) << width * lane for lane, weight in enumerate(row))
             for row in weights]
    size = -(-width * lanes // 8)
    content = load_bytes(image, size)
    dut = LargeWeightTable(words, width=width, lanes=lanes)
    addresses = [0, words - 1, *rng.integers(0, words, 100).tolist()]

    async def bench(ctx):
        ctx.set(dut.write, 1)
        for k in rng.permutation(len(content)).tolist():
            ctx.set(dut.load, {"word": k // size, "byte": k % size, "data": content[k]})
            ctx.set(dut.address, rng.integers(words).item())
            await ctx.tick()
        ctx.set(dut.write, 0)
        for address in addresses:
            ctx.set(dut.en, 1)
            ctx.set(dut.address, address)
            await ctx.tick()
            ctx.set(dut.en, address % 2)
            ctx.set(dut.address, (address + 1) % words)
            assert list(ctx.get(dut.data)) == weights[address], address
            ctx.set(dut.write, 1)
            ctx.set(dut.load, {"word": address, "byte": 0, "data": content[address * size]})
            await ctx.tick()
            ctx.set(dut.write, 0)
            assert list(ctx.get(dut.data)) == weights[address], address
            ctx.set(dut.en, 0)
            await ctx.tick()
            assert list(ctx.get(dut.data)) == weights[address], address

    simulate(dut, bench, max_cycles=len(content) + 3 * len(addresses) + 1)


class _TwoTables(Elaboratable):
    """Two RAMs of one name, of which one is large."""

    def elaborate(self, platform):
        m = Module()
        for name, attributes in (("small", {}), ("large", {"ram_style": "huge"})):
            m.submodules[name] = inner = Module()
            inner.submodules.table = memory.Memory(shape=8, depth=4, init=[1, 2], attrs=attributes)
            inner.submodules.table.read_port()
        return m


def test_only_large_memories_lose_their_contents():
    text = without_contents(rtlil.convert(_TwoTables(), ports=()))
    assert text.count("cell $meminit_v2") == 1
    small = text[text.index("module \\top.small"):]
    assert "cell $meminit_v2" in small[:small.index("\nend\n")]


@pytest.mark.parametrize("lanes", [3, 8])
def test_core_with_large_memory_equals_golden(lanes):
    """Every value, cycle and latency; words of two and of five bytes."""
    recording = random_recording(4, 6, 200, reset=[0, 40, 41])
    answer = equal_answer(deep_model(1), recording, lanes, weight_memory="large")
    assert answer.spikes.sum() > 200


@pytest.mark.parametrize("stall", [0, 7])
def test_core_takes_bytes_in_between_only(stall):
    """The same table again and again, offered all the time: no value and no cycle changes."""
    model = deep_model(1)
    plan = plan_of(model, 3, weight_memory="large")
    recording = random_recording(1, 6, 12, rate=1.0, reset=[6])
    answer = run_golden(model, recording, plan.config)
    dut, content = Core(core_params(plan)), plan.loaded_bytes
    taken, whole = [0], len(content)

    async def load(ctx):
        place = 0
        ctx.set(dut.load.valid, 1)
        while True:
            ctx.set(dut.load.payload, {"word": place // plan.word_bytes,
                                       "byte": place % plan.word_bytes, "data": content[place]})
            *_, ready = await ctx.tick().sample(dut.load.ready)
            taken[0] += ready
            place = taken[0] % whole

    async def feed(ctx):
        while taken[0] < whole:
            await ctx.tick()
        for payload in tokens_of(plan, recording):
            await stream_put(ctx, dut.i, payload, stall=stall)

    async def check(ctx):
        for t in range(recording.steps):
            equals(await stream_get(ctx, dut.o, stall=3), answer, t)

    simulate(dut, feed, check, background=(load,), max_cycles=12_000)
    # None is taken while a token waits.
    assert taken[0] > whole + (3 * recording.steps if stall else 0)
