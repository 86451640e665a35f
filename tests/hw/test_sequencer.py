# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Sequencer against the step program and its cycle contract, with plain blocks around it."""

import numpy as np
import pytest

from spikewright.hw.layouts import TokenKind
from spikewright.hw.params import core_params
from spikewright.hw.sequencer import Sequencer
from spikewright.plan.program import LANE_FLUSH_CYCLES, Map, Source
from spikewright.plan.timing import step_timing
from tests.designs import plan_of
from tests.hw.bench import simulate, stream_put
from tests.networks import deep_model


class Surroundings:
    """Row adder, neuron update and spike log in plain Python, as their contracts say.

    ``due`` gives the spikes to find for (list, delay) in the present step; ``log`` notes what the
    sequencer asks for: ("row", payload), ("update", first, count, word, clear), ("decay", count,
    clear), ("cleared",).
    """

    def __init__(self, dut, plan):
        self.dut, self.plan = dut, plan
        self.due, self.log = {}, []
        self.row = self.run = 0         # cycles for which the adder and the update still work
        self.decays = plan.program.decay_cycles
        self.busy = self.cycle = 0
        self.told, self.result = [], False      # busy cycles of each step
        self.chosen, self.shown = [], []

    async def serve(self, ctx):
        """Answer the sequencer in every cycle; a background testbench."""
        dut, update, spikes = self.dut, self.dut.update, self.dut.spikes
        ports = (dut.busy, dut.rows.valid, dut.rows.payload, update.start, update.first,
                 update.count, update.word, update.decay, update.clear, dut.cleared,
                 spikes.select, spikes.list, spikes.delay, spikes.take, dut.result)
        cycles = {operation.span.group: operation.cycles
                  for operation in self.plan.program.operations if isinstance(operation, Map)}
        period = {(add.table.target, add.table.row_words): add.period
                  for add in self.plan.program.adds}
        ctx.set(dut.rows.ready, 1)
        ctx.set(update.decays, self.decays > 0)
        async for (_, _, busy, valid, row, start, first, count, word, decay, clear, cleared, select,
                   number, delay, take, result) in ctx.tick().sample(*ports):
            if result and not self.result:
                self.told.append(self.busy)
                self.busy = 0
            self.result = result
            self.busy += busy
            self.row, self.run = max(self.row - 1, 0), max(self.run - 1, 0)
            self.decays = max(self.decays - 1, 0)
            if valid and ctx.get(dut.rows.ready):
                self.log.append(("row", row.address, row.target, row.words, row.shift))
                self.row = period[row.target, row.words]
            if start:
                assert not self.row and not self.run
                self.log.append(("decay", count, clear) if decay
                                else ("update", first, count, word, clear))
                self.decays = count if decay else 0
                self.run = (count + LANE_FLUSH_CYCLES if decay else cycles[first]) - 1
            if cleared:
                self.log.append(("cleared",))
                self.busy = 0
            # The log: what is asked for in one cycle is there in the next.
            shown = self.shown
            self.chosen = self.chosen[take:]
            if select:
                self.chosen = self.due.get((number, delay), [])
            elif self.plan.program.streams:
                shown = self.chosen
            ctx.set(spikes.number, shown[0] if shown else 0)
            self.shown = self.chosen
            ctx.set(spikes.more, len(self.chosen) > 0)
            ctx.set(dut.rows_active, self.row > 0)
            ctx.set(dut.rows.ready, self.row <= 1)
            ctx.set(update.done, self.run == 1)
            ctx.set(update.decays, self.decays > 0)
            self.cycle += 1

    def expected(self, events):
        """What one step must ask for, and the rows of every operation."""
        log, counts = [], []
        fraction, units = self.plan.model.widths.fraction, self.plan.layout.units
        for operation in self.plan.program.operations:
            if isinstance(operation, Map):
                span = operation.span
                log.append(("update", span.group, span.groups, span.word, 0))
                counts.append(0)
                continue
            table, origin = operation.table, operation.origin
            rows = events if operation.source == Source.INPUT else [
                number - origin.group * units
                for number in self.due.get((origin.list, operation.delay), [])]
            log += [("row", table.first + row * table.row_words, table.target, table.row_words,
                     operation.shift - fraction) for row in rows]
            counts.append(len(rows))
        if self.plan.config.neurons == "lanes":
            log.append(("decay", self.plan.layout.words, 0))
        return log, counts


def draw(rng, plan, rate):
    """Random spikes for every list that a step looks into."""
    return {(add.origin.list, add.delay):
            [add.origin.group * plan.layout.units + k for k in range(add.origin.neurons)
             if rng.random() < rate]
            for add in plan.program.adds if add.source == Source.SPIKES}


async def result(ctx, dut, stall):
    """Wait for the end of a step, and take it after ``stall`` cycles."""
    while not ctx.get(dut.result):
        await ctx.tick()
    for _ in range(stall):
        assert ctx.get(dut.result) and not ctx.get(dut.i.ready)
        assert ctx.get(dut.busy) == ctx.get(dut.update.decays)
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
    """The program of every step, in golden's cycles, however tokens and results are stalled."""
    plan = plan_of(deep_model(2), lanes, **choices)
    dut, rng = Sequencer(core_params(plan).sequencer), np.random.default_rng(3)
    around = Surroundings(dut, plan)
    expected = []

    async def bench(ctx):
        for step in range(12):
            around.due = draw(rng, plan, rate)
            events = rng.integers(0, plan.model.rows, rng.poisson(2 * rate)).tolist()
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
            expected.append(step_timing(plan, np.array([counts]))[0][0])
            assert around.log == log, step
            around.log.clear()
        await ctx.tick()

    simulate(dut, bench, background=(around.serve,), max_cycles=12000)
    assert around.told == expected


def test_sequencer_latency():
    """From the last event to the result, as golden says, where tokens wait for the core."""
    plan = plan_of(deep_model(2), 4)
    dut = Sequencer(core_params(plan).sequencer)
    around = Surroundings(dut, plan)

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
            _, latency = step_timing(plan, np.array([counts]))
            # The result is up from the cycle after this tick on.
            assert around.cycle + 1 - last == latency[0], events
            await result(ctx, dut, 0)

    simulate(dut, bench, background=(around.serve,), max_cycles=1000)


@pytest.mark.parametrize("neurons", ["shared", "lanes"])
@pytest.mark.parametrize("stall", [0, 5])
def test_sequencer_reset(stall, neurons):
    """RESET runs the update of every population with ``clear``, then starts the step over."""
    plan = plan_of(deep_model(2), 4, neurons=neurons)
    dut = Sequencer(core_params(plan).sequencer)
    around = Surroundings(dut, plan)
    updates = [("update", span.group, span.groups, span.word, 1)
               for span in plan.layout.spans.values()]
    decay = [("decay", plan.layout.words, 1)] if neurons == "lanes" else []

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
            cycles, _ = step_timing(plan, np.zeros((1, len(plan.program.operations)), np.int64))
            await ctx.tick()
            assert around.told.pop() + plan.program.decay_cycles == cycles[0]
            around.log.clear()

    simulate(dut, bench, background=(around.serve,), max_cycles=1000)
