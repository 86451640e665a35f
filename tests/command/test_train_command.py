# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from spikewright.train.reaches import Units, save_session, simulate

from spikewright.command import train_main

try:
    import torch
    from spikewright.train.fit import predict
    from spikewright.train.model import TinyRSNN
except ModuleNotFoundError:
    torch = None

ROOT = Path(__file__).parents[2]

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")

GOOD = {
    "bin":             np.array([0, 1, 1, 3]),
    "channel":         np.array([2, 0, 1, 2]),
    "count":           np.array([1, 2, 1, 3]),
    "n_bins":          5,
    "n_channels":      3,
    "dt":              0.01,
    "trial_start_bin": np.array([0, 3]),
    "velocity":        np.arange(10.0).reshape(5, 2),
}


def _velocity_with(value):
    velocity = GOOD["velocity"].copy()
    velocity[3, 1] = value
    return velocity


@pytest.fixture
def call(call_command):
    """Run ``python -m train`` in this process: exit status, standard output, standard error."""
    return lambda *arguments: call_command(train_main, *arguments)


@needs_torch
def test_command_fits(tmp_path, call):
    session = simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2)
    recording, checkpoint = tmp_path / "a.npz", tmp_path / "b.safetensors"
    save_session(recording, session)
    status, out, _ = call("fit", recording, "-o", checkpoint,
                          "--hidden", 8, "--epochs", 2, "--seed", 3)
    assert status == 0 and "20-8-2, dt 0.004 s" in out
    with safe_open(checkpoint, framework="pt") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}
        dt    = float(file.metadata()["dt"])
    output, _ = predict(TinyRSNN.from_state(state, dt), session)
    assert np.isfinite(output).all()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "b.safetensors"]


@needs_torch
@pytest.mark.parametrize("change, message", [
    ({"velocity": None}, "Recording a.npz must hold velocity to train on, not only spikes"),
    ({"velocity": np.zeros((5, 3))},
     "Recording a.npz velocity must have 2 axes to train on, not 3"),
    ({"velocity": np.zeros((5, 2))},
     ("Recording a.npz velocity must have a root mean square between 1e-4 and 1e4 on both axes, "
      "for float16 weights, not [0.0, 0.0]")),
    ({"bin": np.array([], int), "channel": np.array([], int), "count": np.array([], int)},
     "Recording a.npz must hold at least 1 event to train on, not 0"),
    ({"velocity": _velocity_with(np.nan)},
     "Recording {path} velocity must be finite, not [6.0, nan] in row 3"),
    ({"n_bins": 1, "bin": np.array([0]), "channel": np.array([0]), "count": np.array([1]),
      "trial_start_bin": np.array([0]), "velocity": np.ones((1, 2))},
     "Recording a.npz n_bins must be enough to hold out 20%, not 1"),
])
def test_command_refuses_recording(tmp_path, call, change, message):
    path = tmp_path / "a.npz"
    np.savez(path, **{key: value for key, value in (GOOD | change).items() if value is not None})
    assert call("fit", path, "-o", tmp_path / "b.safetensors") == (
        2, "", f"error: {message.replace('{path}', str(path))}\n")
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_command_refuses_file(tmp_path, call):
    path = tmp_path / "a.npz"
    path.write_bytes(b"not a recording")
    status, out, err = call("fit", path, "-o", tmp_path / "b.safetensors")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: Recording {path} must be an .npz file of plain arrays, not ")
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("arguments, message", [
    (["fit", "no.npz", "-o", "b.safetensors"],
     "no.npz cannot be used: No such file or directory"),
    (["fit", "no.npz", "-o", "b.pth"], "Output must end in .safetensors, not 'b.pth'"),
    (["fit", "no.npz", "-o", "no/b.safetensors"],
     "Output folder must exist and be writable, not 'no'"),
    (["default", "-o", "no"],
     "Output folder must exist and be writable, not 'no'"),
    (["default", "-o", ".", "--epochs", "0"],
     ("argument --epochs: must be a whole number from 1 to 100000, not '0' "
      "(see 'python -m train default --help')")),
    (["fit", "no.npz", "-o", "b.safetensors", "--hidden", "many"],
     ("argument --hidden: must be a whole number from 1 to 1024, not 'many' "
      "(see 'python -m train fit --help')")),
    ([], "the following arguments are required: command (see 'python -m train --help')"),
])
def test_command_refuses_argument(tmp_path, monkeypatch, call, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == (2, "", f"error: {message}\n")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("arguments, folder", [
    (["fit", "no.npz", "-o", "b.safetensors"], "b.safetensors"),
    (["default", "-o", "."],                   "default.safetensors"),
    (["default", "-o", "."],                   "default_recording.npz"),
])
def test_command_refuses_folder_for_a_file(tmp_path, monkeypatch, call, arguments, folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).mkdir()
    assert call(*arguments) == (2, "", f"error: Output must be a file, not the folder '{folder}'\n")


def _python(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *arguments],
                          cwd=ROOT, capture_output=True, text=True, check=False)


def test_torch_is_loaded_late():
    done = _python("import sys, network.constants, train_main\n"
                   "print('torch' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_command_without_torch(tmp_path):
    recording = tmp_path / "a.npz"
    np.savez(recording, **GOOD)
    done = _python("import runpy, sys\nsys.modules['torch'] = None\n"
                   "runpy.run_module('train', run_name='__main__')",
                   "fit", str(recording), "-o", str(tmp_path / "b.safetensors"))
    message = ("error: Package torch must be installed to train (pip install -e '.[torch]'), "
               "not missing\n")
    assert (done.returncode, done.stderr) == (2, message)
