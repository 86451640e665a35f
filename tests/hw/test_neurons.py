# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Neuron pipelines and units against golden.core.update, in values, in cycles and in its flag."""

import numpy as np
import pytest

from spikewright.golden.arrays import MAP
from spikewright.golden.core import update
from spikewright.golden.run import constants_of, zero_state
from spikewright.hw.core import UPDATES
from spikewright.hw.params import core_params
from spikewright.model.integers import Widths
from spikewright.plan.program import FLUSH_TICKS, LANE_FLUSH_CYCLES, NEURON_TICKS, Map, tick_cycles
from tests.designs import plan_of
from tests.hw.bench import simulate
from tests.hw.core_bench import PlainCurrents, currents_of, lane_values
from tests.networks import deep_model

SHARED, SERIAL, LANES = {}, {"multiplier": "serial"}, {"neurons": "lanes"}


class Pipeline:
    """The block under test, its memory of currents, and golden's state beside them."""

    def __init__(self, model, lanes, choices):
        self.model, self.lanes = model, lanes
        self.plan = plan_of(model, lanes, **choices)
        self.layout, self.config = self.plan.layout, self.plan.config
        core = core_params(self.plan)
        self.dut = UPDATES[core.update](core.neurons)
        self.memory = PlainCurrents(self.dut)
        self.constants, self.state = constants_of(self.plan), zero_state(self.plan)
        self.step = 0
        self.clear_notes()

    def clear_notes(self):
        """Forget what left the block: (cycle, place, m), (cycle, place), cycles, cycles."""
        self.membranes, self.fired, self.saturated, self.done = [], [], [], []

    async def watch(self, ctx):
        """Note what leaves the block, by cycle; a background testbench."""
        dut, cycle, units = self.dut, 0, self.layout.units
        async for _, _, out, spike, saturated, done in ctx.tick().sample(
                dut.o, dut.spike, dut.saturated, dut.control.done):
            if out.valid:
                self.membranes += [(cycle, out.group * units + k, out.membranes[k])
                                   for k in range(units)]
            if spike.valid:
                assert spike.fired
                self.fired += [(cycle, spike.group * units + k) for k in range(units)
                               if spike.fired >> k & 1]
            self.saturated += [cycle] * saturated
            self.done += [cycle] * done
            cycle += 1

    async def start(self, ctx, cycles, **inputs):
        """Start the block and watch it for ``cycles``; what it told then counts from ``start``."""
        self.clear_notes()
        for name, value in {"start": 1, **inputs}.items():
            ctx.set(getattr(self.dut.control, name), value)
        await ctx.tick()
        began = self.memory.cycle
        for name in inputs:
            if name != "clear":
                ctx.set(getattr(self.dut.control, name), 0)
        ctx.set(self.dut.control.start, 0)
        # One more, since `watch` comes after this bench in each cycle.
        await ctx.tick().repeat(cycles)
        self.membranes = [(cycle - began, *rest) for cycle, *rest in self.membranes]
        self.fired = [(cycle - began, place) for cycle, place in self.fired]
        self.done = [cycle - began for cycle in self.done]

    async def run(self, ctx, operation, clear=0):
        """One update of a population, which tells of its end in golden's cycle."""
        span, cycles = operation.span, operation.cycles
        await self.start(ctx, cycles + 1, first=span.group, count=span.groups, word=span.word,
                         clear=clear)
        assert self.done == [cycles - 1]

    async def decay(self, ctx, clear=0):
        """The decay of all currents, where updates leave it out."""
        if self.config.neurons == "lanes":
            words = self.layout.words
            await self.start(ctx, words + LANE_FLUSH_CYCLES, count=words, decay=1, clear=clear)
            assert self.done == [words + LANE_FLUSH_CYCLES - 1]
            assert not self.membranes and not self.fired and not self.saturated

    async def wait(self, ctx):
        """Until the currents that decay after configuration have done so."""
        await ctx.tick().repeat(self.plan.program.decay_cycles + LANE_FLUSH_CYCLES)

    def due(self, span):
        """Cycle in which golden's contract has each neuron of a population told of."""
        ticks = tick_cycles(self.model.widths.decay, self.config.multiplier)
        flush = FLUSH_TICKS - (self.config.multiplier == "serial")
        return [LANE_FLUSH_CYCLES + k // self.lanes if self.config.neurons == "lanes"
                else (NEURON_TICKS * (k + 1) + flush) * ticks
                for k in range(span.neurons)]

    def set_currents(self, values):
        self.state.s[:] = values
        self.memory.words[:] = lane_values(self.layout, values)

    def golden(self, span):
        """Golden's m and spikes after the same update, and whether a membrane was clamped."""
        slots = len(self.state.spikes)
        self.state.flags[0] = 0
        neurons = slice(span.first, span.stop)
        operations = self.constants.operations
        operation = next(o for o in operations if o["kind"] == MAP and o["first"] == span.first)
        update(self.constants, self.state, operation,
               self.step % slots, (self.step - 1) % slots)
        return (self.state.m[neurons].tolist(), self.state.spikes[self.step % slots, neurons],
                bool(self.state.flags[0]))

    def simulate(self, bench, steps):
        cycles = sum(operation.cycles + 2 for operation in self.updates)
        decay = 2 * (self.layout.words + LANE_FLUSH_CYCLES + 1)
        simulate(self.dut, bench, background=(self.memory.serve, self.watch),
                 max_cycles=steps * (cycles + decay) + decay)

    @property
    def updates(self):
        return [operation for operation in self.plan.program.operations
                if isinstance(operation, Map)]


