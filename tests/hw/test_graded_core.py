# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Cores with graded values against golden: random models, and the whole range of the input.

``SPIKEWRIGHT_NETWORKS=5000`` in the environment runs so many random models instead of 33.
"""

import os

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from tests.designs import equal_answer, plan_of
from tests.hw.test_core import check_core
from tests.networks import make_recording, random_recording, refused
from tests.units import graded_model, mixed_model

MODELS = int(os.environ.get("SPIKEWRIGHT_NETWORKS", "33"))
PARTS = 3

# A model whose window has parts, and steps in which it fills.
FILLS = 76

CHOICES = ({}, {"lanes": 1}, {"lanes": 2}, {"lanes": 3}, {"lanes": 8}, {"lanes": 17},
           {"tables": "bitmap"}, {"tables": "rows"}, {"lanes": 2, "tables": "smallest"},
           {"lanes": 17, "tables": "rows"}, {"weight_memory": "block", "lanes": 64})


@pytest.mark.parametrize("part", range(PARTS))
def test_rtl_equals_golden(part):
    for seed in range(part, MODELS, PARTS):
        rng = np.random.default_rng(seed)
        model, stall = graded_model(seed), int(rng.choice([0, 0, 1, 9]))
        plan = Plan(model=model, config=CoreConfig(**CHOICES[seed % len(CHOICES)]))
        recording = random_recording(seed, model.channels, 24, rate=float(rng.choice([0.2, 1, 3])),
                                     reset=[6, 7])
        stalls = stall * (len(recording.channel) + 2 * recording.steps)
        check_core(plan, recording, seed=seed, stall=stall,
                   most=lambda cycles, stalls=stalls: 4 * cycles + 3 * stalls + 2000)


def test_models_have_every_part():
    """The models above have every kind of window, and values that saturate."""
    models = [graded_model(seed) for seed in range(60)]
    assert {(m.fill_steps > 0, m.silent_steps > 0) for m in models} == {
        (False, False), (True, False), (False, True)}
    assert {len(m.populations) for m in models} == {2, 3, 4}
    assert {min(p.delay for p in m.projections if p.until) > 0 for m in models} == {False, True}
    saturated = [run_golden(m, random_recording(1, m.channels, 60), CoreConfig()).saturated
                 for m in models]
    assert 0 < sum(not flags.any() for flags in saturated) < 50


def test_compiled_core_over_every_input():
    """20,000 steps: silence, spikes of every rate, each channel in each step, a full log."""
    model, rng = graded_model(FILLS, rows=5, longest=50), np.random.default_rng(FILLS)
    quiet = [[]] * 200
    every = [list(range(model.channels))] * 200
    full = [rng.integers(0, model.channels, 30).tolist() for _ in range(100)]
    spikes = [rng.integers(0, model.channels, count).tolist()
              for count in rng.poisson(np.repeat(rng.gamma(1, 1, 97), 200))]
    events = [*every[:60], *quiet, *full, *every, *spikes][:20000]
    recording = make_recording(events, model.channels, reset=[0, 60, 5000, 5030])
    answer = equal_answer(model, recording)
    assert len(events) == 20000 - 60 + 20 and answer.saturated.any()
    assert np.ptp(answer.velocity_int, axis=0).min() > 0


def test_neuron_units_are_refused():
    with refused("Core neurons must be shared for a model with graded values, not lanes"):
        plan_of(graded_model(0), neurons="lanes")
    with refused("Core multiplier must be parallel for a model with currents that may be clamped, "
                 "not serial"):
        plan_of(mixed_model(0), multiplier="serial")
