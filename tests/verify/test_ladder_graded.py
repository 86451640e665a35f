# SPDX-License-Identifier: Apache-2.0
"""The ladder of graded networks: what a rung takes, by hand, and what it prints."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.graded.operations import count_operations
from spikewright.quantize.graded.compile import compile_graded
from spikewright.verify.ladder.graded_cost import (
    graded_float_cost,
    graded_integer_cost,
    rounded_away,
)
from tests.graded import ann_tensors, graded_network, random_counts, recording_of

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


def test_rung_of_several_widths(call_command, files):
    network, recording = files
    status, _, err = call_command("ladder", network, "--recording", recording, "--rungs", "4/8/8",
                                  "--jobs", 1, "--no-rtl")
    assert status == 2
    assert err.endswith("error: net as int4/8/8: Rung must have one number of bits for a graded "
                        "network\n")
