# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Spike log against lists in plain Python."""

import numpy as np
import pytest
from spikewright.hw.memories.spikes import SpikeLog
from spikewright.hw.params import UpdatePhase

from tests.designs import core_params
from tests.hw.bench import simulate
from tests.networks import deep_model


async def select(ctx, dut, source, delay):
    """Turn to a list; whether it has a spike, one cycle later."""
    ctx.set(dut.select, 1)
    ctx.set(dut.source, source)
    ctx.set(dut.delay, delay)
    await ctx.tick()
    ctx.set(dut.select, 0)
    ctx.set(dut.source, 0)
    ctx.set(dut.delay, 0)
    return ctx.get(dut.more)


async def pulse(ctx, signal):
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)


async def read(ctx, dut, source, delay):
    """A whole list, a spike every two cycles, or one every cycle where rows stream."""
    spikes = []
    more = await select(ctx, dut, source, delay)
    if more and dut.params.streams:
        await pulse(ctx, dut.fetch)
        ctx.set(dut.fetch, 1)
        while ctx.get(dut.more):
            if len(spikes) == 2:            # nobody needs it yet
                await ctx.tick()
            spikes.append(ctx.get(dut.number))
            await pulse(ctx, dut.take)
        ctx.set(dut.fetch, 0)
        return spikes
    while more:
        await pulse(ctx, dut.fetch)
        assert ctx.get(dut.more)
        spikes.append(ctx.get(dut.number))
        await pulse(ctx, dut.take)
        more = ctx.get(dut.more)
    return spikes


def populations_of(params):
    """Places of the neurons of each spiking population."""
    return [[phase.first * params.units + k for k in range(phase.population.neurons)]
            for phase in params.phases
            if isinstance(phase, UpdatePhase) and phase.population.spiking]


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("lanes, neurons", [(4, "shared"), (3, "lanes"), (8, "lanes"),
                                            (1, "lanes"), (17, "shared"), (17, "lanes")])
def test_spike_log(lanes, neurons, rate):
    """Every list of the last steps stays as written; a new step starts empty."""
    params = core_params(deep_model(1), lanes, neurons=neurons)
    dut, rng, units = SpikeLog(params), np.random.default_rng(1), params.units
    lists = populations_of(params)
    assert len(lists) == 2 and params.slots == 8

    async def bench(ctx):
        past = []
        for step in range(20):
            past.insert(0, [])
            for source, places in enumerate(lists):
                fired = [place for place in places if rng.random() < rate]
                past[0].append(fired)
                assert not await select(ctx, dut, source, 0)
                for word in sorted({place // units for place in fired}):
                    if rng.random() < 0.5:
                        await ctx.tick()
                    mask = sum(1 << place % units for place in fired if place // units == word)
                    ctx.set(dut.write_group, {"group": word, "fired": mask})
                    await pulse(ctx, dut.write)
                assert ctx.get(dut.more) == bool(fired)
            for delay in rng.permutation(min(step + 1, params.slots - 1)).tolist():
                for source in (1, 0):
                    assert await read(ctx, dut, source, delay) == past[delay][source], (step, delay)
            await pulse(ctx, dut.step)

    simulate(dut, bench, max_cycles=8000)


def test_spike_log_clears_every_list():
    params = core_params(deep_model(1))
    dut = SpikeLog(params)

    async def bench(ctx):
        for _ in range(params.slots):
            for source in range(2):
                await select(ctx, dut, source, 0)
                ctx.set(dut.write_group, {"group": 5 * source, "fired": 1})
                await pulse(ctx, dut.write)
            await pulse(ctx, dut.step)
        assert await read(ctx, dut, 1, 1) == [5]
        await pulse(ctx, dut.clear)
        for delay in range(params.slots):
            for source in range(2):
                assert not await select(ctx, dut, source, delay)

    simulate(dut, bench, max_cycles=500)
