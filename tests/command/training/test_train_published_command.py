# SPDX-License-Identifier: Apache-2.0
"""``spikewright train --recipe published`` from sessions to models; a few neurons."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from spikewright.model.saved import Model
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.graded.run import run_float
from spikewright.network.metrics import published_time, r_squared
from spikewright.network.recording import read_recording
from spikewright.network.state_dicts.rsnn import BIG_KEYS, KEYS
from spikewright.train.published.recipe import PUBLISHED
from tests.train.published.reaching import needs_h5py, write_session

pytest.importorskip("torch", reason="torch is not installed")

pytestmark = needs_h5py


@pytest.fixture
def words(tmp_path, monkeypatch):
    """A command on two sessions, with a table of few epochs and neurons."""
    for name in PUBLISHED:
        monkeypatch.setitem(PUBLISHED, name, replace(
            PUBLISHED[name], hidden=9, pretraining=1, tuning=2, retraining=1, batch=5))
    for number in range(2):
        write_session(tmp_path / f"indy_{number}.mat", samples=2600, seed=number, rate=60)
    return ["train", tmp_path / "indy_0.mat", "--recipe", "published", "--seed", 3]


@pytest.mark.parametrize("network, keys, kind", [
    ("tinyrsnn", KEYS, np.float16), ("bigrsnn", BIG_KEYS, np.float32)])
def test_from_sessions_to_a_model(tmp_path, call_command, words, network, keys, kind):
    """Pre-training, fine-tuning and pruning; the files are those of the other commands."""
    out = tmp_path / network
    status, said, err = call_command(*words, "-o", out, "--network", network, "--pretrain",
                                     tmp_path / "indy_0.mat", tmp_path / "indy_1.mat")
    assert status == 0 and err.startswith("warning: ") and err.count("\n") == 1
    assert err.endswith("try more sessions of --pretrain, or record more\n")
    assert sorted(file.name for file in out.iterdir()) == [
        "config.json", "curves.png", "final.safetensors", "held_out.npz", "metrics.json",
        "pretrained.safetensors", "seen.npz"]
    assert {file.name for file in tmp_path.iterdir()} == {"indy_0.mat", "indy_1.mat", network}
    final, begun = (load_file(out / f"{name}.safetensors") for name in ("final", "pretrained"))
    assert final.keys() == begun.keys() == keys.keys()
    assert {value.dtype for value in final.values()} == {np.dtype(kind)}
    assert {value.dtype for value in begun.values()} == {np.dtype(np.float32)}
    with safe_open(out / "final.safetensors", framework="np") as file:
        assert file.metadata() == {"dt": "0.004", "time": "published"}

    metrics = json.loads((out / "metrics.json").read_text())
    config = json.loads((out / "config.json").read_text())
    assert metrics["network"] == config["recipe"]["network"] == network
    assert (metrics["hidden"], metrics["seed"]) == (9, 3)
    assert config["pretrain"] == ["indy_0.mat", "indy_1.mat"] and config["start"] is None
    unseen, seen = (read_recording(out / f"{name}.npz") for name in ("held_out", "seen"))
    assert unseen.steps == metrics["steps_held_out"] and seen.steps + unseen.steps == 2600
    assert seen.unit == unseen.unit == "mm per step"
    answer = run_float(read_checkpoint(out / "final.safetensors"), unseen)
    r2 = r_squared(unseen.velocity, published_time(answer.velocity, 0, unseen.reset))
    assert metrics["r2_held_out"] == pytest.approx(r2.tolist(), abs=1e-4)
    assert f"held out, {unseen.steps} steps: R2 {r2.mean():.3f} " in said
    weights = [value for key, value in final.items() if "con" in key]
    if network == "tinyrsnn":
        percent = round(100 * metrics["pruned"])
        assert metrics["rounds"][0]["pruned"] == 0.4
        for weight in weights:
            assert np.count_nonzero(weight == 0) >= percent * weight.size // 100
        for each in metrics["rounds"]:
            assert (f"pruned {100 * each['pruned']:.0f} %: R2 of the training "
                    f"{each['r2_training']:.3f}, {metrics['r2_training']:.3f} before\n") in said
    else:
        assert metrics["rounds"] == [] and metrics["pruned"] == 0
        assert all(weight.all() for weight in weights)

    assert call_command("quantize", out / "final.safetensors", "-o", tmp_path / "model",
                        "--calibrate", out / "seen.npz")[0] == 0
    integers = Model.load(tmp_path / "model").integers
    assert integers.lead_steps == 5 and len(integers.readout) == 2
    assert call_command("run", tmp_path / "model", out / "held_out.npz", "-o",
                        tmp_path / "answer.npz")[0] == 0


def test_begins_with_a_pretrained_network(tmp_path, call_command, words, monkeypatch):
    """On another session, and with a GRU beside it, of the same parts."""
    compared = []
    monkeypatch.setattr("spikewright.command.training.published.gru_scores", lambda *given: (
        compared.append(given) or [0.5, 0.25]))
    assert call_command(*words, "-o", tmp_path / "one", "--pretrain",
                        tmp_path / "indy_1.mat")[0] == 0
    start = tmp_path / "one" / "pretrained.safetensors"
    words[1] = tmp_path / "indy_1.mat"
    assert call_command(*words, "-o", tmp_path / "two", "--start", start, "--gru")[0] == 0
    (seen, unseen, seed), = compared
    assert (seen.name, seen.steps + unseen.steps, seed) == ("indy_1.mat", 2600, 3)
    metrics = json.loads((tmp_path / "two" / "metrics.json").read_text())
    assert metrics["baselines"]["gru"] == [0.5, 0.25]
    assert not (tmp_path / "two" / "pretrained.safetensors").exists()
    assert json.loads((tmp_path / "two" / "config.json").read_text())["start"] == str(start)
    status, out, err = call_command(*words, "-o", tmp_path / "three", "--start", start,
                                    "--network", "bigrsnn")
    assert (status, out) == (2, "") and err.startswith(
        f"error: Network {start} must have the tensors con1.op.weight, ")


def test_goes_on_after_an_interruption(tmp_path, call_command, words, monkeypatch):
    from spikewright.train.fitting import kept_state
    from spikewright.train.published.fit import _Epochs
    assert call_command(*words, "-o", tmp_path / "one")[0] == 0
    step = _Epochs.batch

    def stop(self):
        if self.number == 1 and self.done == 1:
            raise KeyboardInterrupt
        return step(self)
    state = tmp_path / "two.resume"
    with monkeypatch.context() as patch:
        patch.setattr(kept_state, "EVERY", 0)
        patch.setattr(_Epochs, "batch", stop)
        assert call_command(*words, "-o", tmp_path / "two") == (
            130, "", f"stopped: the same command goes on from the state in {state}\n")
    assert call_command(*words, "-o", tmp_path / "two")[0] == 0 and not state.exists()
    one, two = (tmp_path / name / "final.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_request_to_end_leaves_no_half_of_the_results(tmp_path, call_command, words,
                                                        monkeypatch):
    """SIGTERM after the fit: only the state stays."""
    from spikewright.command.training import published
    monkeypatch.setattr(published, "network_scores",
                        lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    state = tmp_path / "out.resume"
    assert call_command(*words, "-o", tmp_path / "out") == (
        143, "", f"stopped: the same command goes on from the state in {state}\n")
    assert {path.name for path in tmp_path.iterdir()} == {"indy_0.mat", "indy_1.mat", "out.resume"}


@pytest.mark.parametrize("more, message", [
    (["--hidden", 8], "Option --hidden must come with the recipe default, not with published"),
    (["--epochs", 8], "Option --epochs must come with the recipe default, not with published"),
    (["--target", "force"], ("Option --target must come with the recipe default, not with "
     "published")),
    (["--network", "ann"], ("Option --network must be tinyrsnn or bigrsnn with the recipe "
     "published, not ann")),
    (["--start", "a.pth", "--pretrain", "b.mat"], ("Option --start must come without --pretrain, "
     "not with it: each gives the network to fine-tune")),
    (["--recipe", "default", "--pretrain", "b.mat"], ("Option --pretrain must come with the recipe "
     "published, not with default")),
    (["--recipe", "default", "--network", "bigrsnn"], ("Option --network bigrsnn must come with "
     "the recipe published, not with default")),
    (["--pretrain", "{folder}/b.mat"], ("Session {folder}/b.mat must be a .mat file of the public "
     "reaching sessions, not missing: download it from https://doi.org/10.5281/zenodo.583331, and "
     "give its path")),
    (["--pretrain", "{folder}/loco.mat"], (
     "Session loco.mat must have 4 channels, as indy_0.mat has, not 5: all sessions of a training "
     "must have the same channels")),
    (["--device", "cpu"], "Option --device must come with the recipe default, not with published"),
])
def test_refusals(tmp_path, call_command, words, more, message):
    write_session(tmp_path / "loco.mat", channels=5)
    more = [str(word).format(folder=tmp_path) for word in more]
    assert call_command(*words, "-o", tmp_path / "out", *more) == (
        2, "", f"error: {message.format(folder=tmp_path)}\n")
    assert not (tmp_path / "out").exists()


def _changed(path, key, change):
    import h5py
    with h5py.File(path, "r+") as file:
        file[key][...] = change(file[key][()])


STILL = "velocity must change on both axes to train on, not be constant throughout"


@pytest.mark.parametrize("session, change, message", [
    ("indy_0.mat", lambda values: np.where(np.arange(2600) == 2599, np.nan, values), (
     "velocity must be known in every step to train on, not NaN in 2 of 2600 steps (first: step "
     "2598): cut these steps out")),
    ("indy_0.mat", np.zeros_like, STILL),
    ("indy_1.mat", np.zeros_like, STILL),
])
def test_movement_is_checked_before_the_work(tmp_path, call_command, words, monkeypatch, session,
                                             change, message):
    """Also that of the test part, and of a session to pre-train on."""
    from spikewright.train.published import fit
    monkeypatch.delattr(fit.Published, "run")
    _changed(tmp_path / session, "cursor_pos", change)
    assert call_command(*words, "-o", tmp_path / "out", "--pretrain", tmp_path / "indy_1.mat") == (
        2, "", f"error: Recording {session} {message}\n")
    assert not (tmp_path / "out").exists()
