# SPDX-License-Identifier: Apache-2.0

import json

import numpy as np
import pytest

from spikewright.base.version import maker
from spikewright.command.commands import run_words
from spikewright.model.artefact import load_artefact, load_network
from spikewright.network.checkpoint import checkpoint_hash, read_checkpoint
from spikewright.network.recording import read_recording
from spikewright.network.retime import retime
from spikewright.train.reaches import Units, save_session, simulate
from spikewright.train.recording import held_out

try:
    import torch
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.skipif(torch is None, reason="torch is not installed")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A recording, and a checkpoint trained on it a little."""
    folder = tmp_path_factory.mktemp("finetune")
    save_session(folder / "a.npz", simulate(n_bins=1000, seed=1, units=Units(channels=20), dt=0.02))
    run_words(["train", str(folder / "a.npz"), "-o", str(folder / "b"), "--hidden", "8",
               "--epochs", "5"])
    return folder / "a.npz", folder / "b" / "final.safetensors"


def test_command_finetunes(files, tmp_path, call_command):
    """The folder is a model like any other; what is printed is what golden answers."""
    recording, checkpoint = files
    status, out, err = call_command("finetune", checkpoint, recording, "-o", tmp_path / "model",
                            "--epochs", 2, "--seed", 3, "--name", "mine", "--weight-bits", 5,
                            "--projection-bits", "recurrent=3")
    worse = ("warning: rounding alone decodes the held-out part better: use 'spikewright "
             "quantize'\n")
    assert status == 0 and err in ("", worse)
    model, manifest = load_artefact(tmp_path / "model")
    assert (model.name, model.widths.weight) == ("mine", 5)
    assert {p.title: p.bits for p in model.projections}["hidden->hidden"] == 3
    tuned = manifest["finetuned"]
    assert [tuned[key] for key in ("source", "steps", "epochs", "seed")] == ["a.npz", 800, 2, 3]
    assert f"a.npz, 800 steps, 2 epochs, seed 3: {tuned['changed']} weights changed\n" in out
    assert manifest["checkpoint"] == {"file": "final.safetensors",
                                      "sha256": checkpoint_hash(checkpoint)}
    assert manifest["options"] == {
        "weight_bits": 5, "current_bits": 16, "membrane_bits": 20, "decay_bits": 12,
        "projection_bits": {"recurrent": 3}, "states": "calibrated", "events_per_channel": 1,
        "decay_terms": None, "retime": True, "calibrate_sha256": checkpoint_hash(recording)}
    assert manifest["made_by"] == maker() and "simulated" in manifest["calibration"]
    exact = retime(read_checkpoint(checkpoint))
    for kept, original in zip(load_network(tmp_path / "model").projections, exact.projections,
                              strict=True):
        assert np.array_equal(kept.weights, original.weights)

    _, unseen = held_out(read_recording(recording))
    data = dict(np.load(recording))
    inside = data["bin"] >= 800
    np.savez(tmp_path / "rest.npz", **{**data, "bin": data["bin"][inside] - 800, "n_bins": 200,
                                       "channel": data["channel"][inside],
                                       "trial_start_bin": np.zeros(0, int),
                                       "velocity": data["velocity"][800:]})
    assert call_command("run", tmp_path / "model", tmp_path / "rest.npz",
                        "-o", tmp_path / "answer.npz")[0] == 0
    answer = np.load(tmp_path / "answer.npz")["velocity"]
    spread = np.square(unseen.velocity - unseen.velocity.mean(0)).sum(0)
    r2 = 1 - np.square(unseen.velocity - answer).sum(0) / spread
    assert f"held out, 200 steps: R2 {r2.mean():.3f} (x {r2[0]:.3f}, y {r2[1]:.3f}), only" in out


def test_command_compares(files, tmp_path, call_command):
    status, out, err = call_command("held-out", files[0], "--seeds", 2, "--weight-bits", "6,3",
                            "--hidden", 6, "--epochs", 3, "--tuning-epochs", 1, "--seed", 4,
                            "-o", tmp_path / "c.json")
    assert (status, err) == (0, "")
    lines = [line.split("  ") for line in out.splitlines()]
    title, *seeds, mean, lost = [[word.strip() for word in line if word] for line in lines]
    assert title == ["R2", "float", "6-bit", "6-bit tuned", "3-bit", "3-bit tuned"]
    results = json.loads((tmp_path / "c.json").read_text())
    scores = [[entry["float"], *(integers[key] for integers in entry["integers"]
                                 for key in ("rounded", "tuned"))] for entry in results["seeds"]]
    assert [line[0] for line in seeds] == ["seed 4", "seed 5"]
    assert [line[1:] for line in seeds] == [[f"{x:.4f}" for x in row] for row in scores]
    means = np.mean(scores, axis=0)
    assert mean[1:] == [f"{x:.4f}" for x in means]
    assert lost[1:] == [f"{x:.4f}" for x in means[0] - means[1:]]
    assert scores[0] != scores[1]
    assert [entry["bits"] for entry in results["seeds"][0]["integers"]] == [6, 3]
    assert (results["steps"], results["held_out_steps"], results["tuning_epochs"]) == (800, 200, 1)


def test_command_refuses_to_score_without_movement(files, tmp_path, call_command):
    data = dict(np.load(files[0]))
    data["velocity"][800:, 1] = 3
    np.savez(tmp_path / "a.npz", **data)
    told = ("error: Recording a.npz velocity must change on both axes in the last 200 steps, "
            "which are scored, not be constant there\n")
    assert call_command("held-out", tmp_path / "a.npz", "-o", tmp_path / "c.json") == (2, "", told)
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize("arguments, message", [
    (["finetune", "no.pth", "{rec}", "-o", "m"],
     "Checkpoint must be a file, not 'no.pth': there is none"),
    (["finetune", "{net}", "no.npz", "-o", "m"],
     "no.npz cannot be used: No such file or directory"),
    (["finetune", "{net}", "{rec}", "-o", "m", "--target", "force"],
     ("Recording {rec} must have the key 'force', not only bin, channel, dt, licence, n_bins, "
      "n_channels, note, source, trial_start_bin, unit, velocity: see "
      "docs/howto/recording.md")),
    (["finetune", "{net}", "{rec}", "-o", "m", "--weight-bits", "1"],
     ("argument --weight-bits: must be a whole number from 2 to 16, not '1' "
      "(see 'spikewright finetune --help')")),
    (["finetune", "{net}", "{rec}", "-o", "m", "--weight-bits", "12", "--current-bits", "8"],
     "Width current must be at least weight + fraction = 12, not 8"),
    (["finetune", "{net}", "{rec}", "-o", "{rec}"],
     "Output must be apart from '{rec}', which the command uses, not '{rec}'"),
    (["held-out", "{rec}", "-o", "c.txt"],
     ("argument -o/--output: must end in .json, not 'c.txt' "
      "(see 'spikewright held-out --help')")),
    (["held-out", "{rec}", "--weight-bits", "8,40"],
     ("argument --weight-bits: must be whole numbers from 2 to 16 separated by commas, not '8,40' "
      "(see 'spikewright held-out --help')")),
])
def test_command_refuses(files, tmp_path, monkeypatch, call_command, arguments, message):
    monkeypatch.chdir(tmp_path)
    names = {"rec": files[0], "net": files[1]}
    status, out, err = call_command(*(argument.format(**names) for argument in arguments))
    assert (status, out, err) == (2, "", f"error: {message.format(**names)}\n")
    assert not any(tmp_path.iterdir())
