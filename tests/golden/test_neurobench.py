# SPDX-License-Identifier: Apache-2.0
"""What 8 bits cost NeuroBench's SNN with its published weights, on recorded spikes."""

import numpy as np
import pytest

from spikewright import api
from spikewright.golden.run import run_golden
from spikewright.network.metrics import r_squared
from spikewright.network.recording import read_recording
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig
from tests.networks import SHARED, make_recording

WEIGHTS = SHARED / "neurobench_baselines" / "SNN2_indy_20160622_01.pt"
REACHES = SHARED / "data" / "mc_rtt_indy_4reaches_4ms.npz"
WRIST = SHARED / "data" / "jango_iso_day0_50ms.npz"

# Bins of WRIST, and its seconds per bin.
BINS, BIN = 1600, 0.05


def _wrist(dt=4e-3):
    """Spikes of ``WRIST`` at random times within their bins, at most one a channel and step."""
    data, rng = np.load(WRIST), np.random.default_rng(0)
    first = data["bin"] < BINS
    count = data["count"][first]
    bins, channel = np.repeat(data["bin"][first], count), np.repeat(data["channel"][first], count)
    steps = int(BINS * BIN / dt)
    step = np.minimum(((bins + rng.random(len(bins))) * BIN / dt).astype(int), steps - 1)
    events = [set() for _ in range(steps)]
    for t, c in zip(step.tolist(), channel.tolist(), strict=True):
        events[t].add(c)
    return make_recording([sorted(step) for step in events], int(data["n_channels"]))


@pytest.mark.parametrize("path, recording, least", [
    (REACHES, lambda: read_recording(REACHES), 0.99), (WRIST, _wrist, 0.99)],
    ids=["reaches", "wrist"])
def test_fidelity_of_8_bits(path, recording, least):
    pytest.importorskip("torch")
    for file in (WEIGHTS, path):
        if not file.exists():
            pytest.skip(f"{file} is not there")
    model, spikes = api.quantize(api.read(WEIGHTS)), recording()
    wanted = run_reference(model.network, spikes)
    answer = run_golden(model.integers, spikes, CoreConfig())
    assert r_squared(wanted.velocity, answer.velocity).mean() > least
    assert not answer.saturated.any()
