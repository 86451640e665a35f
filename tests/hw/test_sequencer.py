# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Sequencer against golden's schedule and cycle contract, with plain blocks around it."""

import numpy as np
import pytest
from spikewright.hw.layouts import TokenKind
from spikewright.hw.sequencer import Sequencer
from spikewright.plan.program import Kind
from spikewright.plan.timing import decay_cycles, row_period, step_timing, update_cycles

from tests.designs import core_params
from tests.hw.bench import simulate, stream_put
from tests.networks import deep_model


class Surroundings:
    """Row adder, neuron pipeline and spike log in plain Python, as their contracts say.

    ``due`` gives the spikes to find for (source, delay) in the present step; ``log`` notes what the
    sequencer asks for: ("row", payload), ("update", first, size, word, clear), ("decay", size,
    clear), ("cleared",).
    """

    def __init__(self, dut):
        self.dut, self.params = dut, dut.params
        self.due, self.log = {}, []
        self.row = self.run = 0         # cycles for which the adder and the pipeline still work
        self.decays = decay_cycles(self.params.model, self.params.config)
        self.busy = self.cycle = 0
        self.told, self.result = [], False      # busy cycles of each step
        self.chosen, self.shown = [], []

    async def serve(self, ctx):
        """Answer the sequencer in every cycle; a background testbench."""
        dut = self.dut
        ports = (dut.busy, dut.rows.valid, dut.rows.payload, dut.start, dut.first, dut.size,
                 dut.word, dut.decay, dut.clear, dut.cleared, dut.select, dut.source, dut.delay,
                 dut.take, dut.result)
        sizes = {phase.first: phase.population.neurons for phase in self.params.phases
                 if phase.kind == Kind.UPDATE}
        ctx.set(dut.rows.ready, 1)
        ctx.set(dut.decays, self.decays > 0)
        async for (_, _, busy, valid, row, start, first, size, word, decay, clear, cleared, select,
                   source, delay, take, result) in ctx.tick().sample(*ports):
            if result and not self.result:
                self.told.append(self.busy)
                self.busy = 0
            self.result = result
            self.busy += busy
            self.row, self.run = max(self.row - 1, 0), max(self.run - 1, 0)
            self.decays = max(self.decays - 1, 0)
            if valid and ctx.get(dut.rows.ready):
                self.log.append(("row", row.address, row.target, row.words, row.shift))
                self.row = next(row_period(place, self.params.places, self.params.lanes)
                                for place in self.params.places
                                if place.target == row.target and place.row_words == row.words)
            if start:
                assert not self.row and not self.run
                widths, config = self.params.widths, self.params.config
                self.log.append(("decay", size, clear) if decay
                                else ("update", first, size, word, clear))
                self.decays = size if decay else 0
                self.run = update_cycles(size * config.lanes if decay else sizes[first],
                                         widths, config) - 1
            if cleared:
                self.log.append(("cleared",))
                self.busy = 0
            # The log: what is asked for in one cycle is there in the next.
            shown = self.shown
            self.chosen = self.chosen[take:]
            if select:
                self.chosen = self.due.get((source, delay), [])
            elif self.params.streams:
                shown = self.chosen
            ctx.set(dut.number, shown[0] if shown else 0)
            self.shown = self.chosen
            ctx.set(dut.more, len(self.chosen) > 0)
            ctx.set(dut.rows_active, self.row > 0)
            ctx.set(dut.rows.ready, self.row <= 1)
            ctx.set(dut.done, self.run == 1)
            ctx.set(dut.decays, self.decays > 0)
            self.cycle += 1

    def expected(self, events):
        """What one step must ask for, and the rows of every phase."""
        log, counts = [], []
        for phase in self.params.phases:
            if phase.kind == Kind.UPDATE:
                log.append(("update", phase.first, phase.groups, phase.word, 0))
                counts.append(0)
                continue
            rows = events if phase.kind == Kind.INPUT else [
                neuron - phase.first for neuron in self.due.get((phase.source, phase.delay), [])]
            log += [("row", phase.place.first + row * phase.place.row_words, phase.place.target,
                     phase.place.row_words, phase.place.projection.shift) for row in rows]
            counts.append(len(rows))
        if self.params.config.neurons == "lanes":
            log.append(("decay", self.params.state_words, 0))
        return log, counts


def draw(rng, params, rate):
    """Random spikes for every list that a step looks into."""
    phases = [phase for phase in params.phases if phase.kind == Kind.SPIKES]
    size = [population.neurons for population in params.spiking]
    return {(phase.source, phase.delay):
            [phase.first + k for k in range(size[phase.source]) if rng.random() < rate]
            for phase in phases}


