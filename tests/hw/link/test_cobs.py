# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from cobs import cobs

from spikewright.hw.link.cobs import Cobs
from tests.hw.bench import simulate


def random_frames(seed=1):
    rng = np.random.default_rng(seed)
    yield from (b"", b"\0", b"\1", b"\0\0\0", bytes(range(1, 254)), bytes(253), b"\xff" * 253)
    for _ in range(12):
        frame = rng.integers(256, size=rng.integers(1, 60))
        frame[rng.random(len(frame)) < rng.random()] = 0
        yield frame.astype(np.uint8).tobytes()


async def begin(ctx, dut, decode):
    ctx.set(dut.decode, decode)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)


async def place(ctx, dut, byte, stall):
    """What belongs in the place of ``byte``."""
    ctx.set(dut.i, byte)
    await ctx.tick().repeat(2 + stall)
    result = ctx.get(dut.o), ctx.get(dut.zero)
    ctx.set(dut.en, 1)
    await ctx.tick()
    ctx.set(dut.en, 0)
    return result


@pytest.mark.parametrize("stall", [0, 2])
def test_cobs_codes_as_the_library_does(stall):
    dut = Cobs()

    async def check(ctx):
        for frame in random_frames():
            await begin(ctx, dut, decode=0)
            coded = bytearray()
            for byte in (0, *reversed(frame), 0):
                o, zero = await place(ctx, dut, byte, stall)
                assert zero == (byte == 0)
                coded.insert(0, o)
            assert bytes(coded) == cobs.encode(frame) + b"\0"

    simulate(dut, check, max_cycles=1300 * (3 + stall) + 20)


@pytest.mark.parametrize("stall", [0, 2])
def test_cobs_decodes_as_the_library_does(stall):
    dut = Cobs()

    async def check(ctx):
        for frame in random_frames():
            await begin(ctx, dut, decode=1)
            places = [(await place(ctx, dut, byte, stall))[0] for byte in cobs.encode(frame)]
            assert bytes(places) == b"\0" + frame
            await ctx.tick()
            assert ctx.get(dut.due)

    simulate(dut, check, max_cycles=1350 * (3 + stall) + 60)


@pytest.mark.parametrize("coded", [b"\2", b"\3\1", b"\2\1\4\1\1", b"\xff" + b"\1" * 20])
def test_cobs_tells_a_frame_that_ends_too_early(coded):
    dut = Cobs()

    async def check(ctx):
        await begin(ctx, dut, decode=1)
        for byte in coded:
            await place(ctx, dut, byte, 0)
        await ctx.tick()
        assert not ctx.get(dut.due)

    simulate(dut, check, max_cycles=80)


def test_cobs_passes_bytes_on_while_it_starts():
    dut = Cobs()

    async def check(ctx):
        ctx.set(dut.start, 1)
        for byte in (0, 1, 0, 255):
            o, _ = await place(ctx, dut, byte, 0)
            assert o == byte

    simulate(dut, check, max_cycles=20)
