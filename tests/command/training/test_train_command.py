# SPDX-License-Identifier: Apache-2.0

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from spikewright.command.training.shared import one_training
from spikewright.network.metrics import r_squared
from spikewright.network.recording import read_recording
from spikewright.train.reaches import Units, save_session, simulate
from spikewright.train.recording import held_out
from tests.networks import refused

try:
    import torch

    from spikewright.train.fitting.model import TinyRSNN
    from spikewright.train.fitting.predict import predict
except ModuleNotFoundError:
    torch = None

ROOT = Path(__file__).parents[3]

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
def test_a_request_to_end_leaves_no_half_of_the_results(tmp_path, call_command, monkeypatch):
    """SIGTERM after the fit: only the state stays, and the same command goes on from there."""
    from spikewright.command.training import train as module
    save_session(tmp_path / "a.npz", simulate(n_bins=500, seed=1, units=Units(channels=20)))
    words = ["train", tmp_path / "a.npz", "-o", tmp_path / "b", "--hidden", 8, "--epochs", 2]
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(module, "gru_scores", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        assert call_command(*words, "--gru")[0] == 143
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "b.resume"}
    assert signal.getsignal(signal.SIGTERM) is before
    assert call_command(*words)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "b"}


@needs_torch
def test_command_fits(tmp_path, call_command):
    session = simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2)
    recording, checkpoint = tmp_path / "a.npz", tmp_path / "b"
    save_session(recording, session)
    status, out, err = call_command("train", recording, "-o", checkpoint,
                                    "--hidden", 8, "--epochs", 2, "--seed", 3)
    assert status == 0 and "20-8-2, dt 0.004 s" in out
    with safe_open(checkpoint / "final.safetensors", framework="pt") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}
        dt, time = float(file.metadata()["dt"]), file.metadata()["time"]
        offset = json.loads(file.metadata()["offset"])
    assert offset == pytest.approx(held_out(session)[0].velocity.mean(0), rel=1e-6)
    _, unseen = held_out(read_recording(recording))
    output, _ = predict(TinyRSNN.from_state(state, dt, time, offset), unseen)
    r2 = r_squared(unseen.velocity, output)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "b"]
    assert sorted(file.name for file in checkpoint.iterdir()) == [
        "config.json", "curves.png", "final.safetensors", "metrics.json"]
    config = json.loads((checkpoint / "config.json").read_text())
    assert config["recipe"]["epochs"] == 2 and config["recipe"]["window"] == 2
    metrics = json.loads((checkpoint / "metrics.json").read_text())
    assert {key: metrics[key] for key in ("hidden", "epochs", "seed", "steps_held_out")} == {
        "hidden": 8, "epochs": 2, "seed": 3, "steps_held_out": 100}
    x, y = metrics["r2_held_out"]
    assert (x, y) == pytest.approx(tuple(r2), rel=1e-4)
    assert f"held out, 100 steps: R2 {r2.mean():.3f} (x {x:.3f}, y {y:.3f})" in out
    for name, seconds in (("wiener", "0.5"), ("ridge", "1")):
        x, y = metrics["baselines"][name]
        assert re.search(rf"{name} of {seconds} s of counts, same part: R2 -?\d+\.\d{{3}} "
                         rf"\(x {x:.3f}, y {y:.3f}\)\n", out)
    best = max(metrics["baselines"], key=lambda name: sum(metrics["baselines"][name]))
    assert err == (f"warning: {best}, a linear decoder, decodes the held-out part better: try more "
                   "--epochs or --hidden, or record more\n")


@needs_torch
def test_command_begins_with_a_network(tmp_path, call_command):
    """A network of another shape, dt or kind is refused before anything is written."""
    save_session(tmp_path / "a.npz", simulate(n_bins=500, seed=1, units=Units(channels=20)))
    words = ["train", tmp_path / "a.npz", "--hidden", 8, "--epochs", 1]
    first = tmp_path / "one" / "final.safetensors"
    assert call_command(*words, "-o", tmp_path / "one")[0] == 0
    assert call_command(*words, "-o", tmp_path / "two", "--start", first)[0] == 0
    config = json.loads((tmp_path / "two" / "config.json").read_text())
    assert config["start"] == str(first) and config["recipe"]["hidden"] == 8
    words[3] = 9
    for change, message in (
            ({}, f"Network {first} must be 20-9-2, as the one to train, not 20-8-2"),
            ({"dt": "0.02"}, "dt must be 0.004 s, as the recording has, not 0.02"),
            ({"drop": "con2.op.weight"}, "must have the tensors con1.op.weight, ")):
        path = first
        if change:
            path = tmp_path / "other.safetensors"
            tensors = {key: value for key, value in load_file(first).items()
                       if key != change.get("drop")}
            save_file(tensors, path, {"dt": change.get("dt", "0.004")})
        status, out, err = call_command(*words, "-o", tmp_path / "three", "--start", path)
        assert (status, out) == (2, "") and message in err
        assert not (tmp_path / "three").exists()


