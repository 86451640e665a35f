# SPDX-License-Identifier: Apache-2.0
"""A plan: the bytes that a host loads, and tables that large RAMs cannot hold."""

import dataclasses

import numpy as np
import pytest

from spikewright.plan.plan import suited
from tests.designs import plan_of
from tests.hybrid import hybrid_model
from tests.networks import MIXED, deep_model, refused
from tests.units import graded_model, inner_model, mixed_model


def test_plan_loads_nothing_into_block_ram():
    plan = plan_of(deep_model(1))
    assert (plan.large, plan.loaded, plan.loaded_bytes) == (False, [], b"")


@pytest.mark.parametrize("lanes, word_bytes", [(1, 1), (3, 2), (8, 5), (12, 8)])
def test_plan_loads_words(lanes, word_bytes):
    """Words of 5 bits per lane, byte by byte."""
    plan = plan_of(deep_model(1), lanes, weight_memory="large")
    assert plan.large and plan.loaded == plan.layout.images[5].dense
    assert plan.word_bytes == word_bytes
    assert len(plan.loaded_bytes) == word_bytes * len(plan.loaded)
    assert int.from_bytes(plan.loaded_bytes[:word_bytes], "little") == plan.loaded[0]


def test_choices_that_a_model_needs():
    """With a serial multiplier, no current may be clamped."""
    parallel = {"neurons": "shared", "multiplier": "parallel"}
    assert suited(deep_model(1)) == {}
    assert suited(graded_model(0)) == suited(hybrid_model(0)) == {"neurons": "shared"}
    assert suited(mixed_model(1)) == suited(inner_model(0)) == parallel


@pytest.mark.parametrize("neurons, units", [("shared", 1), ("lanes", 4)])
def test_plan_has_one_layout(neurons, units):
    plan = plan_of(deep_model(1), neurons=neurons, tables="rows")
    layout = plan.layout
    assert (layout.lanes, layout.units, layout.tables_format) == (4, units, "rows")
    assert plan.layout is layout and plan.program is plan.program


@pytest.mark.parametrize("rows, lanes, text", [
    (4,       13, ("Lanes times weight bits must be at most 64 in large weight memory, not 13 "
                   "times 5")),
    (32_740,   5, ("Words of 5 weights must be at most 32768 in large weight memory, not 32769: "
                   "take more lanes")),
])
def test_plan_refuses_a_table_that_is_too_large(rows, lanes, text):
    """The others have 5 + 3 + 5 + 3 + 5 + 3 + 5 rows of one word of 5 weights each."""
    model = deep_model(1)
    k = next(k for k, p in enumerate(model.projections) if p.source == "input")
    projections = list(model.projections)
    projections[k] = dataclasses.replace(projections[k], weights=np.zeros((rows, 5), np.int64))
    model = dataclasses.replace(model, projections=tuple(projections), channels=rows,
                                channel_row=np.arange(rows))
    with refused(text, ValueError):
        plan_of(model, lanes, weight_memory="large")


def test_plan_refuses_tables_of_several_widths():
    with refused("Weights must have the same bits in every projection in large weight memory, not "
                 "5 and 3 and 2", ValueError):
        plan_of(deep_model(1, None, MIXED), weight_memory="large")
