# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Cores with graded units and neurons against golden."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.plan.config import CoreConfig
from tests.designs import plan_of
from tests.hw.test_core import check_core
from tests.networks import random_recording
from tests.units import graded_model, mixed_model


@pytest.mark.parametrize("seed, lanes, stall, tables", [
    (0, 4, 0, "dense"), (1, 1, 9, "rows"), (2, 2, 1, "bitmap")])
def test_rtl_equals_golden(seed, lanes, stall, tables):
    """Values, spikes and cycles of a model with both kinds; each model has another reset."""
    recording = random_recording(seed, mixed_model(seed).channels, 16, rate=1.0, reset=[6, 7])
    stalls = stall * (len(recording.channel) + 2 * recording.steps)
    check_core(plan_of(mixed_model(seed), lanes, tables=tables), recording, seed=seed, stall=stall,
               most=lambda cycles: 4 * cycles + 3 * stalls + 2000)


def test_models_are_lively():
    for seed in range(3):
        model = mixed_model(seed)
        answer = run_golden(model, random_recording(seed, model.channels, 40), CoreConfig())
        assert answer.spikes.any(), seed
        assert (np.ptp(answer.values, axis=0) > 0).any()
        assert np.ptp(answer.velocity_int, axis=0).max() > 0


def test_blocks_have_their_own_constants():
    """The block of a kind holds the constants of its own groups, and no other."""
    params = core_params(plan_of(mixed_model(0)))
    graded, neurons = params.neurons.graded, params.neurons.neurons
    assert params.update == "mixed"
    assert (len(graded.image), len(neurons.image)) == (graded.groups, 2 * neurons.groups)
    assert graded.groups + neurons.groups == params.neurons.groups
    assert Core(params).spike.shape()["value"].shape.width == graded.value


def test_a_model_of_one_kind_has_one_block():
    assert core_params(plan_of(graded_model(0))).update == "graded"
