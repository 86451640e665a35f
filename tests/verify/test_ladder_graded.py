# SPDX-License-Identifier: Apache-2.0
"""The ladder of graded networks: what a rung takes, by hand, and what it prints."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.graded.operations import count_operations
from spikewright.network.network import CONSTANT, INPUT
from spikewright.quantize.graded.compile import compile_graded
from spikewright.quantize.graded.hybrid import quantize_hybrid
from spikewright.verify.ladder.graded_cost import (
    graded_float_cost,
    graded_integer_cost,
    rounded_away,
)
from tests.graded import ann_tensors, graded_network, random_counts, recording_of
from tests.hybrid import hybrid_network
from tests.units import inner_model

NONE = np.zeros((200, 0), bool)


@pytest.mark.parametrize("kind, weights, parameters, state", [
    ("ANN", 58, 58 + 11 + 2 * 9, 50 * 6),
    ("ANN_Flat", 238, 238 + 11 + 2 * 9, 50 * 6),
    ("SNN_Flat", 58, 58 + 3 * 11 + 2 * 42, 50 * 6),
    ("sRTnet", 90 + 80 + 24 + 36 + 30 + 25 + 10, 295 + 5 + 4 + 3 * 11 + 2 + 4,
     3 * 6 + 4 * 5 + 6 + 5 + 2 * 2)])
def test_float_cost(kind, weights, parameters, state):
    network, recording = graded_network(kind, 0), recording_of(random_counts(0, 200, 6, 0.1))
    cost = graded_float_cost(network, np.float16, recording, np.ones((200, 4), bool))
    operations = count_operations(network, recording)
    assert cost == {
        "table_bits": 16 * weights, "state_bits": 16 * state, "footprint_bytes": 2 * parameters,
        "decay_multiplies": 0, "effective_macs": operations.macs,
        "synaptic_operations": operations.acs, "dense_operations": operations.dense,
        "connection_sparsity": 0.0, "activation_sparsity": 0.0}
    assert graded_float_cost(network, np.float16, recording, NONE)["activation_sparsity"] is None


def test_integer_cost():
    network, recording = graded_network("ANN", 0), recording_of(random_counts(0, 200, 6, 0.1))
    model, _ = compile_graded(network, name="made", weight_bits=3, recording=recording)
    used = rounded_away(network, model)
    for stage, projection in zip((network.stage(f"fc{k}") for k in (1, 2, 3)), model.projections,
                                 strict=True):
        wanted = np.where(projection.weights.T == 0, 0, stage.weights)
        assert np.array_equal(used.stage(stage.name).weights, wanted)
    cost = graded_integer_cost(model, 1000, network, recording, NONE)
    zeros = sum((p.weights == 0).sum() for p in model.projections)
    assert zeros > 0
    assert cost["connection_sparsity"] == pytest.approx(zeros / 58)
    assert cost["effective_macs"] == count_operations(used, recording).macs
    assert cost["table_bits"] == 1000
    assert cost["footprint_bytes"] > 125


def test_parts_of_a_window_are_rounded_away_together():
    network = graded_network("ANN_Flat", 0)
    model, _ = compile_graded(network, name="made", weight_bits=2,
                              recording=recording_of(random_counts(0, 200, 6, 0.1)))
    used = rounded_away(network, model).stage("fc1").weights
    parts = [p.weights for p in model.projections if p.target == "fc1"]
    assert len(parts) == 7
    assert np.array_equal(used.T == 0, np.concatenate(parts) == 0)


def test_layers_of_inner_steps_are_rounded_away():
    network = graded_network("SNN_Flat", 0, channels=3, hidden=(4, 3))
    model = inner_model(0, bits=2)
    first, second, third = rounded_away(network, model).stages[-1].layers
    parts = [p.weights for p in model.projections if p.source == INPUT]
    assert len(parts) == 7 and np.array_equal(first.weights.T == 0, ~np.any(parts, axis=0))
    for layer in (second, third):
        rows, = (p.weights for p in model.projections if p.target == layer.name
                 and p.source != CONSTANT)
        assert np.array_equal(layer.weights.T == 0, rows == 0)
    assert (second.weights == 0).any()
    cost = graded_integer_cost(model, 1000, network, recording_of(random_counts(0, 60, 3)),
                               np.ones((60, 49), bool))
    zeros = sum(int((layer.weights == 0).sum()) for layer in (first, second, third))
    assert cost["connection_sparsity"] == pytest.approx(zeros / (12 + 12 + 6))


def test_convolutions_and_recurrent_layers_are_rounded_away():
    network = hybrid_network(0)
    model = quantize_hybrid(network, recording_of(random_counts(0, 200, 6)), name="made",
                            weight_bits=3)
    used = rounded_away(network, model)

    def rows(source, target, delay):
        return next(p.weights for p in model.projections
                    if (p.source, p.target, p.delay) == (source, target, delay))

    conv1, conv2 = used.stage("conv1").weights, used.stage("conv2").weights
    assert [np.array_equal(conv1[2 - ago].T == 0, rows(INPUT, "pool1", ago) == 0)
            for ago in range(3)] == [True] * 3
    assert [np.array_equal(conv2[3 - ago].T == 0, rows("pool1", "pool2", 2 * ago) == 0)
            for ago in range(4)] == [True] * 4
    layer = used.stages[4]
    assert np.array_equal(layer.recurrent.T == 0, rows(layer.name, layer.name, 4) == 0)
    assert np.array_equal(used.stage("fc3").weights.T == 0, rows("lif2", "fc3", 0) == 0)
    assert all((stage == 0).any() for stage in (conv1, conv2, layer.recurrent))


@pytest.fixture
def files(tmp_path):
    save_file(ann_tensors(0), tmp_path / "net.safetensors")
    counts = random_counts(0, 200, 6, 0.1)
    step, channel = np.nonzero(counts)
    np.savez(tmp_path / "rec.npz", bin=step, channel=channel, count=counts[step, channel],
             n_bins=200, n_channels=6, dt=4e-3)
    return tmp_path / "net.safetensors", tmp_path / "rec.npz"


def test_ladder(tmp_path, call_command, files):
    network, recording = files
    status, out, err = call_command("ladder", network, "--recording", recording, "--calibrate",
                                    recording, "--rungs", "fp32,fp16,8", "--jobs", 1,
                                    "--no-rtl", "-o", tmp_path / "out")
    assert status == 0, err
    accuracy, cost = (table.splitlines() for table in out.split("\n\n")[1:3])
    assert accuracy[0].split() == ["rung", "fidelity", "R2"]
    assert [float(line.split()[1]) > 0.95 for line in accuracy[1:]] == [True] * 3
    assert cost[0].split("  ")[-1].strip() == "zero weights"
    assert "products a step" in cost[0]
    assert (tmp_path / "out" / "ladder.png").is_file()
    assert call_command("show", tmp_path / "out")[1].startswith("net on rec.npz, 200 steps")


def test_preset_suits_the_models(call_command, files):
    """A user is never told of an option that the preset has chosen."""
    network, recording = files
    words = ("ladder", network, "--recording", recording, "--rungs", "fp32,8", "--jobs", 1,
             "--no-rtl", "--preset", "fast")
    assert call_command(*words)[0] == 0
    status, _, err = call_command(*words, "--neurons", "lanes")
    assert status == 2
    assert err.endswith("error: net as int8: Core neurons must be shared for a model with graded "
                        "values, not lanes\n")


def test_rung_of_several_widths(call_command, files):
    network, recording = files
    status, _, err = call_command("ladder", network, "--recording", recording, "--rungs", "4/8/8",
                                  "--jobs", 1, "--no-rtl")
    assert status == 2
    assert err.endswith("error: net as int4/8/8: Rung must have one number of bits for a graded "
                        "network\n")
