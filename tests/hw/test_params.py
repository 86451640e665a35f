# SPDX-License-Identifier: Apache-2.0
"""Parameters of every block of a core, from its plan."""

import binascii
import dataclasses

import pytest

from spikewright.hw.operations import AddConstants, Kind, MapConstants
from spikewright.hw.params import core_params, link_params
from spikewright.plan.images import lane_words, neuron_words
from tests.designs import plan_of
from tests.hybrid import hybrid_model
from tests.networks import MIXED, deep_model, model_of_all_parts


def test_params_of_a_deep_model():
    """Populations of 5, 3 and 2 neurons in words of 4: 2, 1 and 1 words."""
    plan = plan_of(deep_model(1))
    core = core_params(plan)
    rows, neurons = core.rows, core.neurons
    assert (rows.lanes, rows.words, rows.row_words, rows.row_shift, rows.weight) == (4, 4, 2, 2, 5)
    assert vars(core.adder) == {"lanes": 4, "words": 4, "current": 9, "fraction": 2, "weight": 5,
                                "row_shift": 2, "shifted": 7, "streams": False, "gain": 0,
                                "clamps": True}
    assert (rows.formats, rows.widths, rows.streams, rows.large) == ({"dense"}, [5], False, False)
    assert [(m.format, m.bits, m.shift, m.images) for m in rows.memories] == [
        ("dense", 5, 0, plan.layout.images[5])]
    assert (neurons.lanes, neurons.words, neurons.units, neurons.groups) == (4, 4, 1, 10)
    assert (neurons.current, neurons.membrane, neurons.decay) == (9, 11, 6)
    assert (neurons.factor, neurons.column, neurons.resets) == (6, 6, ("zero_lose",))
    assert neurons.image == neuron_words(plan.model) and neurons.largest == 1023
    assert vars(core.currents) == {"lanes": 4, "words": 4, "width": 9, "streams": False}
    assert vars(core.spikes) == {"groups": 10, "units": 1, "lists": 2, "list_groups": 5,
                                 "slots": 8, "streams": False, "rows": 0, "room": 0, "value": 0,
                                 "restarts": False, "reach": ()}
    sequencer = core.sequencer
    assert (sequencer.rows, sequencer.words, sequencer.decays, sequencer.streams) == (
        4, 4, False, False)
    assert (core.update, core.outputs, core.decay_cycles) == ("parallel", ((8, 0), (9, 0)), 0)


def test_params_of_mixed_widths():
    """A memory's weights are shifted as far as all of them are, its rows by the rest."""
    core = core_params(plan_of(deep_model(1, None, MIXED)))
    assert [(m.bits, m.format, m.shift) for m in core.rows.memories] == [
        (5, "dense", 0), (3, "dense", 2), (2, "dense", 4)]
    # In order of operations: projections 0, 2, 1; 3, 4; 5, 6, 7.
    adds = [o for o in core.sequencer.program.operations if isinstance(o, AddConstants)]
    assert [(o.width, o.shift) for o in adds] == [
        (0, 0), (0, 2), (1, 0), (0, 0), (2, 0), (1, 2), (0, 0), (1, 1)]
    assert (core.rows.weight, core.adder.shifted, core.rows.row_shift) == (6, 7, 2)


def test_params_of_lanes():
    """A group is a state word: of populations of 5, 3 and 2 neurons 2, 1 and 1."""
    plan = plan_of(deep_model(1), neurons="lanes")
    core = core_params(plan)
    assert (core.neurons.units, core.neurons.groups) == (4, 4)
    assert core.neurons.image == lane_words(plan.model, 4)
    assert (core.spikes.units, core.spikes.groups, core.spikes.list_groups) == (4, 4, 2)
    assert (core.update, core.outputs, core.decay_cycles) == ("lanes", ((3, 0), (3, 1)), 4)
    assert core.sequencer.decays
    operations = core.sequencer.program.operations
    assert [(o.first, o.count, o.word) for o in operations if isinstance(o, MapConstants)] == [
        (0, 2, 0), (2, 1, 2), (3, 1, 3)]
    assert {o.origin for o in operations if isinstance(o, AddConstants) and o.list == 1} == {8}


def test_params_of_more_lanes_than_stream():
    core = core_params(plan_of(deep_model(1), 17, multiplier="serial"))
    assert core.rows.streams and core.currents.streams and core.spikes.streams
    assert core.sequencer.streams and core.update == "serial"
    assert not core_params(plan_of(deep_model(1), 17, tables="rows")).rows.streams


def test_operations_follow_the_program():
    """Two lanes: words 0, 3 and 5, rows of 3, 2 and 1 words."""
    def add(kind, delay, number, origin, first, words, target, shift):
        return AddConstants(kind=kind, delay=delay, list=number, origin=origin, format="dense",
                            first=first, first_row=0, words=words, target=target, shift=shift,
                            width=0)

    assert core_params(plan_of(deep_model(1), 2)).sequencer.program.operations == (
        add(Kind.SPIKES, 2, 0, 0, 0, 3, 0, 0),
        add(Kind.SPIKES, 4, 1, 5, 27, 3, 0, 2),
        add(Kind.INPUT, 0, 0, 0, 15, 3, 0, 0),
        MapConstants(first=0, count=5, word=0, list=0, mode=0),
        add(Kind.SPIKES, 0, 0, 0, 36, 2, 3, 0),
        add(Kind.SPIKES, 1, 1, 5, 46, 2, 3, 1),
        MapConstants(first=5, count=3, word=3, list=1, mode=0),
        add(Kind.SPIKES, 5, 0, 0, 52, 1, 5, 2),
        add(Kind.SPIKES, 0, 1, 5, 57, 1, 5, 0),
        add(Kind.SPIKES, 0, 0, 0, 60, 1, 5, 1),
        MapConstants(first=8, count=2, word=5, list=0, mode=0))


