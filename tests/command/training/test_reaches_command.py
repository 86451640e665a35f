# SPDX-License-Identifier: Apache-2.0
"""The default network is made again by one command."""

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from spikewright.command.commands import parser
from spikewright.network.metrics import r_squared
from spikewright.network.recording import read_recording

DATA = Path(__file__).parents[3] / "data"


def test_reaches_trains_with_the_steps_of_the_kept_network():
    assert parser(["reaches"]).parse_args(["reaches", "-o", "a"]).compiled is False


@pytest.mark.skipif(not os.environ.get("SPIKEWRIGHT_SLOW"),
                    reason="it takes 9 minutes; SPIKEWRIGHT_SLOW=1 runs it")
def test_default_network_is_made_again(tmp_path, call_command):
    """The same recording, and a network that is as good. Another machine rounds differently."""
    pytest.importorskip("torch", reason="torch is not installed")
    from spikewright.train.fitting.model import TinyRSNN
    from spikewright.train.fitting.predict import predict
    assert call_command("reaches", "-o", tmp_path)[0] == 0
    name = "default_recording.npz"
    assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
    recording = read_recording(tmp_path / name)
    output, hidden = predict(TinyRSNN.load(tmp_path / "default.safetensors", recording.dt),
                             recording)
    assert r_squared(recording.velocity, output).mean() >= 0.93
    assert hidden.mean() <= 0.03
    weights = load_file(tmp_path / "default.safetensors")
    matrices = [weight.ravel() for key, weight in weights.items() if "weight" in key]
    assert (np.concatenate(matrices) == 0).mean() >= 0.45
