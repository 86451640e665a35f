# SPDX-License-Identifier: Apache-2.0
"""Metrics against values calculated by hand, and against NumPy."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.metrics import (
    correlation,
    published_time,
    r_squared,
    spike_agreement,
    unit_scale,
)
from spikewright.network.recording import read_recording
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from tests.networks import random_recording, tiny_network


def test_r_squared_by_hand():
    wanted = np.array([[0.0, 1], [1, 1], [2, 1], [3, 1]])
    given = np.array([[0.0, 1], [1, 2], [2, 1], [4, 1]])
    # Spread of the first axis: 2.25 + 0.25 + 0.25 + 2.25 = 5; error: 1. The second never changes.
    result = r_squared(wanted, given)
    assert result[0] == pytest.approx(0.8)
    assert np.isnan(result[1])
    assert np.isnan(correlation(wanted, given)[1])
    assert r_squared(wanted, wanted)[0] == 1
    assert r_squared(wanted, np.full((4, 2), 1.5))[0] == 0


def test_correlation_equals_numpy():
    rng = np.random.default_rng(1)
    wanted, given = rng.normal(size=(2, 300, 3))
    given += wanted
    expected = [np.corrcoef(wanted[:, k], given[:, k])[0, 1] for k in range(3)]
    assert correlation(wanted, given) == pytest.approx(expected)
    assert correlation(wanted, -3 * wanted + 7) == pytest.approx([-1, -1, -1])


def test_spike_agreement_counts_spikes_not_silence():
    first, second = np.zeros((2, 4, 3), bool)
    assert spike_agreement(first, second) == 1
    first[0, 0] = first[1, 1] = second[0, 0] = True
    assert spike_agreement(first, second) == pytest.approx(2 / 3)
    second[:] = ~first
    assert spike_agreement(first, second) == 0


def test_published_time_stops_at_resets():
    output = np.arange(1, 11)[:, None]
    reset = np.zeros(10, bool)
    reset[[0, 4, 9]] = True
    assert published_time(output, 2, reset)[:, 0].tolist() == [0, 0, 1, 2, 0, 0, 5, 6, 7, 0]
    assert published_time(output, 0, reset)[:, 0].tolist() == list(range(1, 11))
    assert published_time(output, 2, np.zeros(10, bool))[:4, 0].tolist() == [0, 0, 1, 2]


def test_published_time_is_the_published_model():
    network = tiny_network(4)
    recording = random_recording(4, network.channels, 300, reset=(100, 103, 200))
    _, early, _ = compile_network(network, name="tiny", recording=recording)
    assert early.lead_steps == 5
    published = run_reference(network, recording).velocity
    retimed = run_reference(early, recording).velocity
    assert np.array_equal(published_time(retimed, 5, recording.reset), published)
    assert np.abs(published).max() > 0


@pytest.mark.parametrize("factor, scale", [(1, 1), (2.4, 1), (0.4, 1), (900, 1000), (12e-4, 1e-3)])
def test_unit_scale(factor, scale):
    wave = np.sin(np.arange(100))[:, None]
    assert unit_scale(factor * wave, wave) == scale
    assert unit_scale(0 * wave, wave) == unit_scale(wave, 0 * wave) == 1


def test_alignment_gives_published_scores(shared):
    """Correlation with the hand, mean of the session's first networks: near the published figures
    of all five, x 0.41 and y 0.67 in fp32.
    """
    pytest.importorskip("torch", reason="the published networks are .pth files")
    recording = read_recording(shared / "data" / "mc_rtt_indy_4reaches_4ms.npz")
    scores: dict[str, list] = {"fp32": [], "int8": []}
    for k in (1, 2, 3):
        network = read_checkpoint(shared / "checkpoints" / "indy03" / f"tinyRSNN-{k}.pth")
        model, early, _ = compile_network(network, name="indy03", recording=recording)
        velocity = {"fp32": run_reference(early, recording, np.float32).velocity,
                    "int8": run_golden(model, recording, CoreConfig()).velocity}
        for name, output in velocity.items():
            aligned = published_time(output, model.lead_steps, recording.reset)
            scores[name].append(correlation(recording.velocity, aligned))
    assert np.abs(np.mean(scores["fp32"], axis=0) - [0.41, 0.67]).max() < 0.06
    assert np.abs(np.mean(scores["int8"], axis=0) - [0.41, 0.67]).max() < 0.1
