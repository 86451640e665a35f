# SPDX-License-Identifier: Apache-2.0
"""Rounding of graded networks to integers."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import network_from_tensors, read_checkpoint
from spikewright.network.graded.run import run_graded
from spikewright.network.metrics import r_squared
from spikewright.network.recording import read_recording
from spikewright.network.state_dicts.neurobench_ann import ann_network
from spikewright.plan.config import CoreConfig
from spikewright.quantize.graded.compile import compile_graded
from spikewright.quantize.graded.integer import quantize_graded
from tests.designs import equal_answer
from tests.graded import (
    ann_tensors,
    graded_network,
    graded_tensors,
    random_counts,
    recording_of,
)
from tests.networks import SHARED

BASELINES = SHARED / "neurobench_baselines"
RECORDING = SHARED / "data" / "mc_rtt_indy_4reaches_4ms.npz"


def published(folder):
    """A published network, and real spikes of the same monkey."""
    if not BASELINES.is_dir():
        pytest.skip("the published networks are not on this machine")
    pytest.importorskip("torch", reason="torch is not installed; the published networks are .pth")
    path = BASELINES / folder / "indy_20160622_01_model_state_dict.pth"
    return read_checkpoint(path), read_recording(RECORDING)


@pytest.mark.parametrize("folder, bits, least", [
    ("2D_ANN_Weight", 8, 0.999), ("2D_ANN_Weight", 6, 0.99), ("3D_ANN_Weight", 8, 0.999),
    ("3D_ANN_Weight", 6, 0.99)])
def test_fidelity_of_published_networks(folder, bits, least):
    network, recording = published(folder)
    model, facts = compile_graded(network, name="published", weight_bits=bits, recording=recording)
    answer = run_golden(model, recording, CoreConfig())
    wanted = run_graded(network, recording).velocity
    assert r_squared(wanted, answer.velocity).mean() > least
    assert not answer.saturated.any() and answer.cycles.mean() < 700
    assert facts["values"] == {"bits": 13, "margin": 4, "source": recording.name,
                               "simulated": False}


def test_compiled_core_of_a_published_network():
    network, recording = published("3D_ANN_Weight")
    model, _ = compile_graded(network, name="published", recording=recording)
    assert equal_answer(model, recording).values.any()


def test_silent_and_filling_steps():
    counts = random_counts(1, 80, 6)
    model = quantize_graded(graded_network("ANN", 1), recording_of(counts), name="made")
    assert (model.silent_steps, model.fill_steps) == (49, 0)
    assert [(p.delay, p.until) for p in model.projections] == [(0, 50), (0, None), (0, None)]
    answer = run_golden(model, recording_of(counts), CoreConfig())
    assert not answer.velocity_int[:49].any() and answer.velocity_int[49].any()
    model = quantize_graded(graded_network("ANN_Flat", 1), recording_of(counts), name="made")
    assert (model.silent_steps, model.fill_steps) == (0, 49)
    assert [(p.delay, p.until) for p in model.projections[:7]] == [
        (43, 50), (36, 43), (29, 36), (22, 29), (15, 22), (8, 15), (1, 8)]


@pytest.mark.parametrize("kind", ["ANN", "ANN_Flat"])
def test_many_bits_are_exact(kind):
    """With 13 bits a weight and 14 a value, the integers decode as the network does."""
    network, recording = graded_network(kind, 3), recording_of(random_counts(3, 400, 6, 0.1))
    model = quantize_graded(network, recording, name="made", weight_bits=13, value_bits=14)
    answer = run_golden(model, recording, CoreConfig())
    assert r_squared(run_graded(network, recording).velocity, answer.velocity).min() > 0.9999


def test_values_have_room():
    """All values of the calibration fit, the largest with the margin."""
    network, recording = graded_network("ANN", 5), recording_of(random_counts(5, 300, 6, 0.1))
    model = quantize_graded(network, recording, name="made")
    answer = run_golden(model, recording, CoreConfig())
    assert not answer.saturated.any()
    # The values of a layer: its largest is 4095 / 4, as far as rounding lets it be.
    assert abs(int(answer.values[:, :5].max()) - 1024) < 20
    assert {p.bits for p in model.populations} == {13, 0}
    assert all((p.factor >= 1 << 7).all() for p in model.populations if not p.output)


def test_bias_far_above_its_inputs():
    """Normalization of a huge variance: the bias of the next layer is nearly all of its sum."""
    tensors = ann_tensors(1) | {"batchnorm1.running_var": np.full(5, 1e24)}
    network, recording = ann_network(tensors, 4e-3), recording_of(random_counts(1, 200, 6))
    model = quantize_graded(network, recording, name="made")
    biases = [np.abs(p.bias).max() for p in model.populations]
    assert (1 << 28) - 1 <= biases[1] <= 1 << 28
    answer = run_golden(model, recording, CoreConfig())
    assert answer.velocity == pytest.approx(run_graded(network, recording).velocity, rel=1e-3)


@pytest.mark.parametrize("key", ["fc1.weight", "fc2.weight", "fc3.weight"])
def test_rows_without_weights_keep_their_bias(key):
    """Units that were pruned away give what their bias says."""
    network = ann_network(ann_tensors(2) | {key: np.zeros_like(ann_tensors(2)[key])}, 4e-3)
    recording = recording_of(random_counts(1, 120, 6))
    model = quantize_graded(network, recording, name="made")
    answer = run_golden(model, recording, CoreConfig())
    assert answer.velocity == pytest.approx(run_graded(network, recording).velocity, rel=2e-3)


def test_threshold_that_is_never_reached():
    for kind, key in (("SNN_Flat", "lif2.threshold"), ("sRTnet", "lif1.threshold")):
        tensors = graded_tensors(kind, 0)
        network = network_from_tensors(tensors | {key: np.full_like(tensors[key], 1e30)})
        recording = recording_of(random_counts(0, 80, 6))
        model, _ = compile_graded(network, name="made", recording=recording)
        answer = run_golden(model, recording, CoreConfig())
        assert not answer.spikes[:, model.spike_columns[key[:4]]].any()
        assert not answer.saturated.any()


def test_numbers_that_fit_no_model_are_refused():
    tensors = graded_tensors("sRTnet", 0)
    network = network_from_tensors(tensors | {"conv1.bias": np.full(5, 1e30)})
    with pytest.raises(ValueError, match=r"^pool1 sums must be from -2147483647 to 2147483647, so "
                                         r"that they fit 32 bits, not up to \d+$"):
        compile_graded(network, name="made", recording=recording_of(random_counts(0, 80, 6)))


def test_other_stages_are_refused():
    network = graded_network("SNN_Flat", 1)
    window, _, inner = network.stages
    network = dataclasses.replace(network, stages=(window, inner))
    with pytest.raises(ValueError, match=r"^Layers must be Linear, with a ReLU between any two, "
                                         r"so that they can be rounded to integers, not "
                                         r"InnerSteps$"):
        compile_graded(network, name="made", recording=recording_of(random_counts(1, 80, 6)))


def test_calibration_needs_spikes():
    with pytest.raises(ValueError, match=r"^Recording made must hold spikes to calibrate on, not "
                                         r"none$"):
        compile_graded(graded_network("ANN", 1), name="made",
                       recording=recording_of(np.zeros((80, 6), int)))


def test_readout_and_offset_stay():
    network = dataclasses.replace(graded_network("ANN", 1), readout=np.array([[2.0, 0], [0, -1]]),
                                  offset=np.array([0.5, 0]))
    recording = recording_of(random_counts(1, 120, 6, 0.1))
    model = quantize_graded(network, recording, name="made", weight_bits=12, value_bits=15)
    answer = run_golden(model, recording, CoreConfig())
    assert answer.velocity[0].tolist() == [0.5, 0]
    assert r_squared(run_graded(network, recording).velocity, answer.velocity).min() > 0.999
