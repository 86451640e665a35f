# SPDX-License-Identifier: Apache-2.0
"""SIGTERM ends a long command in one line, and nothing is half written."""

import os
import signal

import pytest

from spikewright.command.commands import run_words
from spikewright.train.reaches import Units, save_session, simulate

pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A recording, a checkpoint of it, and a model of that."""
    folder = tmp_path_factory.mktemp("stopped")
    save_session(folder / "a.npz", simulate(n_bins=1000, seed=1, units=Units(channels=20), dt=0.02))
    run_words(["train", str(folder / "a.npz"), "-o", str(folder / "net"), "--hidden", "6",
               "--epochs", "2"])
    run_words(["quantize", str(folder / "net" / "final.safetensors"), "-o", str(folder / "model"),
               "--calibrate", str(folder / "a.npz")])
    return folder


@pytest.mark.parametrize("words, place", [
    ("finetune {net} {a} -o {out}", "spikewright.train.tuning.finetune.tune"),
    ("finetune {net} {a} -o {out} --epochs 1", "json.dumps"),
    ("recalibrate {model} {a} -o {out}", "spikewright.train.tuning.recalibrate.tune"),
    ("held-out {a} --hidden 6 --epochs 1 -o {out}.json",
     "spikewright.train.tuning.held_out.finetune"),
    ("train {a} --network snn_flat --epochs 1 -o {out}",
     "spikewright.train.graded.fit.save_graded"),
    ("ladder {net} -o {out}", "spikewright.verify.ladder.run.climb_all"),
    ("run {model} {a} -o {out}.npz", "spikewright.api.run"),
])
def test_nothing_is_half_written(folder, tmp_path, call_command, monkeypatch, words, place):
    monkeypatch.setattr(place, lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    words = words.format(a=folder / "a.npz", net=folder / "net" / "final.safetensors",
                         model=folder / "model", out=tmp_path / "out")
    status, _, err = call_command(*words.split())
    assert (status, err) == (143, "stopped\n") and not list(tmp_path.iterdir())
