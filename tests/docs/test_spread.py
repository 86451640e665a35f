# SPDX-License-Identifier: Apache-2.0
"""Recordings in shorter steps."""

import numpy as np

from docs.make.spread import spread
from tests.networks import random_recording


def test_spread():
    """Each spike stays in its old step, and a channel has at most one spike in a step."""
    recording = random_recording(1, 5, 40)
    arrays = spread(recording, 1e-3, seconds=0.1)
    assert {key: arrays[key].item() for key in ("n_bins", "n_channels", "dt")} == {
        "n_bins": 100, "n_channels": 5, "dt": 1e-3}
    pairs = list(zip(arrays["bin"].tolist(), arrays["channel"].tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    steps = np.repeat(np.arange(recording.steps), np.diff(recording.start)).tolist()
    old = {(step, channel) for step, channel in zip(steps, recording.channel.tolist(), strict=True)
           if step < 25}
    assert {(step // 4, channel) for step, channel in pairs} == old
    again = spread(recording, 1e-3, seconds=1.0)
    assert again["n_bins"] == 160
    assert np.array_equal(again["bin"][:len(pairs)], arrays["bin"])