NARROW = Widths(weight=5, current=9, membrane=9, decay=6, fraction=2)


@pytest.mark.parametrize("seed, lanes, widths, choices", [
    (1, 1, None, SHARED), (2, 2, NARROW, SHARED), (3, 4, None, SHARED), (4, 16, NARROW, SHARED),
    (5, 3, Widths(weight=2, current=8, membrane=8, decay=4, fraction=0), SHARED),
    (6, 4, Widths(weight=16, current=32, membrane=32, decay=16, fraction=12), SHARED),
    (1, 1, None, SERIAL), (2, 2, NARROW, SERIAL),
    (6, 3, Widths(weight=16, current=32, membrane=32, decay=16, fraction=12), SERIAL),
    (1, 1, None, LANES), (2, 2, NARROW, LANES), (3, 4, None, LANES), (4, 16, NARROW, LANES),
    # More bits than a multiplier takes: some, and more than a decay has.
    (7, 3, Widths(membrane=19, current=14), LANES),
    (5, 2, Widths(membrane=32, current=32, decay=4), LANES),
    (6, 4, Widths(weight=16, current=32, membrane=32, decay=16, fraction=12), LANES),
])
def test_neuron_update(seed, lanes, widths, choices):
    """Every value of every population over some steps, from random currents, in its cycle."""
    pipe = Pipeline(deep_model(seed, widths), lanes, choices)
    rng = np.random.default_rng(seed)
    half = 1 << pipe.model.widths.current - 1
    late = choices == LANES             # spikes come with m, or a cycle after it
    fired, flags = 0, []

    async def bench(ctx):
        nonlocal fired
        await pipe.wait(ctx)
        for pipe.step in range(25):
            extreme = rng.choice([-half, half - 1], len(pipe.state.s))
            drawn = rng.integers(-half, half, len(pipe.state.s))
            pipe.set_currents(extreme if pipe.step % 8 == 7 else drawn)
            for operation in pipe.updates:
                await pipe.run(ctx, operation)
                membranes, spikes, saturated = pipe.golden(operation.span)
                first = operation.span.group * pipe.layout.units
                due = pipe.due(operation.span)
                told = [(cycle, first + k, m)
                        for k, (cycle, m) in enumerate(zip(due, membranes, strict=True))]
                assert pipe.membranes[:len(told)] == told
                assert {m for _, _, m in pipe.membranes[len(told):]} <= {0}
                assert pipe.fired == [(due[k] + late, first + k)
                                      for k in np.flatnonzero(spikes)]
                assert bool(pipe.saturated) == saturated
                fired += int(spikes.sum())
                flags.append(saturated)
            await pipe.decay(ctx)
            assert currents_of(pipe.layout, pipe.memory.words).tolist() == pipe.state.s.tolist()

    pipe.simulate(bench, 25)
    assert fired > 10
    assert widths is not NARROW or 0 < sum(flags) < len(flags)


@pytest.mark.parametrize("choices", [SHARED, SERIAL, LANES])
def test_neuron_update_clears(choices):
    """While ``clear`` holds, membranes and currents become 0 and nothing fires."""
    pipe = Pipeline(deep_model(3), 4, choices)

    async def bench(ctx):
        await pipe.wait(ctx)
        for round_ in range(3):
            for pipe.step in (2 * round_, 2 * round_ + 1):
                pipe.set_currents([200] * len(pipe.state.s))
                for operation in pipe.updates:
                    await pipe.run(ctx, operation)
                    membranes, *_ = pipe.golden(operation.span)
                    assert [m for _, _, m in pipe.membranes[:len(membranes)]] == membranes
            for operation in pipe.updates:
                await pipe.run(ctx, operation, clear=1)
                assert {m for _, _, m in pipe.membranes} == {0}
                assert not pipe.fired and not pipe.saturated
            await pipe.decay(ctx, clear=1)
            ctx.set(pipe.dut.control.clear, 0)
            assert not currents_of(pipe.layout, pipe.memory.words).any()
            pipe.state.m[:] = 0
            pipe.state.spikes[:] = False

    pipe.simulate(bench, 9)


@pytest.mark.parametrize("choices", [SHARED, SERIAL, LANES])
@pytest.mark.parametrize("above", [-1, 0, 1])
def test_neuron_threshold_is_strict(above, choices):
    """From rest, m = s: a neuron fires above its threshold, and is 0 in the step after."""
    pipe = Pipeline(deep_model(3), 4, choices)
    operation = pipe.updates[0]
    threshold = pipe.constants.threshold[:operation.span.neurons]
    limit = (1 << pipe.model.widths.current - 1) - 1
    currents = np.zeros(len(pipe.state.s), np.int64)
    currents[:len(threshold)] = np.minimum(threshold + above, limit)

    async def bench(ctx):
        await pipe.wait(ctx)
        pipe.set_currents(currents)
        await pipe.run(ctx, operation)
        fires = np.flatnonzero(currents[:len(threshold)] > threshold).tolist()
        assert [place for _, place in pipe.fired] == fires
        assert bool(fires) == (above > 0)
        await pipe.run(ctx, operation)
        assert all(m == 0 for _, place, m in pipe.membranes if place in fires)

    pipe.simulate(bench, 2)
