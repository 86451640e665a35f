# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Verdict on a byte, one cycle after it."""

import pytest

from spikewright.hw.link.verdict import Verdict
from tests.hw.bench import simulate


async def judged(ctx, dut, **inputs):
    """Outputs in the cycle after ``inputs``; what these do not name is 0."""
    for name in ("byte", "ready", "position", "end", "info", "load", "whole", "remember"):
        ctx.set(getattr(dut, name), inputs.get(name, 0))
    await ctx.tick()
    return tuple(ctx.get(port) for port in (dut.go, dut.stop, dut.fits, dut.same))


def run(table, bench):
    dut = Verdict(table)

    async def start(ctx):
        await bench(ctx, dut)

    simulate(dut, start, max_cycles=100)


# Type, end of the frame, whether the table is complete; whether it fits without and with a table.
TYPES = [
    (0, 3, 1, 0, 0), (1, 3, 0, 1, 1), (1, 4, 0, 0, 0), (2, 3, 1, 0, 0), (2, 4, 1, 1, 1),
    (2, 4, 0, 1, 0), (2, 255, 1, 1, 1), (3, 3, 1, 0, 0), (3, 4, 0, 0, 1), (4, 4, 1, 0, 0)]


@pytest.mark.parametrize("table", [False, True])
def test_verdict_on_types(table):
    async def bench(ctx, dut):
        for byte, end, loaded, plain, with_table in TYPES:
            _, _, fits, _ = await judged(ctx, dut, byte=byte, end=end, whole=loaded)
            assert fits == (with_table if table else plain), (byte, end, loaded)

    run(table, bench)


def test_verdict_on_places():
    """``go`` is ``ready``, and ``stop`` is at the end of the frame only."""
    async def bench(ctx, dut):
        for ready in (0, 1, 0):
            for position in (6, 7, 8):
                go, stop, _, _ = await judged(ctx, dut, ready=ready, position=position, end=7)
                assert (go, stop) == (ready, position == 7)

    run(False, bench)


def test_verdict_on_sequence_numbers():
    """Only a frame of the type of the last one can repeat it, and no INFO does."""
    async def bench(ctx, dut):
        async def same(byte, **kind):
            return (await judged(ctx, dut, byte=byte, **kind))[3]

        assert not await same(0) and not await same(0, load=1)     # nothing is known at first
        await judged(ctx, dut, byte=9, remember=1)
        assert await same(9)
        assert not await same(8)
        assert not await same(9, info=1) and not await same(9, load=1)
        await judged(ctx, dut, byte=9, load=1, remember=1)
        assert await same(9, load=1)
        assert not await same(9)
        await judged(ctx, dut, byte=9, info=1, remember=1)
        assert not await same(9) and not await same(9, load=1) and not await same(9, info=1)

    run(True, bench)
