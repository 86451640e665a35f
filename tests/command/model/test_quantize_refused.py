# SPDX-License-Identifier: Apache-2.0
"""What the quantizer's commands refuse: one line each, and nothing is written."""

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.networks import random_tensors


def _tree(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _write(path, content):
    (Path(path).mkdir if content is None else lambda: Path(path).write_bytes(content))()


MISSING = {key: value for key, value in random_tensors(0).items() if key != "con2.op.weight"}
WRONG = {**random_tensors(0), "con2.op.weight": np.zeros((4, 4), np.float16)}
NAN = {**random_tensors(0), "con3.op.weight": np.full((2, 5), np.nan, np.float16)}

BUILD = ("quantize", "net.safetensors", "-o", "out")
OUTPUT = "Output folder must be new, empty or made by this command, not {here}/"
NO_MODEL = ("Model must be a folder made by 'spikewright quantize', not 'gone': there is "
            "none")
NO_KEY = ("net.safetensors: Checkpoint must have con2.op.weight (H, H), not only "
          "con1.op.weight, con3.op.weight, group2.mem_param, group2.syn_param, "
          "group3.mem_param_readout, group3.syn_param_readout: see docs/howto/checkpoint.md")
NO_SHAPE = ("con2.op.weight must have shape (5, 5) to fit the other tensors, not (4, 4): the "
            "shapes are con1.op.weight (H, C), con2.op.weight (H, H), con3.op.weight (O, H), "
            "group2.mem_param (H), group2.syn_param (H), group3.mem_param_readout (O), "
            "group3.syn_param_readout (O), see docs/howto/checkpoint.md")
HELP = "(see 'spikewright quantize --help')"


def _number(name, rule, text):
    return (None, (*BUILD, f"--{name}", text),
            f"argument --{name}: must be a whole number from {rule}, not {text!r} {HELP}")


def _bits(name, rule, text):
    return _number(f"{name}-bits", rule, text)


@pytest.mark.parametrize("prepare, arguments, message", [
    (None, ("quantize", "gone.pth", "-o", "out"),
     "Checkpoint must be a file, not 'gone.pth': there is none"),
    (None, ("quantize", ".", "-o", "out"), "Checkpoint must be a file, not the folder '.'"),
    (lambda: _write("net.safetensors", b""), BUILD,
     "Checkpoint net.safetensors must hold tensors, not 0 bytes"),
    (lambda: _write("net.txt", b"x"), ("quantize", "net.txt", "-o", "out"),
     "Checkpoint must be a .pth, .pt, .ckpt or .safetensors file, not 'net.txt'"),
    (lambda: save_file(MISSING, "net.safetensors"), BUILD, NO_KEY),
    (lambda: save_file(WRONG, "net.safetensors"), BUILD, f"net.safetensors: {NO_SHAPE}"),
    (lambda: save_file(NAN, "net.safetensors"), BUILD,
     "net.safetensors: con3.op.weight must be finite, not nan at [0, 0]"),
    _bits("weight", "2 to 16", "17"), _bits("weight", "2 to 16", "x"),
    _bits("current", "8 to 32", "7"), _bits("membrane", "8 to 32", "33"),
    _bits("decay", "4 to 16", "3"),
    _number("decay-terms", "1 to 4", "5"), _number("events-per-channel", "1 to 255", "0"),
    (None, (*BUILD, "--membrane-bits", 12), "Width membrane must be at least current = 16, not 12"),
    (None, (*BUILD, "--name", "a\nb"),
     "Model name must be 1 to 100 printable characters, not 'a\\nb'"),
    (None, (*BUILD, "--name", ""), "Model name must be 1 to 100 printable characters, not ''"),
    (None, (*BUILD, "--calibrate", "gone.npz"),
     "gone.npz cannot be used: No such file or directory"),
    (lambda: np.savez("rec.npz", bin=[0], channel=[0], n_bins=1, n_channels=9, dt=4e-3),
     (*BUILD, "--calibrate", "rec.npz"),
     "Recording rec.npz n_channels must be 6, as the network has, not 9"),
    (lambda: np.savez("rec.npz", bin=[0], channel=[6], n_bins=1, n_channels=6, dt=4e-3),
     (*BUILD, "--calibrate", "rec.npz"),
     "Recording rec.npz channel must be between 0 and 5, not 6 at entry 0"),
    (lambda: _write("out", b"mine"), BUILD, f"{OUTPUT}out"),
    (lambda: (_write("out", None), _write("out/thesis.tex", b"mine")), BUILD, f"{OUTPUT}out"),
    (None, BUILD[:2], f"the following arguments are required: -o/--output {HELP}"),
    (None, (), "the following arguments are required: COMMAND (see 'spikewright --help')"),
    (None, ("export", "gone", "-o", "out"), NO_MODEL),
    (None, ("show", "gone"),
     ("Path must be a folder with manifest.json, report.json or ladder.json, or a ladder.json or "
      "an .npz file, not 'gone'")),
])
def test_bad_input_is_one_line_and_writes_nothing(here, call_command, prepare, arguments, message):
    if prepare:
        prepare()
    before = _tree(here)
    assert call_command(*arguments) == (2, "", f"error: {message.format(here=here)}\n")
    assert _tree(here) == before


def _change_table(folder):
    with np.load(folder / "tables.npz") as file:
        tables = dict(file)
    tables["hidden.threshold"][0] += 1
    np.savez(folder / "tables.npz", **tables)


@pytest.mark.parametrize("damage, message", [
    (lambda f: os.truncate(f / "tables.npz", 500),
     "model/tables.npz must be a whole file, not a truncated or damaged one: build the model "),
    (_change_table, "model/tables.npz must have hash "),
    (lambda f: os.remove(f / "tables.npz"), "Model model must hold tables.npz; it is missing\n"),
    (lambda f: os.truncate(f / "manifest.json", 100),
     "model/manifest.json must be the manifest of a model, not a damaged file\n"),
])
def test_damaged_model_is_refused(here, call_command, damage, message):
    assert call_command("quantize", "net.safetensors", "-o", "model")[0] == 0
    damage(here / "model")
    before = _tree(here)
    for arguments in (("export", "model", "-o", "out"),
                      ("run", "model", "rec.npz", "-o", "out.npz")):
        status, out, err = call_command(*arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"error: {message}")
    assert _tree(here) == before


def test_export_never_replaces_the_model(here, call_command):
    assert call_command("quantize", "net.safetensors", "-o", "model")[0] == 0
    before = _tree(here)
    told = "error: Output must be apart from 'model', which the command uses, not 'model'\n"
    assert call_command("export", "model", "-o", "model") == (2, "", told)
    assert _tree(here) == before