@needs_torch
def test_command_goes_on_after_an_interruption(tmp_path, call_command, monkeypatch):
    from spikewright.train.fitting import kept_state
    from spikewright.train.fitting.fit import Training
    save_session(tmp_path / "a.npz", simulate(n_bins=500, seed=1, units=Units(channels=20)))
    words = ["train", tmp_path / "a.npz", "--hidden", 8, "--epochs", 6]
    assert call_command(*words, "-o", tmp_path / "one")[0] == 0
    step = Training._batch

    def stop(self):
        if self.done == 4:
            raise KeyboardInterrupt
        return step(self)
    with monkeypatch.context() as patch:
        patch.setattr(kept_state, "EVERY", 0)
        patch.setattr(Training, "_batch", stop)
        status, out, err = call_command(*words, "-o", tmp_path / "two")
    state = tmp_path / "two.resume"
    assert (status, out) == (130, "") and err == (
        f"stopped: the same command goes on from the state in {state}\n")
    assert call_command(*words, "-o", tmp_path / "two")[0] == 0
    assert not state.exists()
    one, two = (load_file(tmp_path / name / "final.safetensors") for name in ("one", "two"))
    assert all((one[key] == two[key]).all() for key in one)


@needs_torch
@pytest.mark.parametrize("error, status, message", [
    (KeyboardInterrupt(), 130, "stopped: the same command goes on from the state in {state}\n"),
    (OSError(28, "No space left on device"), 2, "error: "),
])
def test_command_keeps_the_state_until_the_network_is_written(
        tmp_path, call_command, monkeypatch, error, status, message):
    """After an error behind the training, the same command ends without a further batch."""
    from spikewright.train.fitting.fit import Training
    save_session(tmp_path / "a.npz", simulate(n_bins=500, seed=1, units=Units(channels=20)))
    words = ["train", tmp_path / "a.npz", "--hidden", 4, "--epochs", 2, "-o", tmp_path / "two"]
    state = tmp_path / "two.resume"

    def fail(*arguments):
        raise error
    with monkeypatch.context() as patch:
        patch.setattr(TinyRSNN, "checkpoint", fail)
        found, out, err = call_command(*words)
    assert (found, out) == (status, "") and err.startswith(message.format(state=state))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "two.resume"]
    monkeypatch.setattr(Training, "_batch", fail)
    assert call_command(*words)[0] == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "two"]


@needs_torch
def test_reaches_removes_its_state(tmp_path, call_command, monkeypatch):
    """The state is beside the network while it trains, and not any more at the end."""
    from spikewright.train import reaches
    session = simulate(n_bins=500, seed=1, units=Units(channels=20))
    monkeypatch.setattr(reaches, "default_sessions", lambda seed: held_out(session))
    words = ["reaches", "-o", tmp_path, "--epochs", 1]
    state = tmp_path / "default.safetensors.resume"

    def stop(*arguments):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(TinyRSNN, "checkpoint", stop)
        assert call_command(*words) == (
            130, "", f"stopped: the same command goes on from the state in {state}\n")
    assert state.exists() and call_command(*words)[0] == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "default.safetensors", "default_recording.npz"]


@needs_torch
def test_held_out_part_is_not_seen(tmp_path, call_command):
    """Another end of the recording gives the same network, bit by bit."""
    session = simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2)
    other   = simulate(n_bins=500, seed=2, units=Units(channels=20), trials=2)
    for name, end in (("a", session), ("b", other)):
        head = session.head(400)
        save_session(tmp_path / f"{name}.npz", replace(
            head, channel=np.concatenate([head.channel, end.channel[end.start[400]:]]),
            start=np.concatenate([head.start, end.start[401:] - end.start[400]
                                  + head.start[400]]),
            reset=session.reset,
            velocity=np.concatenate([head.velocity, end.velocity[400:]])))
        assert call_command("train", tmp_path / f"{name}.npz", "-o", tmp_path / name,
                            "--hidden", 4, "--epochs", 8)[0] == 0
    first, second = (tmp_path / name / "final.safetensors" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    first, second = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in "ab")
    assert first["r2_held_out"] != second["r2_held_out"]


@needs_torch
def test_command_scores_no_axis_without_movement(tmp_path, call_command):
    """JSON has no NaN: the score of an axis that does not move in the held-out part is null."""
    velocity = GOOD["velocity"].repeat(2, axis=0)
    velocity[8:, 1] = 7
    np.savez(tmp_path / "a.npz", **GOOD | {"n_bins": 10, "velocity": velocity})
    status, out, err = call_command("train", tmp_path / "a.npz", "-o", tmp_path / "b",
                                    "--hidden", 2, "--epochs", 1)
    metrics = json.loads((tmp_path / "b" / "metrics.json").read_text())
    x, y = metrics["r2_held_out"]
    assert (status, err, x, y) == (0, (
        "warning: the held-out part has 2 steps: R2 of fewer than 100 says nothing, so record "
        "more\n"), None, None)
    assert metrics["baselines"] == {
        "wiener": [None, None], "ridge": [None, None], "kalman": [None, None]}
    assert "held out, 2 steps: R2 - (x -, y -), " in out


