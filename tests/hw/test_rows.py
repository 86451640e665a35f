# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Row adder against golden.core.add_row, in values, in cycles and in its flag."""

import dataclasses

import numpy as np
import pytest
from spikewright.golden.core import add_row
from spikewright.hw.engines.rows import RowAdder
from spikewright.hw.layouts import TableFormat
from spikewright.model.model import Widths
from spikewright.network.retime import retime
from spikewright.plan.program import Kind, schedule
from spikewright.plan.timing import row_period

from tests.designs import core_params
from tests.hw.bench import simulate, stream_put
from tests.hw.core_bench import PlainCurrents, currents_of, golden_of, lane_values
from tests.networks import MIXED, deep_model, nearest_model, tiny_network


def rows_of(model, params):
    """Every row of a model: phase of golden, number over all projections, payload of the adder."""
    first = np.cumsum([0, *(len(projection.weights) for projection in model.projections)])
    for k, phase in enumerate(schedule(model)):
        if phase.kind != Kind.UPDATE:
            place = params.places[phase.index]
            for row in range(place.rows):
                yield k, int(first[phase.index]) + row, place, {
                    "format": TableFormat[place.format.upper()], "target": place.target,
                    "address": place.first + row * place.row_words, "words": place.row_words,
                    "row": place.first_row + row, "shift": params.row_shift(place),
                } | ({"width": params.width_number(place.bits)} if len(params.tables) > 1 else {})


TABLES = [("dense", 1), ("dense", 3), ("dense", 16), ("bitmap", 1), ("bitmap", 4), ("bitmap", 16),
          ("rows", 1), ("rows", 4), ("smallest", 2), ("smallest", 8), ("dense", 17)]


@pytest.mark.parametrize("widths", [None, MIXED], ids=["alike", "mixed"])
@pytest.mark.parametrize("stall", [0, 1, 7])
@pytest.mark.parametrize("tables, lanes", TABLES)
def test_row_adder(tables, lanes, stall, widths):
    model = deep_model(6, widths)
    params = core_params(model, lanes, tables=tables)
    dut = RowAdder(params)
    memory = PlainCurrents(dut)
    constants, state = golden_of(model)
    rng = np.random.default_rng(1)
    start = rng.integers(-200, 200, len(state.s))
    state.s[:] = start
    memory.words = lane_values(model, lanes, start)
    rows = list(rows_of(model, params))
    order = [rows[k] for k in rng.integers(0, len(rows), 60)]
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
             max_cycles=10 + sum(row_period(place, params.places, lanes) + stall
                                 for _, _, place, _ in order))
    for phase, number, _, _ in order:
        add_row(constants, state, phase, number)
    # Lanes past the last neuron of a population have no weights: only neurons are compared.
    assert currents_of(model, lanes, memory.words).tolist() == state.s.tolist()
    assert any(flags) == bool(state.flags[0])
    if "rows" not in params.formats:
        assert len(memory.writes) == sum(row["words"] for _, _, _, row in order)


@pytest.mark.parametrize("tables, lanes", TABLES)
def test_row_adder_cycles(tables, lanes):
    """Rows follow without a gap; the last word is written in time; ``active`` covers the row."""
    model = deep_model(6)
    params = core_params(model, lanes, tables=tables)
    dut = RowAdder(params)
    memory = PlainCurrents(dut)
    chosen = [(place, payload) for _, _, place, payload in rows_of(model, params)][:12]
    rows = [payload for _, payload in chosen]
    period = [row_period(place, params.places, lanes) for place, _ in chosen]
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
def test_row_adder_throughput(hidden, lanes, cycles):
    """Rows that stream add a word in every cycle, each to what the row before has left there.

    The states are so narrow that they saturate, first at one end, then at the other.
    """
    widths = Widths(weight=5, current=8, membrane=9, decay=6, fraction=1)
    model = nearest_model(retime(tiny_network(2, channels=6, hidden=hidden)), widths, "net")
    params = core_params(model, lanes)
    dut = RowAdder(params)
    memory = PlainCurrents(dut)
    constants, state = golden_of(model)
    rng = np.random.default_rng(4)
    rows = [row for row in rows_of(model, params) if row[2].projection.target != "readout"]
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
    for phase, number, _, _ in order:
        add_row(constants, state, phase, number)
    assert currents_of(model, lanes, memory.words).tolist() == state.s.tolist()
    assert state.flags[0]


def test_row_adder_saturates_and_tells_once():
    """At both ends: clamped, not wrapped, and told in the cycle of the write only."""
    model = deep_model(1)
    high = (1 << model.widths.current - 1) - 1
    weights = np.zeros_like(model.projections[1].weights)
    most = 1 << model.widths.weight - 1
    weights[0, :2], weights[1, :2] = most - 1, -most
    projections = list(model.projections)
    projections[1] = dataclasses.replace(projections[1], weights=weights)
    model = dataclasses.replace(model, projections=tuple(projections))
    params = core_params(model, 2)
    dut = RowAdder(params)
    memory = PlainCurrents(dut)
    step = (most - 1) << model.widths.fraction + model.projections[1].shift
    memory.words[0] = [high - step, high - step + 1]
    place, told = params.places[1], []

    async def feed(ctx):
        for row in (0, 1, 1, 0):
            for _ in range(2 * ((high + 1) // step) if row else 1):
                await stream_put(ctx, dut.i, {"address": place.first + row * place.row_words,
                                              "target": place.target, "words": place.row_words})
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
