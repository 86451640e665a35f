# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Graded values without multipliers: a row for each signed digit of a value, and their cycles.

``SPIKEWRIGHT_NETWORKS=5000`` in the environment runs 300 random models instead of 3, 60 hybrid ones
instead of 1, and all values of a unit instead of some.
"""

import dataclasses
import os

import numpy as np
import pytest
from amaranth import Signal, signed

from spikewright.golden import core as golden
from spikewright.golden.run import run_golden
from spikewright.hw.arith import signed_digits
from spikewright.hw.params import core_params
from spikewright.model.integers import IntegerProjection
from spikewright.network.network import INPUT
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.plan.program import Add, Source
from spikewright.plan.timing import step_timing, worst_events
from spikewright.quantize.decays import signed_powers
from tests.designs import plan_of
from tests.graded import random_counts, recording_of
from tests.hw.test_arith import evaluate
from tests.hw.test_core import check_core
from tests.hybrid import hybrid_model
from tests.networks import make_recording, random_recording
from tests.units import graded_model, units_of

LONG = bool(os.environ.get("SPIKEWRIGHT_NETWORKS"))
SERIAL = {"multiplier": "serial"}

# Small models of one and two layers of units: windows that fill, and silent steps.
SEEDS = range(300) if LONG else (2, 8, 26)

CHOICES = ({}, {"lanes": 1}, {"lanes": 17}, {"tables": "rows"}, {"tables": "bitmap"}, {"lanes": 3},
           {"lanes": 2, "tables": "smallest"}, {"lanes": 64})

# By hand: the digits of a value, the lowest first.
BY_HAND = {
    0: [], 1: [1], -1: [-1], 2: [2], 3: [-1, 4], -3: [1, -4], 5: [1, 4], 6: [-2, 8], 7: [-1, 8],
    11: [-1, -4, 16], -11: [1, 4, -16], 85: [1, 4, 16, 64], 86: [-2, -8, -32, 128], 96: [-32, 128],
    127: [-1, 128], -127: [1, -128], -128: [-128], -86: [2, 8, 32, -128], 171: [-1, -4, -16, -64,
                                                                               256],
    255: [-1, 256], 170: [2, 8, 32, 128], 128: [128], 254: [-2, 256], 240: [-16, 256]}


def digits_of(value):
    """The signed powers of two, the lowest first."""
    return signed_powers(value)[::-1] if value >= 0 else [-p for p in signed_powers(-value)][::-1]


@pytest.mark.parametrize("bits", [2, 3, 8, 9])
def test_digits_of_every_value(bits):
    """Their sum is the value, no two are neighbours, and (bits + 1) // 2 is the most."""
    value = Signal(signed(bits))
    every = range(-(1 << bits - 1), 1 << bits - 1)
    places, minus = signed_digits(value)
    rows, most = [(v,) for v in every], 0
    for v, found, less in zip(every, evaluate(places, [value], rows),
                              evaluate(minus[:bits].as_unsigned(), [value], rows), strict=True):
        digits = [-(1 << k) if less >> k & 1 else 1 << k for k in range(bits) if found >> k & 1]
        assert digits == BY_HAND.get(v, digits_of(v)) == digits_of(v) and sum(digits) == v
        assert found & found << 1 == 0 and golden.signed_digits(v) == len(digits)
        most = max(most, len(digits))
    assert most == (bits + 1) // 2


def valued_model(bits, *, weights=(3, -4)):
    """A unit whose value is the sum of the events of a step, event of row k counting 2**k.

    The outputs are its value times the weights.
    """
    model = graded_model(8, rows=bits - 1)
    unit = units_of("unit", 1, bits=bits, factor=np.array([2]))
    outputs = units_of("out", len(weights), output=True)
    projections = (
        IntegerProjection(source=INPUT, target="unit", delay=0, until=1, bits=16,
                          weights=1 << np.arange(bits - 1)[:, None]),
        IntegerProjection(source="unit", target="out", delay=0, bits=16,
                          weights=np.array([weights])))
    widths = dataclasses.replace(model.widths, weight=16, current=28, membrane=28)
    return dataclasses.replace(
        model, name="valued", widths=widths, populations=(unit, outputs), projections=projections,
        channels=bits - 1, channel_row=np.arange(bits - 1), readout=np.eye(len(weights)),
        offset=None, silent_steps=0, fill_steps=0)


def recording_of_values(values, bits):
    """In each step the events that make a value."""
    return make_recording([[k for k in range(bits - 1) if v >> k & 1] for v in values], bits - 1)


