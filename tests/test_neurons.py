# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Neuron pipeline against golden.core.update, in values, in cycles and in its flag."""

import numpy as np
import pytest

from golden.core import update
from golden.timing import FLUSH_CYCLES, NEURON_CYCLES
from hw.neurons import NeuronUpdate
from hw.params import UpdatePhase
from quantize.model import Widths

from .bench import simulate
from .core_bench import PlainCurrents, currents_of, golden_of, lane_values
from .designs import core_params
from .networks import deep_model


class Pipeline:
    """The block under test, its memory of currents, and golden's state beside them."""

    def __init__(self, model, lanes):
        self.model, self.lanes = model, lanes
        self.params = core_params(model, lanes)
        self.dut = NeuronUpdate(self.params)
        self.memory = PlainCurrents(self.dut)
        self.constants, self.state = golden_of(model)
        self.told, self.step = [], 0

    async def watch(self, ctx):
        """Note what leaves the block, by cycle; a background testbench."""
        dut, cycle = self.dut, 0
        async for _, _, out, saturated, done in ctx.tick().sample(dut.o, dut.saturated, dut.done):
            if out.valid or saturated or done:
                self.told.append((cycle, out.valid, out.neuron, out.membrane, out.fired,
                                  saturated, done))
            cycle += 1

    async def run(self, ctx, phase, clear=False):
        """One update of a population: what left the block, counted from ``start``."""
        dut = self.dut
        self.told.clear()
        ctx.set(dut.start, 1)
        for name, value in (("first", phase.first), ("count", phase.population.neurons),
                            ("word", phase.word), ("clear", int(clear))):
            ctx.set(getattr(dut, name), value)
        await ctx.tick()
        began = self.memory.cycle
        ctx.set(dut.start, 0)
        for name in ("first", "count", "word"):
            ctx.set(getattr(dut, name), 0)
        # One more, since `watch` comes after this bench in each cycle.
        await ctx.tick().repeat(NEURON_CYCLES * phase.population.neurons + FLUSH_CYCLES + 1)
        return [(cycle - began, *rest) for cycle, *rest in self.told]

    def set_currents(self, values):
        self.state.s[:] = values
        self.memory.words[:] = lane_values(self.model, self.lanes, values)

    def golden(self, phase):
        """Golden's m and spikes after the same update, and whether a membrane was clamped."""
        slots = len(self.state.spikes)
        self.state.flags[0] = 0
        neurons = slice(phase.first, phase.first + phase.population.neurons)
        update(self.constants, self.state, phase.first, phase.population.neurons,
               self.step % slots, (self.step - 1) % slots)
        return (self.state.m[neurons].tolist(), self.state.spikes[self.step % slots, neurons],
                bool(self.state.flags[0]))

    def simulate(self, bench, steps):
        cycles = sum(NEURON_CYCLES * phase.population.neurons + FLUSH_CYCLES + 2
                     for phase in self.updates)
        simulate(self.dut, bench, background=(self.memory.serve, self.watch),
                 max_cycles=steps * cycles + 1)

    @property
    def updates(self):
        return [phase for phase in self.params.phases if isinstance(phase, UpdatePhase)]


NARROW = Widths(weight=5, current=9, membrane=9, decay=6, fraction=2)


@pytest.mark.parametrize("seed, lanes, widths", [
    (1, 1, None), (2, 2, NARROW), (3, 4, None), (4, 16, NARROW),
    (5, 3, Widths(weight=2, current=8, membrane=8, decay=4, fraction=0)),
    (6, 4, Widths(weight=16, current=32, membrane=32, decay=16, fraction=12)),
])
def test_neuron_update(seed, lanes, widths):
    """Every value of every population over some steps, from random currents, in its cycle."""
    pipe = Pipeline(deep_model(seed, widths), lanes)
    rng = np.random.default_rng(seed)
    half = 1 << pipe.model.widths.current - 1
    fired, flags = 0, []

    async def bench(ctx):
        nonlocal fired
        for pipe.step in range(25):
            extreme = rng.choice([-half, half - 1], len(pipe.state.s))
            drawn = rng.integers(-half, half, len(pipe.state.s))
            pipe.set_currents(extreme if pipe.step % 8 == 7 else drawn)
            for phase in pipe.updates:
                told = await pipe.run(ctx, phase)
                membranes, spikes, saturated = pipe.golden(phase)
                out = [entry[:5] for entry in told if entry[1]]
                assert out == [
                    (NEURON_CYCLES * (k + 1) + FLUSH_CYCLES, 1, phase.first + k, m, int(spike))
                    for k, (m, spike) in enumerate(zip(membranes, spikes, strict=True))]
                assert [entry[6] for entry in told if entry[1]] == [0] * (len(out) - 1) + [1]
                assert sum(entry[6] for entry in told) == 1
                assert any(entry[5] for entry in told) == saturated
                fired += int(spikes.sum())
                flags.append(saturated)
            assert currents_of(pipe.model, lanes, pipe.memory.words).tolist() == \
                pipe.state.s.tolist()

    pipe.simulate(bench, 25)
    assert fired > 10
    assert widths is not NARROW or 0 < sum(flags) < len(flags)


def test_neuron_update_clears():
    """While ``clear`` holds, membranes and currents become 0 and nothing fires."""
    pipe = Pipeline(deep_model(3), 4)

    async def bench(ctx):
        for round_ in range(3):
            for pipe.step in (2 * round_, 2 * round_ + 1):
                pipe.set_currents([200] * len(pipe.state.s))
                for phase in pipe.updates:
                    told = await pipe.run(ctx, phase)
                    membranes, *_ = pipe.golden(phase)
                    assert [entry[3] for entry in told if entry[1]] == membranes
            for phase in pipe.updates:
                told = await pipe.run(ctx, phase, clear=True)
                assert [entry[3:6] for entry in told if entry[1]] == (
                    [(0, 0, 0)] * phase.population.neurons)
            assert not currents_of(pipe.model, 4, pipe.memory.words).any()
            pipe.state.m[:] = 0
            pipe.state.spikes[:] = False

    pipe.simulate(bench, 9)


@pytest.mark.parametrize("above", [-1, 0, 1])
def test_neuron_threshold_is_strict(above):
    """From rest, m = s: a neuron fires above its threshold, and is 0 in the step after."""
    pipe = Pipeline(deep_model(3), 4)
    phase = pipe.updates[0]
    threshold = pipe.constants.threshold[:phase.population.neurons]
    limit = (1 << pipe.model.widths.current - 1) - 1
    currents = np.zeros(len(pipe.state.s), np.int64)
    currents[:len(threshold)] = np.minimum(threshold + above, limit)

    async def bench(ctx):
        pipe.set_currents(currents)
        told = [entry for entry in await pipe.run(ctx, phase) if entry[1]]
        fires = (currents[:len(threshold)] > threshold).tolist()
        assert [bool(entry[4]) for entry in told] == fires
        assert any(fires) == (above > 0)
        told = [entry for entry in await pipe.run(ctx, phase) if entry[1]]
        assert all(entry[3] == 0 for entry, fired in zip(told, fires, strict=True) if fired)

    pipe.simulate(bench, 2)
