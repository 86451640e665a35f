# SPDX-License-Identifier: Apache-2.0
"""Golden of SNN_Flat, against a second form of the integers.

``SPIKEWRIGHT_NETWORKS=100`` in the environment runs so many random networks instead of 12.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from spikewright import api
from spikewright.golden.run import run_golden
from spikewright.model.inner import root_of
from spikewright.network.graded.run import run_graded
from spikewright.network.metrics import r_squared
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig
from spikewright.quantize.graded.inner import quantize_inner
from tests.golden.plain_inner import plain_inner_run
from tests.graded import random_counts, recording_of
from tests.networks import SHARED
from tests.units import inner_model, near_the_end

NETWORKS = int(os.environ.get("SPIKEWRIGHT_NETWORKS", "12"))

WEIGHTS = (SHARED / "neurobench_baselines" / "SNN3_Weight"
           / "indy_20160622_01_model_state_dict.pth")
REACHES = SHARED / "data" / "mc_rtt_indy_4reaches_4ms.npz"


def test_golden_is_the_plain_form():
    """Random networks; some see more events than those that they were calibrated on."""
    flags, lively = [], []
    for seed in range(NETWORKS):
        rng = np.random.default_rng(seed)
        channels, hidden = int(rng.integers(1, 9)), rng.integers(1, 8, 2).tolist()
        model = inner_model(seed, channels, hidden, bits=int(rng.integers(2, 11)),
                            fraction=int(rng.integers(0, 9)))
        if seed % 3 == 0:
            model = near_the_end(model)
        counts, again = random_counts(seed + 1, 130, channels, rng.choice([0.02, 0.1, 0.2])), 75
        recording = replace(recording_of(counts), reset=np.arange(130) == again)
        answer = run_golden(model, recording, CoreConfig())
        outputs, spikes, saturated = plain_inner_run(model, counts, (again,))
        assert np.array_equal(answer.velocity_int, outputs), seed
        assert np.array_equal(answer.spikes, spikes), seed
        assert np.array_equal(answer.saturated, saturated), seed
        flags.append(saturated.any())
        lively.append(0 < answer.spikes.mean() < 1)
    assert set(flags) == {False, True} and np.mean(lively) > 0.9


@pytest.mark.parametrize("square", [1, 2, 3, 4, 5, 255, 256, 1023, 1024, 1025, 4**15 - 1, 4**15,
                                    2**31 + 12345, 2**40 + 1])
def test_root_is_close(square):
    root, exponent = root_of(square)
    assert 1 << 14 <= root < 1 << 15 and 4 ** exponent <= square < 4 ** (exponent + 1)
    assert root / 2.0 ** (15 + exponent) == pytest.approx(square ** -0.5, rel=1 / 500)


@pytest.mark.parametrize("bits, least", [(8, 0.95), (10, 0.98)])
def test_fidelity(bits, least):
    """What integers cost SNN_Flat with its published weights, on recorded spikes."""
    pytest.importorskip("torch")
    for file in (WEIGHTS, REACHES):
        if not file.exists():
            pytest.skip(f"{file} is not there")
    network, recording = api.read(WEIGHTS), read_recording(REACHES)
    model = quantize_inner(network, recording, name="made", weight_bits=bits)
    answer, wanted = run_golden(model, recording, CoreConfig()), run_graded(network, recording)
    assert r_squared(wanted.velocity, answer.velocity).mean() > least
    assert (wanted.spikes == answer.spikes).mean() > 0.999
    assert not answer.saturated.any()
