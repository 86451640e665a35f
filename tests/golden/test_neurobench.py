# SPDX-License-Identifier: Apache-2.0
"""What 8 bits cost NeuroBench's SNN with its published weights, on recorded spikes."""

import pytest

from docs.make.spread import spread
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


def _wrist():
    arrays = spread(read_recording(WRIST), dt=4e-3, seconds=80)
    events = [[] for _ in range(int(arrays["n_bins"]))]
    for step, channel in zip(arrays["bin"].tolist(), arrays["channel"].tolist(), strict=True):
        events[step].append(channel)
    return make_recording(events, int(arrays["n_channels"]))


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
