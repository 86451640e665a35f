# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import pytest

from spikewright.hw.link.counters import Counters
from spikewright.hw.link.layouts import COUNTERS
from tests.hw.bench import simulate


class Bench:
    """A status page for the counters."""

    def __init__(self, stall=0, **values):
        self.dut   = Counters()
        self.stall = stall              # cycles for which a write waits
        self.page = [0x33] * 32         # what is no counter must not change
        for name, start in COUNTERS.items():
            size = 4 if name == "steps" else 2
            self.page[start:start + size] = values.get(name, 0).to_bytes(size, "little")

    def value(self, name):
        size = 4 if name == "steps" else 2
        return int.from_bytes(self.page[COUNTERS[name]:COUNTERS[name] + size], "little")

    async def store(self, ctx):
        page  = self.dut.page
        count = 0
        ctx.set(page.grant, not self.stall)
        async for _, _, claim, position, write, data in ctx.tick().sample(
                page.claim, page.position, page.write, page.data):
            count += 1
            ctx.set(page.grant, count % (self.stall + 1) == 0)
            ctx.set(page.value, self.page[position] if claim else 0xee)
            if write:
                assert claim
                self.page[position] = data

    async def count(self, ctx, name):
        """As the executor does: it decides one cycle before, and then keeps the receiver's off."""
        while ctx.get(self.dut.asked.busy):
            await ctx.tick()
        await ctx.tick()
        ctx.set(self.dut.freeze, 1)
        await ctx.tick()
        ctx.set(self.dut.freeze, 0)
        ctx.set(self.dut.asked.count, 1)
        ctx.set(self.dut.asked.number, COUNTERS[name])
        await ctx.tick()
        ctx.set(self.dut.asked.count, 0)
        ctx.set(self.dut.asked.number, 0)

    async def drop(self, ctx, *names):
        for name in names:
            ctx.set(getattr(self.dut, name), 1)
        await ctx.tick()
        for name in names:
            ctx.set(getattr(self.dut, name), 0)

    async def wait(self, ctx, cycles):
        for _ in range(cycles):
            await ctx.tick()

    async def settle(self, ctx):
        while ctx.get(self.dut.asked.busy):
            await ctx.tick()
        await ctx.tick()

    def run(self, bench, max_cycles=200):
        simulate(self.dut, bench, background=[self.store], max_cycles=max_cycles)


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize("value", [0, 0xfe, 0xff, 0x1ff, 0xfeff])
@pytest.mark.parametrize("stall", [0, 2])
def test_counters_carry(name, value, stall):
    bench = Bench(stall, **{name: value})

    async def run(ctx):
        await bench.count(ctx, name)
        await bench.settle(ctx)
        assert bench.value(name) == value + 1
        assert bench.page.count(0x33) == 18
        assert sum(bench.value(other) for other in COUNTERS) == value + 1

    bench.run(run, max_cycles=5 + (3 + 2 * (value & 0xff == 0xff)) * (stall + 1))


@pytest.mark.parametrize("name, value, after", [
    ("steps",   0xffff,      0x1_0000),
    ("steps",   0xff_ffff,   0x100_0000),
    ("steps",   0xffff_ffff, 0xff00_0000),
    ("corrupt", 0xffff,      0xff00),
    ("dropped", 0xff00,      0xff01),
])
def test_counters_stop_at_their_highest_byte(name, value, after):
    bench = Bench(**{name: value})

    async def run(ctx):
        await bench.count(ctx, name)
        await bench.settle(ctx)
        assert bench.value(name) == after
        assert bench.page.count(0x33) == 18

    bench.run(run, max_cycles=20)


def test_counters_count_everything_at_once():
    bench = Bench(steps=0xff)

    async def run(ctx):
        await bench.drop(ctx, "corrupt", "overrun")
        await bench.count(ctx, "steps")
        await bench.settle(ctx)
        for delay in range(8):          # each may come at any time of the other
            await bench.drop(ctx, "corrupt")
            await bench.wait(ctx, delay)
            await bench.drop(ctx, "overrun")
            await bench.settle(ctx)
        assert (bench.value("corrupt"), bench.value("overrun"), bench.value("steps")) == (9, 9, 256)

    bench.run(run, max_cycles=300)


@pytest.mark.parametrize("delay", range(6))
def test_counters_count_while_a_frame_is_dropped(delay):
    bench = Bench()

    async def run(ctx):
        await bench.drop(ctx, "corrupt")
        await bench.wait(ctx, delay)
        await bench.count(ctx, "foreign")
        await bench.settle(ctx)
        assert (bench.value("corrupt"), bench.value("foreign")) == (1, 1)

    bench.run(run)


@pytest.mark.parametrize("before", [0, 1])
def test_counters_count_first_what_the_executor_counts(before):
    bench = Bench()

    async def run(ctx):
        dut = bench.dut
        ctx.set(dut.freeze, 1)                  # the executor decides, and the receiver drops
        ctx.set(dut.corrupt, before)
        await ctx.tick()
        ctx.set(dut.freeze, 0)
        ctx.set(dut.corrupt, not before)
        ctx.set(dut.asked.count, 1)
        ctx.set(dut.asked.number, COUNTERS["repeated"])
        await ctx.tick()
        ctx.set(dut.corrupt, 0)
        ctx.set(dut.asked.count, 0)
        await bench.settle(ctx)
        assert (bench.value("repeated"), bench.value("corrupt")) == (1, 1)

    bench.run(run)


def test_counters_freeze():
    bench = Bench()

    async def run(ctx):
        ctx.set(bench.dut.freeze, 1)
        await bench.drop(ctx, "corrupt", "overrun")
        await ctx.tick().repeat(20)
        assert (bench.value("corrupt"), bench.value("overrun")) == (0, 0)
        assert ctx.get(bench.dut.asked.busy)
        ctx.set(bench.dut.freeze, 0)
        await bench.settle(ctx)
        assert (bench.value("corrupt"), bench.value("overrun")) == (1, 1)

    bench.run(run)
