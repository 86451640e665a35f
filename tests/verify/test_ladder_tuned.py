# SPDX-License-Identifier: Apache-2.0
"""Rungs of the ladder whose integers are fine-tuned."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.model.artefact import model_hash
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.recording import read_recording
from spikewright.network.retime import retime
from spikewright.quantize.compile import compile_network
from spikewright.train.fitting.recipe import Tuning
from spikewright.train.reaches import Units, save_session, simulate
from spikewright.verify.ladder.rungs import mixed, rung_bits, tuned, widths_of, with_tuned
from tests.designs import BUILD
from tests.graded import ann_tensors
from tests.networks import random_tensors
from tests.pages import pictures


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file(random_tensors(0), "net.safetensors")
    for seed in (1, 2):
        save_session(tmp_path / f"day{seed}.npz",
                     simulate(n_bins=400, seed=seed, units=Units(channels=6), trials=2))
    return tmp_path


@pytest.fixture
def call(call_command):
    return lambda *arguments: call_command("ladder", *arguments, "--jobs", 1, "--build", BUILD,
                                           "--no-rtl")


def test_names_of_tuned_rungs():
    """They follow rungs of fewer than 8 bits."""
    rungs = with_tuned(("fp32", "int8", "int6", "int4/8/8", "int4/6/4"))
    assert rungs == ["fp32", "int8", "int6", "int6 tuned", "int4/8/8", "int4/6/4",
                     "int4/6/4 tuned"]
    assert [tuned(rung) for rung in rungs] == [False, False, False, True, False, False, True]
    assert rung_bits("int4/6/4 tuned") == 6 and mixed("int4/6/4 tuned")
    assert not mixed("int6 tuned")


def test_tuned_rungs_are_those_of_finetune(here, call):
    pytest.importorskip("torch", reason="torch is not installed")
    from spikewright.train.tuning.finetune import finetune, unit_of
    status, out, _ = call("net.safetensors", "--recording", "day2.npz", "--calibrate", "day1.npz",
                          "--finetune", "day1.npz", "--rungs", "fp32,8,4", "-o", "out")
    assert status == 0
    ladder = json.loads((here / "out" / "ladder.json").read_text())
    assert ladder["networks"][0]["tuning"] == "day1.npz"
    assert ladder["rungs"] == ["fp32", "int8", "int4", "int4 tuned"]
    _, _, plain, better = ladder["networks"][0]["rungs"]
    assert better["bits"] == 4 and better["widths"] == plain["widths"]
    seen = read_recording(here / "day1.npz")
    rounded, network, facts = compile_network(
        retime(read_checkpoint(here / "net.safetensors")), name="net", widths=widths_of(4),
        recording=seen)
    model, _ = finetune(rounded, network, facts, seen, Tuning(), unit_of(rounded, seen))
    assert (plain["model_hash"], better["model_hash"]) == (model_hash(rounded), model_hash(model))
    assert [line.split("  ")[0] for line in out.splitlines()[3:7]] == ladder["rungs"]
    page = (here / "out" / "ladder.html").read_text()
    assert "x, tuned" in page and "tuned" not in pictures(page)[0]


@pytest.mark.parametrize("arguments, message", [
    (("net.safetensors", "--finetune", "rest.npz"),
     "Recording rest.npz must hold velocity or force to train on, not only spikes"),
    (("net.safetensors", "--finetune", "wide.npz"),
     "Recording wide.npz n_channels must be 6, as the network has, not 9"),
    (("net.safetensors", "--finetune", "day1.npz", "day2.npz"),
     "Recordings of --finetune must be one, or one for each of the 1 networks, not 2"),
    (("ann.pt", "--finetune", "day1.npz"),
     "Network must be one of spiking neurons only, not a graded one of the kind ANN")])
def test_refused(here, call, arguments, message):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.save({key: torch.from_numpy(value) for key, value in ann_tensors(0).items()}, "ann.pt")
    events = {"bin": [0], "channel": [0], "n_bins": 9, "dt": 4e-3}
    np.savez("rest.npz", **events, n_channels=6)
    np.savez("wide.npz", **events, n_channels=9, velocity=np.zeros((9, 2)))
    status, out, err = call(*arguments, "--rungs", "4")
    assert (status, out) == (2, "") and message in err
    assert not (here / "out").exists()


@pytest.mark.parametrize("arguments, message", [
    (("net.safetensors", "--finetune", "day1.npz", "--rungs", "fp32,8,8/4/8"),
     "Option --finetune must come with a rung below 8 bits, not with fp32,int8,int8/4/8"),
    (("net.safetensors", "--finetune", "day1.npz", "--recording", "copy.npz"), (
     "Recording of --finetune must be another one than that of --recording, not day1.npz: the "
     "decoding would be that of steps that the integers have learnt")),
    (("--draw", "ladder.json", "-o", "a.png", "--finetune", "day1.npz"),
     "Option --finetune must come without --draw, which does not measure"),
    (("--draw", "ladder.json", "-o", "a.png", "--recording", "day1.npz"),
     "Option --recording must come without --draw, which does not measure")])
def test_options_that_do_not_go_together(here, call, arguments, message):
    pytest.importorskip("torch", reason="torch is not installed")
    shutil.copy("day1.npz", "copy.npz")
    assert call(*arguments) == (2, "", f"error: {message}\n")


def test_without_torch(here, call, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    status, _, err = call("net.safetensors", "--finetune", "day1.npz", "--rungs", "4")
    assert status == 2 and "Package torch must be installed to train" in err