def test_params_of_every_kind_of_neuron():
    """A decay of 1 takes a bit more; the log of the input is one more list, of 64 events."""
    model, _ = model_of_all_parts()
    core = core_params(plan_of(model))
    assert (core.neurons.decay, core.neurons.factor, core.neurons.column) == (4, 5, 8)
    assert core.neurons.resets == ("none", "subtract_next", "subtract_same", "zero_keep",
                                   "zero_lose")
    assert (core.spikes.lists, core.spikes.all_lists, core.spikes.rows, core.spikes.room) == (
        6, 7, 5, 64)
    assert core.sequencer.logs and not core.sequencer.takes_only
    operations = core.sequencer.program.operations
    assert {o.list for o in operations if isinstance(o, AddConstants) and o.kind == Kind.INPUT} == {
        6}
    # The populations: constant, start, keep, next, same, lose, out.
    assert sorted(o.mode for o in operations if isinstance(o, MapConstants)) == [
        0, 0, 1, 2, 3, 4, 4]


def test_params_of_input_that_is_only_taken():
    """No projection needs the events in their own step."""
    model = deep_model(1)
    late = dataclasses.replace(model.projections[1], delay=1)
    model = dataclasses.replace(model, projections=(model.projections[0], late,
                                                    *model.projections[2:]))
    core = core_params(plan_of(model))
    first, *_ = core.sequencer.program.operations
    assert core.sequencer.takes_only and core.sequencer.logs
    assert (first.kind, first.delay, first.list) == (Kind.INPUT, 0, 2)


@pytest.mark.parametrize("delay, slots", [(0, 1), (1, 2), (2, 4), (3, 4), (4, 8), (9, 16)])
def test_slots_hold_the_longest_delay(delay, slots):
    """The present step and ``delay`` earlier ones, in a power of two."""
    model = deep_model(1)
    projections = [dataclasses.replace(projection, delay=0)
                   for k, projection in enumerate(model.projections) if k in (1, 3, 7)]
    projections[1] = dataclasses.replace(projections[1], delay=delay)
    model = dataclasses.replace(model, projections=tuple(projections))
    assert core_params(plan_of(model)).spikes.slots == slots


def test_a_factor_holds_each_value_of_2_bits():
    """-2 is no sign."""
    core = core_params(plan_of(pool_model(value_bits=(2, 2))))
    assert core.rows.gain == core.adder.gain == 3


@pytest.mark.parametrize("period, alone", [(1, False), (2, False), (4, True)])
def test_values_that_come_most_often_have_a_log_of_their_own(period, alone):
    """The pool gives in every second step."""
    core = core_params(plan_of(pool_model(period)))
    assert (core.spikes.series is not None) == alone


def pool_model(period=4, **choices):
    """A model of one pool, and of neurons that are updated every ``period`` steps."""
    model = hybrid_model(0, features=(4, 4), **choices)
    return dataclasses.replace(
        model,
        populations=tuple(p if p.pools else dataclasses.replace(p, period=period, phase=0)
                          for p in model.populations if p.name != "pool2"),
        projections=tuple(
            dataclasses.replace(p, source="pool1", shift=0) if p.source == "pool2" else p
            for p in model.projections if p.target != "pool2"))


@pytest.mark.parametrize("lanes, streams", [(16, False), (17, True)])
def test_all_logs_are_read_ahead_where_rows_stream(lanes, streams):
    logs = core_params(plan_of(hybrid_model(1), lanes)).spikes
    assert [log.streams for log in (logs.spikes, logs.window, logs.series)] == [streams] * 3


def test_hybrid_network_has_no_more_logic_than_it_needs():
    """No clamp of a current, no comparison for a reset, counts for its delays, an ample series."""
    core = core_params(plan_of(hybrid_model(2)))
    assert not core.adder.clamps and core.neurons.neurons.resets == ("none", "zero_keep")
    spans = plan_of(hybrid_model(2)).layout.spans
    assert core.spikes.spikes.reach == tuple(
        (delay, spans[name].groups)
        for name, delay in (("pool2", 0), ("constant", 2), ("lif1", 1), ("lif2", 2)))
    assert core.spikes.series.ample and not core.spikes.window.ample


def test_link_params_of_a_plan():
    model_hash = "0123456789abcdef" * 4
    link = link_params(plan_of(deep_model(1)), model_hash=model_hash, clock_hz=12_000_000)
    assert (link.rows, link.outputs, link.width, link.baud) == (4, 2, 11, 1_000_000)
    assert (link.model_hash, link.clock_hz, link.table) == (
        bytes.fromhex("0123456789abcdef"), 12_000_000, None)


def test_link_params_of_a_table_that_is_loaded():
    """45 words of 20 bits."""
    plan = plan_of(deep_model(1), weight_memory="large")
    link = link_params(plan, model_hash="00" * 32, clock_hz=8_000_000, baud=500_000)
    assert vars(link.table) == {"words": 45, "word_bytes": 3, "lanes": 4, "there": False,
                                "staged": False,
                                "crc": binascii.crc_hqx(plan.loaded_bytes, 0xffff)}
    assert link.baud == 500_000
    core = core_params(plan)
    assert core.rows.large and core.rows.load["byte"].width == 2
