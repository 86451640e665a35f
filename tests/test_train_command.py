# SPDX-License-Identifier: Apache-2.0

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from train.__main__ import main
from train.reaches import Units, simulate
from train.recording import Recording, save_recording

try:
    import torch

    from train.fit import predict
    from train.model import TinyRSNN
except ModuleNotFoundError:
    torch = None

ROOT = Path(__file__).parent.parent

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


@needs_torch
def test_command_fits(tmp_path, capsys):
    session = simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2)
    recording, checkpoint = tmp_path / "a.npz", tmp_path / "b.safetensors"
    save_recording(recording, session)
    assert main(["fit", str(recording), "-o", str(checkpoint),
                 "--hidden", "8", "--epochs", "2", "--seed", "3"]) == 0
    assert "20-8-2, dt 0.004 s" in capsys.readouterr().out
    with safe_open(checkpoint, framework="pt") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}
        dt    = float(file.metadata()["dt"])
    output, _ = predict(TinyRSNN.from_state(state, dt), session)
    assert np.isfinite(output).all()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "b.safetensors"]


@needs_torch
@pytest.mark.parametrize("change, message", [
    ({"velocity": None}, "Recording must hold velocity to train on, not miss 'velocity'"),
    ({"velocity": np.zeros((5, 2))},
     ("Recording velocity must have a root mean square between 1e-4 and 1e4 on both axes, "
      "for float16 weights, not [0.0, 0.0]")),
    ({"velocity": _velocity_with(np.nan)},
     "{path}: Recording velocity in row 3 must be finite, not [6.0, nan]"),
    ({"bin": np.array([], int), "channel": np.array([], int), "count": np.array([], int)},
     "Recording must hold at least 1 event to train on, not 0"),
    ({"n_bins": 1, "bin": np.array([0]), "channel": np.array([0]), "count": np.array([1]),
      "trial_start_bin": np.array([0]), "velocity": np.ones((1, 2))},
     "Recording n_bins must be enough to hold out 20%, not 1"),
])
def test_command_refuses_recording(tmp_path, capsys, change, message):
    path = tmp_path / "a.npz"
    np.savez(path, **{key: value for key, value in (GOOD | change).items() if value is not None})
    assert main(["fit", str(path), "-o", str(tmp_path / "b.safetensors")]) == 2
    assert capsys.readouterr().err == f"error: {message.replace('{path}', str(path))}\n"
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def _array_file():
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize("content", [b"", b"not a recording", b"PK\3\4 cut short", _array_file()],
                         ids=["empty", "text", "cut", "npy"])
def test_command_refuses_file(tmp_path, capsys, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert main(["fit", str(path), "-o", str(tmp_path / "b.safetensors")]) == 2
    assert capsys.readouterr().err == (
        f"error: {path} must be a recording (.npz), not another kind of file\n")
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("argv, message", [
    (["fit", "no.npz", "-o", "b.safetensors"], "Recording must be an existing file, not 'no.npz'"),
    (["fit", "no.npz", "-o", "b.pth"],         "Output must end in .safetensors, not 'b.pth'"),
    (["fit", "no.npz", "-o", "no/b.safetensors"],
     "Output folder must exist and be writable, not 'no'"),
    (["default", "-o", "no"],
     "Output folder must exist and be writable, not 'no'"),
    (["default", "-o", ".", "--epochs", "0"],
     "Training epochs must be between 1 and 100000, not 0"),
    (["default", "-o", ".", "--epochs", "many"],
     ("argument --epochs: must be a whole number, not 'many' "
      "(see 'python -m train default --help')")),
    ([], "the following arguments are required: COMMAND (see 'python -m train --help')"),
])
def test_command_refuses_argument(tmp_path, monkeypatch, capsys, argv, message):
    if torch is None and "0" in argv:
        pytest.skip("torch is not installed")
    monkeypatch.chdir(tmp_path)
    try:
        status = main(argv)
    except SystemExit as stop:
        status = stop.code
    assert (status, capsys.readouterr().err) == (2, f"error: {message}\n")
    assert not any(tmp_path.iterdir())


def _python(code, *argv):
    return subprocess.run([sys.executable, "-c", code, *argv],
                          cwd=ROOT, capture_output=True, text=True, check=False)


def test_torch_is_loaded_late():
    done = _python("import sys, train, train.__main__, train.constants, train.reaches\n"
                   "print('torch' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_command_without_torch(tmp_path):
    recording = tmp_path / "a.npz"
    save_recording(recording, Recording(**GOOD))
    done = _python("import sys\nsys.modules['torch'] = None\n"
                   "from train.__main__ import main\nsys.exit(main(sys.argv[1:]))",
                   "fit", str(recording), "-o", str(tmp_path / "b.safetensors"))
    message = ("error: Package torch must be installed to train (pip install -e '.[torch]'), "
               "not missing\n")
    assert (done.returncode, done.stderr) == (2, message)
