# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Spike log against lists in plain Python."""

import numpy as np
import pytest

from hw.spikes import SpikeLog

from .bench import simulate
from .designs import core_params
from .networks import deep_model


async def select(ctx, dut, source, delay):
    """Turn to a list; its length, one cycle later."""
    ctx.set(dut.select, 1)
    ctx.set(dut.source, source)
    ctx.set(dut.delay, delay)
    await ctx.tick()
    ctx.set(dut.select, 0)
    ctx.set(dut.source, 0)
    ctx.set(dut.delay, 0)
    return ctx.get(dut.count)


async def pulse(ctx, signal):
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)


async def read(ctx, dut, source, delay):
    """A whole list, a spike per cycle, each one cycle after its index."""
    spikes = []
    for index in range(await select(ctx, dut, source, delay)):
        ctx.set(dut.index, index)
        await ctx.tick()
        spikes.append(ctx.get(dut.neuron))
    return spikes


def populations_of(params):
    """Neurons of each spiking population, by their number over all populations."""
    first, lists = 0, []
    for population in params.model.populations:
        if population.spiking:
            lists.append(list(range(first, first + population.neurons)))
        first += population.neurons
    return lists


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_spike_log(rate):
    """Every list of the last steps stays as written; a new step starts empty."""
    params = core_params(deep_model(1))
    dut, rng = SpikeLog(params), np.random.default_rng(1)
    lists = populations_of(params)
    assert len(lists) == 2 and params.slots == 8

    async def bench(ctx):
        past = []
        for step in range(20):
            past.insert(0, [])
            for source, neurons in enumerate(lists):
                fired = [neuron for neuron in neurons if rng.random() < rate]
                past[0].append(fired)
                assert await select(ctx, dut, source, 0) == 0
                for neuron in fired:
                    if rng.random() < 0.5:
                        await ctx.tick()
                    ctx.set(dut.write_neuron, neuron)
                    await pulse(ctx, dut.write)
                assert ctx.get(dut.count) == len(fired)
            for delay in rng.permutation(min(step + 1, params.slots - 1)).tolist():
                for source in (1, 0):
                    assert await read(ctx, dut, source, delay) == past[delay][source], (step, delay)
            await pulse(ctx, dut.step)

    simulate(dut, bench, max_cycles=5000)


def test_spike_log_clears_every_list():
    params = core_params(deep_model(1))
    dut = SpikeLog(params)

    async def bench(ctx):
        for _ in range(params.slots):
            for source in range(2):
                await select(ctx, dut, source, 0)
                ctx.set(dut.write_neuron, 5 * source)
                await pulse(ctx, dut.write)
            await pulse(ctx, dut.step)
        assert await read(ctx, dut, 1, 1) == [5]
        await pulse(ctx, dut.clear)
        for delay in range(params.slots):
            for source in range(2):
                assert await select(ctx, dut, source, delay) == 0

    simulate(dut, bench, max_cycles=500)
