# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Row look-up and row adder together, against golden.core.add_row: values, cycles and flag."""

import dataclasses

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewright.golden.core import add_row
from spikewright.golden.run import constants_of, zero_state
from spikewright.hw.engines.adder import RowAdder
from spikewright.hw.engines.lookup import RowLookup
from spikewright.hw.layouts import TableFormat
from spikewright.hw.params import core_params
from spikewright.model.integers import Widths
from spikewright.network.retime import retime
from spikewright.plan.program import Add
from tests.designs import plan_of
from tests.hw.bench import simulate, stream_put
from tests.hw.core_bench import PlainCurrents, currents_of, lane_values
from tests.networks import MIXED, deep_model, nearest_model, tiny_network


class Rows(wiring.Component):
    """A row look-up and the adder behind it, as the core joins them."""

    def __init__(self, params):
        self.lookup, self.adder = RowLookup(params.rows), RowAdder(params.adder)
        self.params = params.adder
        super().__init__({
            "i":         In(stream.Signature(params.rows.row)),
            "active":    Out(1),
            "saturated": Out(1),
            "currents":  Out(params.adder.currents),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.lookup, m.submodules.adder = lookup, adder = self.lookup, self.adder
        wiring.connect(m, wiring.flipped(self.i), lookup.i)
        wiring.connect(m, lookup.o, adder.i)
        wiring.connect(m, adder.currents, wiring.flipped(self.currents))
        m.d.comb += self.active.eq(lookup.active), self.saturated.eq(adder.saturated)
        return m


class Case:
    """Both blocks, their currents, golden's state beside them, and every row of a model."""

    def __init__(self, model, lanes, **choices):
        self.plan = plan_of(model, lanes, **choices)
        self.layout = self.plan.layout
        params = core_params(self.plan)
        self.params = params.rows
        self.fraction = params.adder.fraction
        self.dut = Rows(params)
        self.memory = PlainCurrents(self.dut, self.params.streams)
        self.constants, self.state = constants_of(self.plan), zero_state(self.plan)
        self.rows = list(self._rows())

    def _rows(self):
        """Golden's operation and row, the operation of the plan, payload of the look-up."""
        shift = {memory.bits: memory.shift + self.fraction
                 for memory in self.params.memories}
        for operation, golden in zip(self.plan.program.operations, self.constants.operations,
                                     strict=True):
            if not isinstance(operation, Add):
                continue
            table = operation.table
            for row in range(table.rows):
                yield golden, int(golden["row"]) + row, operation, {
                    "format": TableFormat[table.format.upper()], "target": table.target,
                    "address": table.first + row * table.row_words, "words": table.row_words,
                    "row": table.first_row + row, "shift": operation.shift - shift[table.bits],
                } | ({"width": sorted(shift, reverse=True).index(table.bits)}
                     if len(shift) > 1 else {})

    def add(self, rows):
        """Golden's sum of ``rows``."""
        for golden, row, _, _ in rows:
            add_row(self.constants, self.state, golden, row, 1)

    @property
    def found(self):
        """Currents of all neurons in the memory."""
        return currents_of(self.layout, self.memory.words).tolist()


TABLES = [("dense", 1), ("dense", 3), ("dense", 16), ("bitmap", 1), ("bitmap", 4), ("bitmap", 16),
          ("rows", 1), ("rows", 4), ("smallest", 2), ("smallest", 8), ("dense", 17)]


@pytest.mark.parametrize("bits", [None, MIXED], ids=["alike", "mixed"])
@pytest.mark.parametrize("stall", [0, 1, 7])
@pytest.mark.parametrize("tables, lanes", TABLES)
def test_rows(tables, lanes, stall, bits):
    case = Case(deep_model(6, None, bits), lanes, tables=tables)
    dut, params, memory, state = case.dut, case.params, case.memory, case.state
    rng = np.random.default_rng(1)
    start = rng.integers(-200, 200, len(state.s))
    state.s[:] = start
    memory.words = lane_values(case.layout, start)
    order = [case.rows[k] for k in rng.integers(0, len(case.rows), 60)]
    flags = []

    async def feed(ctx):
        for _, _, _, payload in order:
            await stream_put(ctx, dut.i, payload, stall=int(rng.integers(0, stall + 1)))
        while ctx.get(dut.active):
            await ctx.tick()
        await ctx.tick().repeat(3 + ("bitmap" in params.formats))

    async def watch(ctx):
        async for _, _, saturated in ctx.tick().sample(dut.saturated):
            flags.append(saturated)

    simulate(dut, feed, background=(memory.serve, watch),
             max_cycles=10 + sum(operation.period + stall for _, _, operation, _ in order))
    case.add(order)
    # Lanes past the last neuron of a population have no weights: only neurons are compared.
    assert case.found == state.s.tolist()
    assert any(flags) == bool(state.flags[0])
    if "rows" not in params.formats:
        assert len(memory.writes) == sum(row["words"] for _, _, _, row in order)


@pytest.mark.parametrize("tables, lanes", TABLES)
def test_rows_cycles(tables, lanes):
    """Rows follow without a gap; the last word is written in time; ``active`` covers the row."""
    case = Case(deep_model(6), lanes, tables=tables)
    dut, params, memory = case.dut, case.params, case.memory
    rows = [payload for *_, payload in case.rows[:12]]
    period = [operation.period for _, _, operation, _ in case.rows[:12]]
    taken, active = [], []

    async def feed(ctx):
        for payload in rows:
            await stream_put(ctx, dut.i, payload)
            taken.append(memory.cycle)
        await ctx.tick().repeat(20)

    async def watch(ctx):
        async for _, _, value in ctx.tick().sample(dut.active):
            active.append(value)

    simulate(dut, feed, background=(memory.serve, watch), max_cycles=300)
    assert taken[0] == 0
    assert np.diff(taken).tolist() == period[:-1]
    last = taken[-1] + period[-1]
    assert active == [0] + [1] * last + [0] * (len(active) - last - 1)
    # The neurons read a word per cycle from the third cycle without a row on.
    assert all(cycle < last + 3 + word - rows[-1]["target"] + params.streams
               for cycle, word in memory.writes if word >= rows[-1]["target"])
    if "rows" in params.formats:        # zeros that fill a row are not written
        return
    depth = 3 + ("bitmap" in params.formats)
    ends = np.cumsum([row["words"] for row in rows]) - 1
    for row, begun, end in zip(rows, taken, ends, strict=True):
        assert memory.writes[end][0] == begun + row["words"] + depth


@pytest.mark.parametrize("hidden, lanes, cycles", [(64, 16, 4), (64, 32, 2), (64, 64, 1),
                                                   (40, 17, 3)])
def test_rows_throughput(hidden, lanes, cycles):
    """Rows that stream add a word in every cycle, each to what the row before has left there.

    The states are so narrow that they saturate, first at one end, then at the other.
    """
    widths = Widths(weight=5, current=8, membrane=9, decay=6, fraction=1)
    model = nearest_model(retime(tiny_network(2, channels=6, hidden=hidden)), widths, "net")
    case = Case(model, lanes)
    dut, memory, state = case.dut, case.memory, case.state
    rng = np.random.default_rng(4)
    rows = [row for row in case.rows if row[2].target.population.name != "readout"]
    order = [rows[k] for k in rng.integers(0, len(rows), 120)]
    taken = []

    async def feed(ctx):
        for _, _, _, payload in order:
            await stream_put(ctx, dut.i, payload)
            taken.append(memory.cycle)
        await ctx.tick().repeat(cycles + 4)

    simulate(dut, feed, background=(memory.serve,), max_cycles=120 * cycles + 10)
    assert np.diff(taken).tolist() == [cycles] * 119
    assert {row[3]["words"] for row in rows} == {cycles}
    case.add(order)
    assert case.found == state.s.tolist()
    assert state.flags[0]


def test_rows_saturates_and_tells_once():
    """At both ends: clamped, not wrapped, and told in the cycle of the write only."""
    model = deep_model(1)
    high = (1 << model.widths.current - 1) - 1
    weights = np.zeros_like(model.projections[1].weights)
    most = 1 << model.widths.weight - 1
    weights[0, :2], weights[1, :2] = most - 1, -most
    projections = list(model.projections)
    projections[1] = dataclasses.replace(projections[1], weights=weights)
    model = dataclasses.replace(model, projections=tuple(projections))
    case = Case(model, 2)
    dut, memory = case.dut, case.memory
    step = (most - 1) << model.widths.fraction + model.projections[1].shift
    memory.words[0] = [high - step, high - step + 1]
    table, told = case.layout.tables[1], []

    async def feed(ctx):
        for row in (0, 1, 1, 0):
            for _ in range(2 * ((high + 1) // step) if row else 1):
                await stream_put(ctx, dut.i, {"address": table.first + row * table.row_words,
                                              "target": table.target, "words": table.row_words})
            await ctx.tick().repeat(8)
            seen.append(list(memory.words[0]))

    async def watch(ctx):
        async for _, _, saturated in ctx.tick().sample(dut.saturated):
            told.append(saturated)

    seen = []
    simulate(dut, feed, background=(memory.serve, watch), max_cycles=2000)
    assert seen[0] == [high, high]
    assert sum(told[:9]) == 1
    assert seen[1] == seen[2] == [-high - 1, -high - 1]
    assert seen[3] == [step - high - 1] * 2