@needs_torch
@pytest.mark.parametrize("change, message", [
    ({"velocity": None},
     "Recording a.npz must hold velocity or force to train on, not only spikes"),
    ({"velocity": np.zeros((5, 3))},
     "Recording a.npz velocity must have 2 axes to train on, not 3"),
    ({"velocity": np.zeros((5, 2))},
     ("Recording a.npz velocity must change on both axes to train on, not be constant "
      "throughout")),
    ({"velocity": GOOD["velocity"] * [1e6, 1]},
     ("Recording a.npz velocity must have a standard deviation between 1e-4 and 1e4 on both axes, "
      "for float16 weights, not 2.24e+06 and 2.24: give it in another unit")),
    ({"bin": np.array([], int), "channel": np.array([], int), "count": np.array([], int)},
     "Recording a.npz must hold at least 1 event to train on, not 0"),
    ({"velocity": _velocity_with(np.nan)},
     ("Recording a.npz velocity must be known in every step to train on, not NaN in 1 of 5 "
      "steps (first: step 3): cut these steps out")),
    ({"velocity": np.vstack([GOOD["velocity"][:4], [[np.nan, 1]]])},
     ("Recording a.npz velocity must be known in every step to train on, not NaN in 1 of 5 "
      "steps (first: step 4): cut these steps out")),
    ({"n_bins": 1, "bin": np.array([0]), "channel": np.array([0]), "count": np.array([1]),
      "trial_start_bin": np.array([0]), "velocity": np.ones((1, 2))},
     "Recording a.npz n_bins must be enough to hold out 20%, not 1"),
])
def test_command_refuses_recording(tmp_path, call_command, change, message):
    path = tmp_path / "a.npz"
    np.savez(path, **{key: value for key, value in (GOOD | change).items() if value is not None})
    assert call_command("train", path, "-o", tmp_path / "b.safetensors") == (
        2, "", f"error: {message.replace('{path}', str(path))}\n")
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_command_refuses_file(tmp_path, call_command):
    path = tmp_path / "a.npz"
    path.write_bytes(b"not a recording")
    status, out, err = call_command("train", path, "-o", tmp_path / "b.safetensors")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: Recording {path} must be an .npz file of plain arrays, not ")
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("arguments, message", [
    (["train", "no.npz", "-o", "b.safetensors"],
     "no.npz cannot be used: No such file or directory"),
    (["reaches", "-o", "no"],
     "Output folder must exist, not 'no'"),
    (["reaches", "-o", ".", "--epochs", "0"],
     ("argument --epochs: must be a whole number from 1 to 100000, not '0' "
      "(see 'spikewright reaches --help')")),
    (["train", "no.npz", "-o", "b.safetensors", "--hidden", "many"],
     ("argument --hidden: must be a whole number from 1 to 1024, not 'many' "
      "(see 'spikewright train --help')")),
    ([], "the following arguments are required: COMMAND (see 'spikewright --help')"),
])
def test_command_refuses_argument(tmp_path, monkeypatch, call_command, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert call_command(*arguments) == (2, "", f"error: {message}\n")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("arguments, folder", [
    (["reaches", "-o", "."],                   "default.safetensors"),
    (["reaches", "-o", "."],                   "default_recording.npz"),
])
def test_command_refuses_folder_for_a_file(tmp_path, monkeypatch, call_command, arguments, folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).mkdir()
    assert call_command(*arguments) == (
        2, "", f"error: Output must be a file, not the folder '{folder}'\n")


def _python(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *arguments],
                          cwd=ROOT, capture_output=True, text=True, check=False)


def test_torch_is_loaded_late():
    done = _python("import sys, spikewright.command.training.train\n"
                   "print('torch' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_two_trainings_with_one_state_are_refused(tmp_path):
    state, other = tmp_path / "a.resume", tmp_path / "b.resume"
    with one_training(state):
        with (refused(f"Training of {tmp_path / 'a'} must run once at a time, not twice"),
              one_training(state)):
            pass
        with one_training(other):
            pass
    with one_training(state):
        pass


def test_command_without_torch(tmp_path):
    recording = tmp_path / "a.npz"
    np.savez(recording, **GOOD)
    done = _python("import sys\nsys.modules['torch'] = None\n"
                   "from spikewright.command import main\nmain()",
                   "train", str(recording), "-o", str(tmp_path / "b.safetensors"))
    message = ("error: Package torch must be installed to train (make torch, or pip install "
               "'spikewright[torch]'), not missing\n")
    assert (done.returncode, done.stderr) == (2, message)
