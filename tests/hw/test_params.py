# SPDX-License-Identifier: Apache-2.0
"""Numbers of a core that are known before synthesis."""

import dataclasses

import pytest
from spikewright.hw.params import CoreParams, RowPhase, UpdatePhase
from spikewright.plan.images import places, tables_of
from spikewright.plan.program import Kind, schedule

from tests.designs import core_params
from tests.networks import MIXED, deep_model, refused


def test_params_of_a_deep_model():
    """Populations of 5, 3 and 2 neurons in words of 4: 2, 1 and 1 words."""
    params = core_params(deep_model(1), 4)
    assert (params.lanes, params.rows, params.outputs, params.neurons) == (4, 4, 2, 10)
    assert (params.state_words, params.most_row_words, params.most_groups) == (4, 2, 5)
    assert [population.name for population in params.spiking] == ["first", "second"]
    assert params.slots == 8
    assert params.places == places(params.model, 4)
    assert params.tables == tables_of(params.model, 4)
    assert (params.formats, params.memories) == (["dense"], [(5, "dense")])


def test_params_of_mixed_widths():
    """A table's weights are shifted as far as all of them are, its rows by the rest."""
    params = core_params(deep_model(1, MIXED), 4)
    assert params.memories == [(5, "dense"), (3, "dense"), (2, "dense")]
    assert [(place.bits, place.projection.shift) for place in params.places] == [
        (5, 0), (3, 2), (5, 2), (5, 0), (2, 4), (3, 4), (5, 0), (3, 3)]
    assert params.table_shift == {5: 0, 3: 2, 2: 4}
    assert [params.row_shift(place) for place in params.places] == [0, 0, 2, 0, 0, 2, 0, 1]
    assert (params.table_weight, params.row_weight, params.most_row_shift) == (6, 7, 2)
    assert params.table_bits == sum(tables.bits for tables in params.tables.values())


def test_groups_of_lanes():
    """A group is a state word: of populations of 5, 3 and 2 neurons 2, 1 and 1."""
    params = core_params(deep_model(1), 4, neurons="lanes")
    assert (params.units, params.groups, params.most_groups) == (4, 4, 2)
    assert params.neuron_at == [0, 1, 2, 3, 4, -1, -1, -1, 5, 6, 7, -1, 8, 9, -1, -1]
    updates = [phase for phase in params.phases if isinstance(phase, UpdatePhase)]
    assert [(phase.first, phase.groups, phase.word) for phase in updates] == [
        (0, 2, 0), (2, 1, 2), (3, 1, 3)]
    assert {phase.first for phase in params.phases
            if isinstance(phase, RowPhase) and phase.source == 1} == {8}


def test_phases_follow_the_schedule():
    params = core_params(deep_model(1), 2)
    assert [phase.kind for phase in params.phases] == [
        phase.kind for phase in schedule(params.model)]
    base = {"first": 0, "second": 5, "out": 8}
    word = {"first": 0, "second": 3, "out": 5}
    index = {"first": 0, "second": 1, "out": 0}
    for phase, item in zip(params.phases, schedule(params.model), strict=True):
        if isinstance(phase, UpdatePhase):
            population = params.model.populations[item.index]
            assert phase == UpdatePhase(kind=Kind.UPDATE, population=population,
                                        first=base[population.name],
                                        groups=population.neurons, word=word[population.name],
                                        rank=index[population.name])
        else:
            projection = params.model.projections[item.index]
            assert phase == RowPhase(kind=item.kind, place=params.places[item.index],
                                     delay=projection.delay, source=index.get(projection.source, 0),
                                     first=base.get(projection.source, 0))


@pytest.mark.parametrize("delay, slots", [(0, 1), (1, 2), (2, 4), (3, 4), (4, 8), (9, 16)])
def test_slots_hold_the_longest_delay(delay, slots):
    """The present step and ``delay`` earlier ones, in a power of two."""
    model = deep_model(1)
    projections = [dataclasses.replace(projection, delay=delay if k == 0 else 0)
                   for k, projection in enumerate(model.projections) if k in (1, 3, 7)]
    projections[0] = dataclasses.replace(projections[0], delay=0)
    projections[1] = dataclasses.replace(projections[1], delay=delay)
    assert core_params(dataclasses.replace(model, projections=tuple(projections))).slots == slots


def test_params_refuse_what_the_schedule_refuses():
    model = deep_model(1)
    late = tuple(dataclasses.replace(projection, delay=2) if projection.source == "input"
                 else projection for projection in model.projections)
    with refused("Projection input->first must reach the first population with delay 0, not first "
                 "with delay 2", ValueError):
        CoreParams(model=dataclasses.replace(model, projections=late),
                   config=core_params(model).config)
