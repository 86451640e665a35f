# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Cores with a normalized window and inner steps against golden.

``SPIKEWRIGHT_STEPS=20000`` in the environment runs the compiled cores for so many steps, and that
of the published weights too.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from spikewright import api
from spikewright.network.recording import read_recording
from spikewright.quantize.graded.inner import quantize_inner
from tests.designs import equal_answer, plan_of
from tests.golden.test_inner import REACHES, WEIGHTS
from tests.hw.test_core import check_core
from tests.networks import make_recording, random_recording, refused
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


def everything(channels, steps):
    """Each channel in each of the first steps, silence, a full log, and spikes of every rate."""
    rng = np.random.default_rng(channels)
    quiet, every = [[]] * 120, [list(range(channels))] * 120
    one  = [[0] * 20] * 70          # counts of 140 in one row
    full = [rng.integers(0, channels, 8 * channels).tolist() for _ in range(60)]
    rates = np.repeat(rng.gamma(1, 1, steps // 200 + 1), 200)
    spikes = [rng.integers(0, channels, count).tolist() for count in rng.poisson(rates)]
    events = [*every[:60], *quiet, *one, *full, *every, *spikes][:steps]
    return make_recording(events, channels, reset=[0, 60, 260, 290, steps // 2])


def test_compiled_core_over_every_input():
    model = near_the_end(inner_model(11, channels=4, hidden=(3, 3)))
    answer = equal_answer(model, everything(4, STEPS or 2000))
    assert answer.saturated.any() and not answer.saturated.all()
    assert np.ptp(answer.velocity_int, axis=0).min() > 0
    assert 0 < answer.spikes.mean() < 1


@pytest.mark.skipif(not STEPS, reason="takes minutes: set SPIKEWRIGHT_STEPS")
@pytest.mark.parametrize("bits", [8, 10])
def test_compiled_core_of_published_weights(bits):
    """Over the reaches, and over every input."""
    reaches = read_recording(REACHES)
    model = quantize_inner(api.read(WEIGHTS), reaches, name="made", weight_bits=bits)
    for recording in (reaches, everything(96, STEPS)):
        equal_answer(model, recording, weight_memory="large")


def test_other_cores_are_refused():
    with refused("Core lanes must be below 17 for a model with a normalized window, not 17"):
        plan_of(inner_model(0), 17)
    with refused("Core multiplier must be parallel for a model with graded values and neurons, not "
                 "serial"):
        plan_of(inner_model(0), multiplier="serial")
