# SPDX-License-Identifier: Apache-2.0
"""The published networks in compiled RTL against golden, every value and every cycle.

A run takes one of the networks of each session. ``SPIKEWRIGHT_NETWORKS`` in the environment takes
all of them.
"""

import dataclasses
import os

import pytest

from spikewright.network.recording import poisson_recording
from spikewright.plan.config import PRESETS
from tests.designs import equal_answer, published_model, published_recordings
from tests.networks import CHECKPOINTS

STEPS = 20_000

TAKEN = CHECKPOINTS if "SPIKEWRIGHT_NETWORKS" in os.environ else CHECKPOINTS[::3]


@pytest.mark.parametrize("checkpoint", TAKEN)
def test_compiled_published_equals_golden(shared, checkpoint):
    model = published_model(shared, checkpoint)
    simulated = poisson_recording(model.channels, model.dt, steps=STEPS, rate=20, seed=3)
    answer = equal_answer(model, simulated)
    assert len(answer.cycles) == STEPS and (answer.spikes.sum(axis=0) > 0).sum() > 20
    assert not answer.saturated.any()
    recordings = published_recordings(shared, checkpoint)
    assert recordings
    for recording in recordings:
        answer = equal_answer(model, recording)
        assert answer.spikes.any() and not answer.saturated.any(), recording.name


@pytest.mark.parametrize("checkpoint, tables, lanes", [
    ("indy01/tinyRSNN-1", "bitmap", 4), ("indy01/tinyRSNN-1", "rows", 4),
    ("loco01/tinyRSNN-1", "bitmap", 2)])
def test_compiled_sparse_tables_equal_golden(shared, checkpoint, tables, lanes):
    model = published_model(shared, checkpoint)
    simulated = poisson_recording(model.channels, model.dt, steps=STEPS, rate=20, seed=3)
    assert equal_answer(model, simulated, lanes, tables=tables).spikes.any()


@pytest.mark.parametrize("checkpoint, lanes", [("indy01/tinyRSNN-1", 8), ("loco01/tinyRSNN-1", 4)])
def test_compiled_with_loaded_weights_equals_golden(shared, checkpoint, lanes):
    """192 channels in 8 bits are more than the block RAM of an iCE40UP5K."""
    model = published_model(shared, checkpoint)
    simulated = poisson_recording(model.channels, model.dt, steps=STEPS, rate=20, seed=3)
    answer = equal_answer(model, simulated, lanes, weight_memory="large")
    assert (answer.spikes.sum(axis=0) > 0).sum() > 20


@pytest.mark.parametrize("preset, choices", [("fast", {}), ("small", {"multiplier": "serial"})])
def test_compiled_presets_equal_golden(shared, preset, choices):
    model = published_model(shared, "indy01/tinyRSNN-1")
    simulated = poisson_recording(model.channels, model.dt, steps=STEPS, rate=20, seed=3)
    config = dataclasses.asdict(PRESETS[preset]) | choices
    assert equal_answer(model, simulated, **config).spikes.any()
