# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Spike log against lists in plain Python."""

import numpy as np
import pytest

from spikewright.hw.memories.spikes import SpikeLog, SpikeLogParams
from tests.hw.bench import simulate


def log_params(units=1, streams=False, delays=None):
    """A log of two spiking populations of 5 and 3 neurons; 2 outputs follow them.

    ``delays`` are the longest ones of their lists.
    """
    first, second, outputs = (-(-neurons // units) for neurons in (5, 3, 2))
    return SpikeLogParams(groups=first + second + outputs, units=units, lists=2,
                          list_groups=first, slots=8, streams=streams,
                          reach=tuple(zip(delays, (first, second), strict=True)) if delays else ())


async def select(ctx, dut, number, delay):
    """Turn to a list; whether it has a spike, one cycle later."""
    ctx.set(dut.read.select, 1)
    ctx.set(dut.read.list, number)
    ctx.set(dut.read.delay, delay)
    await ctx.tick()
    ctx.set(dut.read.select, 0)
    ctx.set(dut.read.list, 0)
    ctx.set(dut.read.delay, 0)
    return ctx.get(dut.read.more)


async def pulse(ctx, signal):
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)


async def append(ctx, dut, group, fired):
    """Append a group to the selected list."""
    ctx.set(dut.spike.group, group)
    ctx.set(dut.spike.fired, fired)
    await pulse(ctx, dut.spike.valid)


async def read(ctx, dut, number, delay):
    """A whole list, a spike every two cycles, or one every cycle where rows stream."""
    spikes = []
    more = await select(ctx, dut, number, delay)
    if more and dut.params.streams:
        await pulse(ctx, dut.read.fetch)
        ctx.set(dut.read.fetch, 1)
        while ctx.get(dut.read.more):
            if len(spikes) == 2:            # nobody needs it yet
                await ctx.tick()
            spikes.append(ctx.get(dut.read.number))
            await pulse(ctx, dut.read.take)
        ctx.set(dut.read.fetch, 0)
        return spikes
    while more:
        await pulse(ctx, dut.read.fetch)
        assert ctx.get(dut.read.more)
        spikes.append(ctx.get(dut.read.number))
        await pulse(ctx, dut.read.take)
        more = ctx.get(dut.read.more)
    return spikes


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("units, streams, delays", [
    (1, False, None), (3, False, None), (8, False, None), (1, True, None), (17, True, None),
    (1, False, (6, 2)), (1, True, (0, 6))])
def test_spike_log(units, streams, delays, rate):
    """Every list of the last steps stays as written; a new step starts empty."""
    params = log_params(units, streams, delays)
    dut, rng = SpikeLog(params), np.random.default_rng(1)
    lists = [range(5), range(params.list_groups * units, params.list_groups * units + 3)]

    async def bench(ctx):
        past = []
        for step in range(20):
            past.insert(0, [])
            for number, places in enumerate(lists):
                fired = [place for place in places if rng.random() < rate]
                past[0].append(fired)
                assert not await select(ctx, dut, number, 0)
                for group in sorted({place // units for place in fired}):
                    if rng.random() < 0.5:
                        await ctx.tick()
                    mask = sum(1 << place % units for place in fired if place // units == group)
                    await append(ctx, dut, group, mask)
                assert ctx.get(dut.read.more) == bool(fired)
            for delay in rng.permutation(min(step + 1, params.slots - 1)).tolist():
                for number in (1, 0):
                    if delays and delay > delays[number]:
                        continue
                    assert await read(ctx, dut, number, delay) == past[delay][number], (step, delay)
            await pulse(ctx, dut.step)

    simulate(dut, bench, max_cycles=8000)


@pytest.mark.parametrize("delays", [None, (7, 1)])
def test_spike_log_clears_every_list(delays):
    params = log_params(delays=delays)
    dut = SpikeLog(params)

    async def bench(ctx):
        for _ in range(params.slots):
            for number in range(2):
                await select(ctx, dut, number, 0)
                await append(ctx, dut, 5 * number, 1)
            await pulse(ctx, dut.step)
        assert await read(ctx, dut, 1, 1) == [5]
        await pulse(ctx, dut.clear)
        for delay in range(params.slots):
            for number in range(2):
                assert not await select(ctx, dut, number, delay)

    simulate(dut, bench, max_cycles=500)


def test_spike_log_of_one_list_and_one_slot():
    """The smallest log: a population without delays, read lane by lane."""
    dut = SpikeLog(SpikeLogParams(groups=2, units=4, lists=1, list_groups=2, slots=1))

    async def bench(ctx):
        await select(ctx, dut, 0, 0)
        await append(ctx, dut, 0, 0b1010)
        await append(ctx, dut, 1, 0b0001)
        assert await read(ctx, dut, 0, 0) == [1, 3, 4]
        assert await read(ctx, dut, 0, 0) == [1, 3, 4]
        await pulse(ctx, dut.step)
        assert await read(ctx, dut, 0, 0) == []

    simulate(dut, bench, max_cycles=20)
