# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Cores with a normalized window and inner steps against golden.

``SPIKEWRIGHT_STEPS=20000`` in the environment runs the compiled core for so many steps.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from tests.designs import equal_answer, plan_of
from tests.graded import every_input
from tests.hw.test_core import check_core
from tests.networks import random_recording, refused
from tests.units import inner_model, near_the_end

STEPS = int(os.environ.get("SPIKEWRIGHT_STEPS", "0"))


@pytest.mark.parametrize("seed, lanes, stall, fill", [(0, 4, 0, 49), (2, 3, 2, 3)])
def test_rtl_equals_golden(seed, lanes, stall, fill):
    """Values, spikes of each inner step, and cycles; as the window fills, and as events leave."""
    model = replace(inner_model(seed, fraction=seed), fill_steps=fill)
    reset, steps = ([4, 5], 8) if fill == 49 else ([1], 11)
    recording = random_recording(seed, model.channels, steps, rate=0.4, reset=reset)
    stalls = stall * (len(recording.channel) + 2 * recording.steps)
    check_core(plan_of(model, lanes), recording, seed=seed, stall=stall,
               most=lambda cycles: 4 * cycles + 3 * stalls + 4000)


def test_compiled_core_over_every_input():
    model = near_the_end(inner_model(11, channels=4, hidden=(3, 3)))
    answer = equal_answer(model, every_input(4, STEPS or 2000))
    assert answer.saturated.any() and not answer.saturated.all()
    assert np.ptp(answer.velocity_int, axis=0).min() > 0
    assert 0 < answer.spikes.mean() < 1


def test_other_cores_are_refused():
    with refused("Core lanes must be below 17 for a model with a normalized window, not 17"):
        plan_of(inner_model(0), 17)
    with refused("Core multiplier must be parallel for a model with a normalized window, not "
                 "serial"):
        plan_of(inner_model(0), multiplier="serial")
