# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import pytest

from spikewright.hw.link.receiver import Receiver
from spikewright.plan.frames import CODED_MAX
from tests.hw.bench import simulate, stream_get, stream_put


class Bench:
    """Keeps what the receiver writes and drops."""

    def __init__(self):
        self.dut    = Receiver()
        self.memory = {}
        self.drops  = []

    async def watch(self, ctx):
        dut = self.dut
        async for _, _, write, address, data, corrupt, overrun in ctx.tick().sample(
                dut.store.write, dut.store.address, dut.store.data, dut.corrupt, dut.overrun):
            if write:
                assert address % 256 < CODED_MAX
                self.memory[address] = data
            self.drops += ["corrupt"] * corrupt + ["overrun"] * overrun

    async def feed(self, ctx, data, bad=(), stall=1):
        for k, byte in enumerate(data):
            await stream_put(ctx, self.dut.i, {"data": byte, "bad": k in bad,
                                               "zero": byte == 0 and k not in bad})
            await ctx.tick().repeat(1 + stall)

    async def take(self, ctx, data):
        """The waiting frame must hold ``data``."""
        frame = await stream_get(ctx, self.dut.o)
        assert frame.end == len(data) - 2
        assert bytes(self.memory[256 * frame.slot + k] for k in range(len(data))) == data
        return frame.slot

    def run(self, bench, max_cycles=4000):
        simulate(self.dut, bench, background=[self.watch], max_cycles=max_cycles)


@pytest.mark.parametrize("stall", [1, 3])
def test_receiver_uses_both_slots(stall):
    bench = Bench()

    async def run(ctx):
        slots = []
        for data in (b"abcd", b"efghijkl", bytes(range(1, CODED_MAX + 1)), b"mnop", b"mnopq"):
            await bench.feed(ctx, data + b"\0", stall=stall)
            slots.append(await bench.take(ctx, data))
        assert slots == [0, 1, 0, 1, 0]
        assert bench.drops == []

    bench.run(run, max_cycles=300 * (stall + 3))


@pytest.mark.parametrize("data, bad", [
    (b"a", ()), (b"ab", ()), (b"abc", ()),
    (b"abcdef", (0,)), (b"abcdef", (5,)), (b"abc\0def", (3,)), (b"abcd\0", (4,)),
    (b"x" * (CODED_MAX + 1), ()), (b"x" * 700, ()),
])
def test_receiver_drops_corrupt_frames(data, bad):
    bench = Bench()

    async def run(ctx):
        await bench.feed(ctx, data + b"\0", bad)
        assert not ctx.get(bench.dut.o.valid)
        await bench.feed(ctx, b"good\0")
        await bench.take(ctx, b"good")
        assert bench.drops == ["corrupt"]

    bench.run(run)


def test_receiver_ignores_empty_frames():
    bench = Bench()

    async def run(ctx):
        await bench.feed(ctx, b"\0\0\0good\0\0\0")
        await bench.take(ctx, b"good")
        await bench.feed(ctx, b"\0fine\0")
        await bench.take(ctx, b"fine")
        assert bench.drops == []

    bench.run(run)


def test_receiver_overrun():
    bench = Bench()

    async def run(ctx):
        await bench.feed(ctx, b"first\0")
        await bench.feed(ctx, b"\0second\0third\0", bad=(2,))
        await bench.take(ctx, b"first")
        assert bench.drops == ["overrun"] * 2
        await bench.feed(ctx, b"fourth\0")
        await bench.feed(ctx, b"fif")           # begins while one waits, ends when none does
        await bench.take(ctx, b"fourth")
        await bench.feed(ctx, b"th\0")
        assert not ctx.get(bench.dut.o.valid)
        assert bench.drops == ["overrun"] * 3
        await bench.feed(ctx, b"sixth\0")
        await bench.take(ctx, b"sixth")
        assert bench.drops == ["overrun"] * 3

    bench.run(run)