@pytest.mark.parametrize("lanes", [1, 17])
def test_values_and_cycles_of_each_value(lanes):
    """A value adds its row for each digit: 3 cycles each, or one where rows stream."""
    bits, base = 9, [] if not LONG else range(256)
    values = [0, 255, 0, 128, 127, 1, 3, 85, 86, 171, 170, 240, 254, 255, 255, 0, *base]
    plan = plan_of(valued_model(bits), lanes, **SERIAL)
    recording = recording_of_values(values, bits)
    answer = run_golden(plan.model, recording, plan.config)
    assert answer.velocity_int.tolist() == [[3 * v, -4 * v] for v in values]
    assert answer.values[:, 0].tolist() == values and not answer.saturated.any()
    ones = np.array([v.bit_count() for v in values])
    events = np.stack([np.concatenate([[0], ones[:-1]]), ones, 0 * ones,
                       [len(digits_of(v)) for v in values], 0 * ones], 1)
    cycles, _ = step_timing(plan, events)
    assert answer.cycles.tolist() == cycles.tolist()
    # One row more, one period more.
    row = 3 if lanes == 1 else 1
    assert step_timing(plan, events + [0, 0, 0, 1, 0])[0][1] - cycles[1] == row
    check_core(plan, recording, seed=1, stall=0, most=lambda cycles: 4 * cycles + 2000)


@pytest.mark.parametrize("seed", SEEDS)
def test_rtl_equals_golden(seed):
    rng = np.random.default_rng(seed)
    model, stall = graded_model(seed), int(rng.choice([0, 1, 9]))
    config = CoreConfig(**CHOICES[seed % len(CHOICES)], **SERIAL)
    recording = random_recording(seed, model.channels, 24 if LONG else 12,
                                 rate=float(rng.choice([0.2, 1, 3])), reset=[6, 7])
    stalls = stall * (len(recording.channel) + 2 * recording.steps)
    check_core(Plan(model=model, config=config), recording, seed=seed, stall=stall,
               most=lambda cycles: 4 * cycles + 3 * stalls + 2000)


@pytest.mark.parametrize("seed", range(60 if LONG else 1))
def test_rtl_of_hybrid_networks_equals_golden(seed):
    """Signed values of pools, a log of earlier ones, and neurons with a serial multiplier."""
    model = hybrid_model(seed)
    counts = np.concatenate([random_counts(seed + 100, 8, 6, rate=0.5), np.full((3, 6), 3)])
    recording = recording_of(counts)
    recording.reset[5] = True
    plan = plan_of(model, (4, 1, 17)[seed % 3], **SERIAL)
    values = run_golden(model, recording, plan.config).values
    assert values.min() < 0 < values.max()
    check_core(plan, recording, seed=seed, stall=0, most=lambda cycles: 4 * cycles + 2000)


def test_answers_are_those_of_multipliers():
    """Only the cycles differ, and no step takes longer than the proven one."""
    for seed in range(60):
        model = graded_model(seed) if seed % 4 else hybrid_model(seed)
        recording = random_recording(seed, model.channels, 60, rate=2)
        serial, parallel = (run_golden(model, recording, CoreConfig(multiplier=name))
                            for name in ("serial", "parallel"))
        for name in ("velocity_int", "values", "spikes", "saturated"):
            assert np.array_equal(getattr(serial, name), getattr(parallel, name))
        plan = plan_of(model, **SERIAL)
        most = int(np.diff(recording.start).max())
        worst, _ = step_timing(plan, worst_events(plan, most))
        assert (parallel.cycles <= serial.cycles).all() and serial.cycles.max() <= worst[0]


def test_program_of_digits():
    """A unit takes a tick of 16 cycles, and 2 more fill the pipeline. 9 bits have 5 digits."""
    plan = plan_of(valued_model(9), **SERIAL)
    operations = plan.program.operations
    assert [o.cycles for o in operations if not isinstance(o, Add)] == [1 + 16 * 3, 1 + 16 * 4]
    assert [(o.source, o.digits) for o in operations if isinstance(o, Add)] == [
        (Source.WINDOW, 0), (Source.INPUT, 0), (Source.VALUES, 5)]
    assert worst_events(plan, 7).tolist() == [[7, 7, 0, 5, 0]]
    assert all(add.digits == 0 for add in plan_of(valued_model(9)).program.adds)


def test_no_multiplier_is_left():
    """Rows have a sign and a shift up to the highest digit, and the units a serial multiplier."""
    core = core_params(plan_of(valued_model(9), **SERIAL))
    assert (core.rows.gain, core.rows.row_shift, core.neurons.serial) == (2, 8, True)
    core = core_params(plan_of(valued_model(9)))
    assert (core.rows.gain, core.rows.row_shift, core.neurons.serial) == (9, 0, False)
