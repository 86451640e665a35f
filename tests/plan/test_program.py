# SPDX-License-Identifier: Apache-2.0
"""The step program: its operations in order, and the forms that it refuses."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from spikewright.model.integers import Widths
from spikewright.network.network import INPUT
from spikewright.network.retime import retime
from spikewright.plan.layout import RowTable
from spikewright.plan.program import Add, Source, row_period, tick_cycles
from tests.designs import plan_of
from tests.networks import deep_model, nearest_model, refused, tiny_network


def operations_of(model, lanes=4, **choices):
    """Source, origin, delay, projection, target, shift and period of an `Add`; span and cycles."""
    return [(o.source.name, o.origin and o.origin.population.name, o.delay, o.projection,
             o.target.population.name, o.shift, o.period) if isinstance(o, Add)
            else (o.span.population.name, o.cycles)
            for o in plan_of(model, lanes, **choices).program.operations]


def test_operations_of_the_published_form():
    """16 hidden neurons: rows of 4 words and of 1 word; 1 + 2 * 16 + 4 and 1 + 2 * 2 + 4 cycles."""
    model = nearest_model(retime(tiny_network(0, channels=6, hidden=16)), Widths(fraction=4), "net")
    assert operations_of(model) == [
        ("SPIKES", "hidden", 3, 0, "hidden", 4, 4),
        ("INPUT", None, 0, 1, "hidden", 4, 4),
        ("hidden", 37),
        ("SPIKES", "hidden", 0, 2, "readout", 4, 3),
        ("readout", 9)]


def test_operations_of_a_deep_model():
    """For each population: its spikes in order of projections, then the input, then the `Map`."""
    assert operations_of(deep_model(0)) == [
        ("SPIKES", "first", 2, 0, "first", 2, 3),
        ("SPIKES", "second", 4, 2, "first", 4, 3),
        ("INPUT", None, 0, 1, "first", 2, 3),
        ("first", 15),
        ("SPIKES", "first", 0, 3, "second", 2, 3),
        ("SPIKES", "second", 1, 4, "second", 3, 3),
        ("second", 11),
        ("SPIKES", "first", 5, 5, "out", 4, 3),
        ("SPIKES", "second", 0, 6, "out", 2, 3),
        ("SPIKES", "first", 0, 7, "out", 3, 3),
        ("out", 9)]


@pytest.mark.parametrize("lanes, choices, maps, decay, streams", [
    (4,  {}, [15, 11, 9], 0, False),
    (17, {}, [15, 11, 9], 0, True),
    (17, {"tables": "rows"}, [15, 11, 9], 0, False),
    # 1 + 7 * (2 * 5 + 3), and so on: a tick of 6 bits and 1.
    (4,  {"multiplier": "serial"}, [92, 64, 50], 0, False),
    (4,  {"neurons": "lanes"}, [8, 7, 7], 4, False),
    (1,  {"neurons": "lanes"}, [11, 9, 8], 10, False),
])
def test_cycles_of_a_deep_model(lanes, choices, maps, decay, streams):
    program = plan_of(deep_model(0), lanes, **choices).program
    assert [o.cycles for o in program.operations if not isinstance(o, Add)] == maps
    assert (program.decay_cycles, program.streams, program.longest_delay) == (decay, streams, 5)
    assert len(program.adds) == 8
    assert [o.source for o in program.adds].count(Source.INPUT) == 1


@pytest.mark.parametrize("name, words, period", [
    ("dense", 1, 3), ("dense", 2, 3), ("dense", 3, 3), ("dense", 4, 4), ("bitmap", 1, 3),
    ("bitmap", 16, 16), ("rows", 1, 3), ("rows", 2, 4), ("rows", 14, 16)])
def test_row_period(name, words, period):
    """With many lanes, dense rows take no more cycles than they have words."""
    def of(lanes, *tables):
        return row_period(table, SimpleNamespace(lanes=lanes, tables=tables))

    table = RowTable(bits=8, format=name, first=0, first_row=0, row_words=words, rows=1, target=0)
    assert of(16, table) == period
    listed = dataclasses.replace(table, format="rows")
    assert of(64, table, listed) == of(1, table, listed)
    assert of(1, table, listed) == words + 2
    assert of(17, table) == (words if name == "dense" else period)


def test_tick_cycles():
    assert (tick_cycles(12, "parallel"), tick_cycles(12, "serial")) == (1, 13)


def _changed(**changes):
    """The deep model with another projection from the input."""
    model = deep_model(0)
    assert model.projections[1].source == INPUT
    edge = dataclasses.replace(model.projections[1], **changes)
    return dataclasses.replace(model, projections=(model.projections[0], edge,
                                                   *model.projections[2:]))


def test_program_with_late_input():
    """The events are only taken at first; the log gives them to a later step."""
    program = plan_of(_changed(delay=2)).program
    first, _, late, *_ = program.operations
    assert (first.source, first.target, first.period) == (Source.INPUT, None, 0)
    assert (late.source, late.delay, late.target.population.name) == (Source.LOG, 2, "first")
    assert program.log_room == 64


def test_program_with_input_of_the_second_population():
    program = plan_of(_changed(target="second", weights=np.zeros((4, 3), int))).program
    taken, = (add for add in program.adds if add.source == Source.INPUT)
    assert taken.target.population.name == "second" and program.log_room == 0


def test_program_with_several_inputs():
    """One takes the events. The log gives them again, in this step after they are taken."""
    model = _changed()
    again = [dataclasses.replace(model.projections[1], delay=delay) for delay in (0, 3)]
    model = dataclasses.replace(model, projections=(*again, *model.projections))
    sources = [(add.source.name, add.delay) for add in plan_of(model).program.adds
               if add.target.population.name == "first"]
    assert sources == [("LOG", 3), ("SPIKES", 2), ("SPIKES", 4), ("INPUT", 0), ("LOG", 0)]


def test_program_without_input_is_refused():
    with refused("Model must have an input projection, not none", ValueError):
        plan_of(_changed(source="second", delay=1, weights=np.zeros((3, 5), int)))
