# SPDX-License-Identifier: Apache-2.0
"""Helpers of the hardware's testbenches."""

from amaranth.sim import Simulator

__all__ = ["CYCLE", "simulate", "simulate_logic", "stream_get", "stream_put"]

CYCLE = 1e-6        # seconds of simulated time


async def stream_put(ctx, port, payload, stall=0):
    """Offer ``payload`` after ``stall`` cycles, until it is taken."""
    if stall:
        await ctx.tick().repeat(stall)
    ctx.set(port.payload, payload)
    ctx.set(port.valid, 1)
    await ctx.tick().until(port.ready)
    ctx.set(port.valid, 0)


async def stream_get(ctx, port, stall=0):
    """Take one payload after ``stall`` cycles."""
    if stall:
        await ctx.tick().repeat(stall)
    ctx.set(port.ready, 1)
    payload, = await ctx.tick().sample(port.payload).until(port.valid)
    ctx.set(port.ready, 0)
    return payload


def simulate(dut, *benches, max_cycles, background=()):
    """Run every testbench to its end; fail, rather than hang, after ``max_cycles``.

    What runs in the background must not wait in ``until`` or ``repeat`` when the others end.
    """
    async def watchdog(ctx):
        await ctx.delay(max_cycles * CYCLE)
        raise AssertionError(f"testbench not finished after {max_cycles} cycles")

    sim = Simulator(dut)
    sim.add_clock(CYCLE)
    for bench in benches:
        sim.add_testbench(bench)
    for bench in (*background, watchdog):
        sim.add_testbench(bench, background=True)
    sim.run()


def simulate_logic(dut, bench):
    """Run a testbench on a block without registers, which has no clock."""
    sim = Simulator(dut)
    sim.add_testbench(bench)
    sim.run()
