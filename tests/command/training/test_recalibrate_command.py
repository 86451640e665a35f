# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import pytest

from spikewright.command.commands import run_words
from spikewright.model.artefact import load_artefact
from spikewright.network.recording import read_recording
from spikewright.train.reaches import Units, save_session, simulate
from spikewright.train.recording import held_out

try:
    import torch
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.skipif(torch is None, reason="torch is not installed")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, and a recording whose axes are swapped against it."""
    folder = tmp_path_factory.mktemp("recalibrate")
    session = simulate(n_bins=3000, seed=1, units=Units(channels=48), dt=0.02)
    save_session(folder / "a.npz", session)
    save_session(folder / "b.npz", replace(session, velocity=session.velocity[:, ::-1]))
    run_words(["train", str(folder / "a.npz"), "-o", str(folder / "net"), "--hidden", "12",
               "--epochs", "60"])
    run_words(["quantize", str(folder / "net" / "final.safetensors"), "-o", str(folder / "model"),
               "--calibrate", str(folder / "a.npz")])
    return folder / "model", folder / "b.npz"


def test_command_recalibrates(files, tmp_path, call_command):
    """The folder is a model like any other; what is printed is what golden answers."""
    from spikewright.train.tuning.finetune import integer_score
    model, recording = files
    status, out, err = call_command("recalibrate", model, recording, "-o", tmp_path / "new",
                                    "--seconds", 20, "--epochs", 2, "--seed", 3)
    assert status == 0
    (old, _), (new, manifest) = load_artefact(model), load_artefact(tmp_path / "new")
    told = manifest["recalibrated"]
    assert [told[key] for key in ("source", "steps", "epochs", "seed", "axes", "order")] == [
        "b.npz", 1000, 2, 3, "swapped", ""]
    _, unseen = held_out(read_recording(recording))
    before, after = (integer_score(each, unseen) for each in (old, new))
    lines = out.splitlines()
    assert lines[:4] == [
        f"learnt from 20 s, 1000 steps: {told['changed']} weights changed",
        "channels: in the order of the model", "axes: swapped",
        f"held out, 600 steps: R2 {after.mean():.3f} (x {after[0]:.3f}, y {after[1]:.3f})"]
    assert lines[4] == f"before: R2 {before.mean():.3f} (x {before[0]:.3f}, y {before[1]:.3f})"
    assert lines[5].startswith("before, with the best affine function of the outputs: R2 0.")
    assert lines[6:] == [f"-> {tmp_path / 'new'}"]
    assert err.splitlines()[0] == (
        "warning: the axes of the recording are swapped, against the model. The new model follows "
        "the recording: check which of them is right")
    assert before.mean() < 0 < after.mean()
    shown = call_command("show", tmp_path / "new")[1]
    assert f"b.npz, 1000 steps, 2 epochs, seed 3: {told['changed']} weights changed\n" in shown
    assert "recorded axes swapped\n" in shown


def test_command_changes_the_readout_only(files, tmp_path, call_command):
    model, recording = files
    assert call_command("recalibrate", model, recording, "-o", tmp_path / "new", "--epochs", 2,
                        "--readout-only")[0] == 0
    (old, _), (new, manifest) = load_artefact(model), load_artefact(tmp_path / "new")
    changed = [p.title for p, q in zip(old.projections, new.projections, strict=True)
               if (p.weights != q.weights).any()]
    assert changed == ["hidden->readout"] and manifest["recalibrated"]["readout_only"]


@pytest.mark.parametrize("words, message", [
    (["{model}", "{rec}", "-o", "{model}"],
     "Output must be apart from '{model}', which the command uses, not '{model}'"),
    (["{model}", "{rec}", "-o", "m", "--seconds", "49"],
     ("Option --seconds must be between 0.02 and 48, the first 80 % of the recording, not 49")),
    (["{model}", "{rec}", "-o", "m", "--seconds", "nan"],
     ("Option --seconds must be between 0.02 and 48, the first 80 % of the recording, not nan")),
    (["none", "{rec}", "-o", "m"],
     ("Model must be a folder made by 'spikewright quantize', not 'none': there is "
      "none")),
    (["{model}", "{rec}", "-o", "m", "--target", "force"],
     "Recording {rec} must have the key 'force', not only bin, channel")])
def test_command_refuses(files, here, call_command, words, message):
    names = dict(zip(("model", "rec"), map(str, files), strict=True))
    status, _, err = call_command("recalibrate", *[word.format(**names) for word in words])
    assert status == 2 and err.startswith(f"error: {message.format(**names)}")
    assert not (here / "m").exists()
