# SPDX-License-Identifier: Apache-2.0
"""Answers of other programs to spikes, beside the repository. Tests skip without them."""

import numpy as np
import pytest

from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.recording import read_recording
from tests.graded import recording_of
from tests.networks import SHARED

__all__ = ["SESSIONS", "WEIGHTS", "dense", "hybrid_tensors", "published", "vector"]

VECTORS, WEIGHTS = SHARED / "oracle" / "vectors", SHARED / "neurobench_baselines"
SESSIONS = ("indy_20160622_01", "loco_20170210_03")


def vector(name):
    """The arrays of a file of ``VECTORS``."""
    path = VECTORS / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return np.load(path)


def dense(data):
    """Counts of the input, int64 (steps, channels)."""
    counts = np.zeros(data["input_shape"], np.int64)
    counts[data["input_bin"], data["input_channel"]] = data["input_count"]
    return counts


def hybrid_tensors(data):
    """The state dict of the hybrid network of a file of ``VECTORS``."""
    arrays = {key: np.asarray(value, float) for key, value in data.items()
              if value.dtype.kind == "f"}
    tensors = {f"conv{k}.weight": arrays[f"w{k}"].transpose(1, 2, 0) for k in (1, 2)} | {
        f"conv{k}.bias": arrays[f"b{k}"] for k in (1, 2)} | {
        "fc3.weight": arrays["w_out"], "fc3.bias": arrays["b_out"],
        "mean": arrays["mean"], "sd": arrays["sd"], "phase": data["phase"]}
    reset = ("subtract", "zero", "none").index(str(data["reset"]))
    for k in (1, 2):
        tensors |= {f"{key}": arrays[f"{stored}_{k - 1}"] for key, stored in (
            (f"fc{k}.weight", "w"), (f"fc{k}.bias", "b"), (f"lif{k}.recurrent.weight", "u"),
            (f"lif{k}.beta", "beta"), (f"lif{k}.threshold", "thr"))}
        tensors[f"lif{k}.reset_mechanism_val"] = np.array(reset)
    return tensors


def published(kind, session, path):
    """The network of published weights, spikes, and what NeuroBench's code answers."""
    pytest.importorskip("torch")
    data = vector(f"published_{session}")
    if "input_shape" in data:
        recording = recording_of(dense(data))
    else:
        recording = read_recording(SHARED / "data" / "mc_rtt_indy_4reaches_4ms.npz")
        recording.reset[:] = False          # the answers are those of one run through all reaches
    return read_checkpoint(path), recording, data[kind]