async def result(ctx, dut, stall):
    """Wait for the end of a step, and take it after ``stall`` cycles."""
    while not ctx.get(dut.result):
        await ctx.tick()
    for _ in range(stall):
        assert ctx.get(dut.result) and not ctx.get(dut.i.ready)
        assert ctx.get(dut.busy) == ctx.get(dut.decays)
        await ctx.tick()
    ctx.set(dut.next_step, 1)
    await ctx.tick()
    ctx.set(dut.next_step, 0)


@pytest.mark.parametrize("stall", [0, 1, 9])
@pytest.mark.parametrize("lanes, rate, choices", [
    (1, 0.4, {}), (4, 0.0, {}), (4, 0.4, {}), (4, 1.0, {}), (8, 0.6, {}),
    (1, 0.4, {"multiplier": "serial"}), (4, 0.0, {"neurons": "lanes"}),
    (3, 0.4, {"neurons": "lanes"}), (1, 1.0, {"neurons": "lanes"}), (17, 0.4, {}), (32, 1.0, {}),
    (17, 0.6, {"neurons": "lanes"}),
])
def test_sequencer(lanes, rate, choices, stall):
    """The schedule of every step, in golden's cycles, however tokens and results are stalled."""
    params = core_params(deep_model(2), lanes, **choices)
    dut, rng = Sequencer(params), np.random.default_rng(3)
    around = Surroundings(dut)
    expected = []

    async def bench(ctx):
        for step in range(12):
            around.due = draw(rng, params, rate)
            events = rng.integers(0, params.rows, rng.poisson(2 * rate)).tolist()
            log, counts = around.expected(events)
            for row in events:
                await stream_put(ctx, dut.i, {"kind": TokenKind.EVENT, "row": row},
                                 stall=int(rng.integers(0, stall + 1)))
            await stream_put(ctx, dut.i, {"kind": TokenKind.STEP, "row": 0},
                             stall=int(rng.integers(0, stall + 1)))
            # The end of the step is taken once its rows have passed the adder.
            first = next(k for k, entry in enumerate(log) if entry[0] == "update")
            assert around.log == log[:first] and around.row <= 1
            await result(ctx, dut, stall)
            expected.append(step_timing(params.model, params.config, np.array([counts]))[0][0])
            assert around.log == log, step
            around.log.clear()
        await ctx.tick()

    simulate(dut, bench, background=(around.serve,), max_cycles=12000)
    assert around.told == expected


def test_sequencer_latency():
    """From the last event to the result, as golden says, where tokens wait for the core."""
    params = core_params(deep_model(2), 4)
    dut = Sequencer(params)
    around = Surroundings(dut)

    async def bench(ctx):
        for events in ([], [1], [2, 2], [0, 1, 2, 3, 0], [3]):
            _, counts = around.expected(events)
            for row in events:
                await stream_put(ctx, dut.i, {"kind": TokenKind.EVENT, "row": row})
            last = around.cycle
            await stream_put(ctx, dut.i, {"kind": TokenKind.STEP, "row": 0})
            last = last if events else around.cycle
            while not ctx.get(dut.result):
                await ctx.tick()
            _, latency = step_timing(params.model, params.config, np.array([counts]))
            # The result is up from the cycle after this tick on.
            assert around.cycle + 1 - last == latency[0], events
            await result(ctx, dut, 0)

    simulate(dut, bench, background=(around.serve,), max_cycles=1000)


@pytest.mark.parametrize("neurons", ["shared", "lanes"])
@pytest.mark.parametrize("stall", [0, 5])
def test_sequencer_reset(stall, neurons):
    """RESET runs every population's update with ``clear``, then starts the step over."""
    params = core_params(deep_model(2), 4, neurons=neurons)
    dut = Sequencer(params)
    around = Surroundings(dut)
    updates = [("update", phase.first, phase.groups, phase.word, 1)
               for phase in params.phases if phase.kind == Kind.UPDATE]
    decay = [("decay", params.state_words, 1)] if neurons == "lanes" else []

    async def bench(ctx):
        for events in ([], [1, 2, 3]):
            for row in events:
                await stream_put(ctx, dut.i, {"kind": TokenKind.EVENT, "row": row}, stall=stall)
            await stream_put(ctx, dut.i, {"kind": TokenKind.RESET, "row": 0}, stall=stall)
            before = [entry for entry in around.log if entry[0] != "row"]
            assert before == [] and len(around.log) <= len(events)
            await stream_put(ctx, dut.i, {"kind": TokenKind.STEP, "row": 0})
            assert [entry for entry in around.log if entry[0] != "row"] == [
                *updates, *decay, ("cleared",)]
            around.log.clear()
            await result(ctx, dut, 0)
            assert around.log == around.expected([])[0]
            cycles, _ = step_timing(params.model, params.config,
                                    np.zeros((1, len(params.phases)), np.int64))
            await ctx.tick()
            beforehand = decay_cycles(params.model, params.config)
            assert around.told.pop() + beforehand == cycles[0]
            around.log.clear()

    simulate(dut, bench, background=(around.serve,), max_cycles=1000)
