# SPDX-License-Identifier: Apache-2.0
"""Answers of other programs to spikes, beside the repository. Tests skip without them."""

import numpy as np
import pytest

from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.recording import read_recording
from tests.graded import recording_of
from tests.networks import SHARED

__all__ = ["SESSIONS", "VECTORS", "WEIGHTS", "dense", "published", "vector"]

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
