# SPDX-License-Identifier: Apache-2.0
"""The cycle contract on steps calculated by hand. tests/sim compares it with the hardware."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.integers import Widths
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.plan.timing import step_timing, worst_events, worst_step
from tests.designs import plan_of
from tests.networks import make_recording, nearest_model, random_recording, tiny_network


@pytest.fixture(scope="module")
def model():
    """16 hidden neurons and 2 outputs: rows of 4 words and of 1 word with 4 lanes."""
    return nearest_model(retime(tiny_network(0, channels=6, hidden=16)), Widths(), "net")


# The hidden update takes 1 + 2 * 16 + 4 = 37 cycles, that of the outputs 1 + 2 * 2 + 4 = 9, and
# an Add of spikes that finds nothing 2. Rows: recurrent spikes due, input events, spikes now.
@pytest.mark.parametrize("lanes, rows, cycles, latency", [
    (4,  (0, 0, 0), 50, 49),    # 2 + 37 + 2 + 9; the STEP token is taken in cycle 2
    (4,  (0, 1, 0), 54, 54),    # the row of 4 cycles comes on top
    (4,  (0, 3, 0), 62, 57),    # three rows; the last is taken in the ninth cycle before the Map
    (4,  (2, 0, 0), 60, 49),    # rows taken in cycles 3 and 7, the adder is free in 12
    (4,  (2, 1, 0), 64, 55),    # the event waits for the adder, from cycle 9 to 12
    (4,  (0, 0, 1), 55, 54),    # a row of 3 cycles taken in 42, free in 46, then 9
    (4,  (0, 0, 3), 61, 60),    # rows taken in 42, 45 and 48, free in 52
    (1,  (1, 2, 0), 100, 81),   # rows of 16 cycles: taken in 3, free in 20, INPUT until 52
    (16, (0, 2, 0), 56, 55),    # rows of one word take 3 cycles
    (64, (0, 2, 0), 52, 51),    # and a cycle where they stream
    (64, (3, 0, 2), 59, 53),    # rows taken in 3, 4 and 5, 47 and 48; the updates begin 2 later
])
def test_step_timing(model, lanes, rows, cycles, latency):
    due, events, now = rows
    found = step_timing(plan_of(model, lanes), np.array([[due, events, 0, now, 0]]))
    assert [int(column[0]) for column in found] == [cycles, latency]


# With a unit per lane and 4 lanes, the updates take 4 + 6 = 10 and 1 + 6 = 7 cycles, and then all
# 5 words decay; with one lane 16 + 6 = 22, 2 + 6 = 8 and 18.
@pytest.mark.parametrize("lanes, rows, cycles, latency", [
    (4, (0, 0, 0), 26, 20),     # 2 + 10 + 2 + 7 + 5
    (4, (0, 3, 0), 38, 28),     # three rows of 4 cycles; 8 + 3 cycles of them after the last event
    (4, (2, 1, 0), 40, 26),     # the event is taken in 9, the adder is free of all three in 16
    (4, (0, 0, 3), 37, 31),     # rows taken in 15, 18 and 21, free in 25
    (1, (0, 0, 0), 52, 33),     # 2 + 22 + 2 + 8 + 18
])
def test_step_timing_of_lanes(model, lanes, rows, cycles, latency):
    due, events, now = rows
    found = step_timing(plan_of(model, lanes, neurons="lanes"),
                        np.array([[due, events, 0, now, 0]]))
    assert [int(column[0]) for column in found] == [cycles, latency]


def test_step_timing_of_a_serial_multiplier(model):
    """A tick of 12 bits and 1; 2 ticks a neuron, 3 for the pipeline, and a cycle to start."""
    cycles, latency = step_timing(plan_of(model, 1, multiplier="serial"),
                                  np.array([[0, 0, 0, 0, 0]]))
    assert cycles.tolist() == [2 + (1 + 13 * 35) + 2 + (1 + 13 * 7)]
    assert latency.tolist() == [cycles[0] - 1]


def test_step_timing_of_rows_that_wait_for_the_adder(model):
    """Two recurrent projections, one lane: the second row, fetched in cycle 8, waits until 19."""
    again = dataclasses.replace(model.projections[0], delay=4)
    model = dataclasses.replace(model, projections=(again, *model.projections))
    cycles, _ = step_timing(plan_of(model, 1), np.array([[1, 1, 0, 0, 0, 0]]))
    assert cycles.tolist() == [19 + 16 + 1 + 37 + 2 + 9]


def test_step_timing_is_per_step(model):
    recording = random_recording(0, 6, 200)
    answer, plan = run_golden(model, recording, CoreConfig()), plan_of(model)
    assert answer.spikes.any()
    for t in range(200):
        due = answer.spikes[t - 3].sum() if t >= 3 else 0
        rows = [[due, np.diff(recording.start)[t], 0, answer.spikes[t].sum(), 0]]
        cycles, latency = step_timing(plan, np.array(rows))
        assert (cycles[0], latency[0]) == (answer.cycles[t], answer.latency[t])


def test_step_timing_leaves_out_channels_without_rows(model):
    row = model.channel_row.copy()
    row[0], row[5] = -1, 0
    inward = dataclasses.replace(model.projections[1], weights=model.projections[1].weights[:5])
    smaller = dataclasses.replace(model, channel_row=row, projections=(
        model.projections[0], inward, model.projections[2]))
    answer = run_golden(smaller, make_recording([[0, 0], []], 6), CoreConfig())
    assert answer.cycles.tolist() == [50, 50]


def test_more_events_never_take_fewer_cycles(model):
    rng = np.random.default_rng(0)
    for lanes in (1, 3, 8):
        rows = rng.integers(0, 12, (200, 5)) * [1, 1, 0, 1, 0]
        more = rows + rng.integers(0, 2, (200, 5)) * [1, 1, 0, 1, 0]
        few, many = (step_timing(plan_of(model, lanes), events)[0]
                     for events in (rows, more))
        assert (many >= few).all()


def test_worst_events(model):
    worst = worst_events(plan_of(model), 7)
    assert worst.tolist() == [[16, 7, 0, 16, 0]]
    recording = make_recording([list(range(6)) + [0]] * 300, 6)
    longest, _ = step_timing(plan_of(model), worst)
    assert run_golden(model, recording, CoreConfig()).cycles.max() <= longest[0]


def test_worst_step_of_one_frame(model):
    """No number of events up to 218, the most of a frame, takes longer."""
    plan = plan_of(model)
    cycles, latency = np.concatenate([step_timing(plan, worst_events(plan, events))
                                      for events in range(219)], axis=1)
    assert worst_step(plan) == (cycles.max(), latency.max())
