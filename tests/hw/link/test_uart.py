# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.hw.link.uart import UartRx, UartTx
from tests.hw.bench import CYCLE, simulate, stream_get, stream_put


def random_bytes(count, seed=1):
    return [int(byte) for byte in np.random.default_rng(seed).integers(256, size=count)]


async def send_byte(ctx, rx, byte, bit, stop=1):
    for level in (0, *((byte >> k & 1) for k in range(8)), stop):
        ctx.set(rx, level)
        await ctx.delay(bit)
    ctx.set(rx, 1)


@pytest.mark.parametrize("divisor, slow, stall", [
    (4, 0, 0), (5, 0, 1), (8, 0.03, 0), (8, -0.03, 6), (13, 0.04, 0), (104, -0.04, 90),
])
def test_uart_rx(divisor, slow, stall):
    dut  = UartRx(divisor)
    sent = [0x00, 0xff, 0x55, 0x80, 0x01, *random_bytes(20)]

    async def feed(ctx):
        await ctx.delay(0.3 * CYCLE)
        for byte in sent:
            await send_byte(ctx, dut.rx, byte, divisor * (1 + slow) * CYCLE)

    async def check(ctx):
        for byte in sent:
            got = await stream_get(ctx, dut.o, stall=stall)
            assert (got.data, got.bad, got.zero) == (byte, 0, byte == 0)

    simulate(dut, feed, check, max_cycles=int(len(sent) * 10 * divisor * (1 + abs(slow))) + 200)


def test_uart_rx_marks_bytes_without_stop_bit():
    dut = UartRx(8)

    async def feed(ctx):
        await send_byte(ctx, dut.rx, 0x00, 8 * CYCLE, stop=0)
        await ctx.delay(20 * CYCLE)
        await send_byte(ctx, dut.rx, 0xa5, 8 * CYCLE, stop=0)
        await ctx.delay(8 * CYCLE)
        ctx.set(dut.rx, 0)              # a break is one bad byte, however long it is
        await ctx.delay(1000 * CYCLE)
        ctx.set(dut.rx, 1)
        await ctx.delay(8 * CYCLE)
        await send_byte(ctx, dut.rx, 0x5a, 8 * CYCLE)

    async def check(ctx):
        for data, bad in (0x00, 1), (0xa5, 1), (0x00, 1), (0x5a, 0):
            got = await stream_get(ctx, dut.o)
            assert (got.data, got.bad, got.zero) == (data, bad, 0)

    simulate(dut, feed, check, max_cycles=1400)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_uart_rx_ignores_short_pulses(length):
    dut = UartRx(8)

    async def feed(ctx):
        for _ in range(3):
            ctx.set(dut.rx, 0)
            await ctx.delay(length * CYCLE)
            ctx.set(dut.rx, 1)
            await ctx.delay(30 * CYCLE)
        await send_byte(ctx, dut.rx, 0x3c, 8 * CYCLE)

    async def check(ctx):
        got = await stream_get(ctx, dut.o)
        assert (got.data, got.bad) == (0x3c, 0)

    simulate(dut, feed, check, max_cycles=220)


@pytest.mark.parametrize("divisor, stall", [(4, 0), (7, 0), (8, 35)])
def test_uart_tx(divisor, stall):
    dut  = UartTx(divisor)
    sent = [0x00, 0xff, *random_bytes(20, seed=2)]

    async def feed(ctx):
        for byte in sent:
            await stream_put(ctx, dut.i, byte, stall=stall)

    async def check(ctx):
        for byte in sent:
            while ctx.get(dut.tx):
                await ctx.tick()
            levels = []
            for _ in range(10 * divisor):
                levels.append(ctx.get(dut.tx))
                await ctx.tick()
            bits = [0, *((byte >> k & 1) for k in range(8)), 1]
            assert levels == [bit for bit in bits for _ in range(divisor)]

    simulate(dut, feed, check, max_cycles=len(sent) * (10 * divisor + 2 + stall) + 10)
