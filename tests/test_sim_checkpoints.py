# SPDX-License-Identifier: Apache-2.0
"""The published networks in compiled RTL against golden, every value and every cycle."""

import pytest

from quantize.recording import poisson_recording

from .designs import equal_answer, published_model, published_recordings
from .networks import CHECKPOINTS

STEPS = 20_000


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_compiled_published_equals_golden(shared, checkpoint):
    model = published_model(shared, checkpoint)
    simulated = poisson_recording(model.channels, model.dt, steps=STEPS, rate=20, seed=3)
    answer = equal_answer(model, simulated)
    assert len(answer.cycles) == STEPS and (answer.spikes.sum(axis=0) > 0).sum() > 20
    recordings = published_recordings(shared, checkpoint)
    assert recordings
    for recording in recordings:
        assert equal_answer(model, recording).spikes.any(), recording.name
