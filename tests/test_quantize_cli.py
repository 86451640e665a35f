# SPDX-License-Identifier: Apache-2.0

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import golden.__main__
import quantize.__main__
from quantize.artefact import load_artefact, load_manifest
from quantize.cli import written_file

from .networks import random_tensors

ROOT = Path(__file__).parent.parent


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a checkpoint, a model of it and a recording."""
    monkeypatch.chdir(tmp_path)
    save_file(random_tensors(0), "net.safetensors")
    rng = np.random.default_rng(0)
    np.savez("rec.npz", bin=np.arange(400), channel=rng.integers(0, 6, 400), n_bins=400,
             n_channels=6, dt=4e-3)
    return tmp_path


@pytest.fixture
def call(call_command):
    """Run a command in this process: exit status, standard output, standard error."""
    return lambda *arguments, module=quantize.__main__: call_command(module, *arguments)


def _tree(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_build(here, call):
    status, out, err = call("build", "net.safetensors", "-o", "deep/model",
                            "--calibrate", "rec.npz")
    assert (status, err) == (0, "")
    model, manifest = load_artefact(here / "deep" / "model")
    assert (model.name, model.lead_steps, model.widths.weight) == ("net", 5, 8)
    assert manifest["checkpoint"]["file"] == "net.safetensors"
    assert manifest["calibration"]["source"] == "rec.npz"
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[:-1])
    assert lines["model"] == f"net, hash {manifest['model_hash'][:16]}"
    assert lines["shape"] == "6 channels -> 5 hidden (recurrent) -> 2 readout (output)"
    assert lines["lead"] == "5 steps, 20 ms earlier than the checkpoint's own model"
    non_zeros = sum(np.count_nonzero(p.weights) for p in model.projections)
    assert lines["tables"].startswith(f"{non_zeros} non-zeros; bits in all: dense ")
    assert out.splitlines()[-1] == "-> deep/model"


def test_build_with_options(here, call):
    status, _, err = call("build", "net.safetensors", "-o", "model", "--weight-bits", 4,
                          "--current-bits", 14, "--membrane-bits", 18, "--decay-bits", 10,
                          "--name", "Mine, v2")
    assert status == 0
    model, manifest = load_artefact(here / "model")
    widths = model.widths
    assert (widths.weight, widths.current, widths.membrane, widths.decay) == (4, 14, 18, 10)
    assert model.name == "Mine, v2"
    assert err == "".join(f"warning: {text}\n" for text in manifest["warnings"])
    assert "simulated Poisson spikes" in err


def test_build_with_rules(here, call):
    status, out, err = call("build", "net.safetensors", "-o", "model", "--states", "proven",
                            "--events-per-channel", 3, "--decay-terms", 3, "--calibrate", "rec.npz")
    assert status == 0 and "may saturate" not in err
    model, manifest = load_artefact(here / "model")
    told, widths = manifest["calibration"], model.widths
    assert (told["states"], told["proven"]) == ("proven", True)
    assert told["proven_bits"] == {"current": widths.current, "membrane": widths.membrane,
                                   "events_per_channel": 3}
    assert told["rule"].endswith("no input of at most 3 spikes per channel and step can saturate "
                                 "a state")
    neurons = sum(p.neurons for p in model.populations)
    assert told["state_bits"] == {"calibrated": neurons * 36,
                                  "proven": neurons * (widths.current + widths.membrane)}
    assert manifest["decay_terms"]["most"] == 3
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[:-1])
    assert lines["states"] == (f"proven; memory: calibrated {neurons * 36} bits, proven "
                               f"{told['state_bits']['proven']} bits")
    assert call("show", "model")[1].startswith(out.removesuffix("-> model\n"))


def test_build_warns_of_changed_behaviour(here, call, monkeypatch):
    monkeypatch.setattr("golden.check.changed_behaviour", lambda *_: ["neurons that differ"])
    assert call("build", "net.safetensors", "-o", "model")[2].endswith(
        "warning: neurons that differ\n")
    assert load_manifest(here / "model")["warnings"][-1] == "neurons that differ"


def test_build_is_reproducible(here, call):
    for name in "ab":
        assert call("build", "net.safetensors", "-o", name)[0] == 0
    assert load_manifest(here / "a") == load_manifest(here / "b")


def test_build_of_a_file_with_a_strange_name(here, call):
    strange = os.fsdecode(b"n\xff\n\xc3\xa9t" + 110 * b"x" + b".safetensors")
    os.rename("net.safetensors", strange)
    assert call("build", strange, "-o", "model")[0] == 0
    assert load_manifest(here / "model")["model"]["name"] == "n__ét" + 95 * "x"


def test_show_and_export(here, call):
    assert call("build", "net.safetensors", "-o", "model")[0] == 0
    status, out, err = call("show", "model")
    assert (status, err) == (0, "")
    for text in ("net, hash ", "simulated Poisson", "hidden->readout", "delay 3, 5 x 5",
                 "warning"):
        assert text in out
    status, out, err = call("export", "model", "-o", "rom", "--lanes", 8)
    assert (status, err) == (0, "")
    index = json.loads((here / "rom" / "rom.json").read_text())
    assert index["lanes"] == 8 and index["model_hash"] == load_manifest(here / "model")[
        "model_hash"]
    assert [line.split()[0] for line in out.splitlines()[:-1]] == list(index["files"])
    assert call("export", "model", "-o", "rom")[0] == 0     # its own folder may be replaced
    assert json.loads((here / "rom" / "rom.json").read_text())["lanes"] == 4


def _write(path, content):
    (Path(path).mkdir if content is None else lambda: Path(path).write_bytes(content))()


MISSING = {key: value for key, value in random_tensors(0).items() if key != "con2.op.weight"}
WRONG = {**random_tensors(0), "con2.op.weight": np.zeros((4, 4), np.float16)}
NAN = {**random_tensors(0), "con3.op.weight": np.full((2, 5), np.nan, np.float16)}

BUILD = ("build", "net.safetensors", "-o", "out")
OUTPUT = "Output folder must be new, empty or made by this command, not {here}/"
NO_MODEL = ("Model must be a folder made by 'python -m quantize build', not 'gone': it has no "
            "manifest.json")
NO_KEY = ("net.safetensors: Checkpoint must have the key 'con2.op.weight', not only "
          "con1.op.weight, con3.op.weight, group2.mem_param, group2.syn_param, "
          "group3.mem_param_readout, group3.syn_param_readout")
NO_SHAPE = "con2.op.weight must have shape (5, 5) to fit the other tensors, not (4, 4)"
HELP = "(see 'python -m quantize build --help')"


def _number(name, rule, text):
    return (None, (*BUILD, f"--{name}", text),
            f"argument --{name}: must be a whole number from {rule}, not {text!r} {HELP}")


def _bits(name, rule, text):
    return _number(f"{name}-bits", rule, text)


@pytest.mark.parametrize("prepare, arguments, message", [
    (None, ("build", "gone.pth", "-o", "out"),
     "Checkpoint must be a file, not 'gone.pth': there is none"),
    (None, ("build", ".", "-o", "out"), "Checkpoint must be a file, not '.': there is none"),
    (lambda: _write("net.safetensors", b""), BUILD,
     "Checkpoint net.safetensors must hold tensors, not 0 bytes"),
    (lambda: _write("net.txt", b"x"), ("build", "net.txt", "-o", "out"),
     "Checkpoint must be a .pth or .safetensors file, not 'net.txt'"),
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
    (None, (), "the following arguments are required: command (see 'python -m quantize --help')"),
    (None, ("export", "gone", "-o", "out"), NO_MODEL),
    (None, ("show", "gone"), NO_MODEL),
])
def test_bad_input_is_one_line_and_writes_nothing(here, call, prepare, arguments, message):
    if prepare:
        prepare()
    before = _tree(here)
    assert call(*arguments) == (2, "", f"error: {message.format(here=here)}\n")
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
def test_damaged_model_is_refused(here, call, damage, message):
    assert call("build", "net.safetensors", "-o", "model")[0] == 0
    damage(here / "model")
    before = _tree(here)
    for module, arguments in ((quantize.__main__, ("export", "model", "-o", "out")),
                              (golden.__main__, ("run", "model", "rec.npz", "-o", "out.npz"))):
        status, out, err = call(*arguments, module=module)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"error: {message}")
    assert _tree(here) == before


def test_export_never_replaces_the_model(here, call):
    assert call("build", "net.safetensors", "-o", "model")[0] == 0
    before = _tree(here)
    told = f"error: {OUTPUT.format(here=here)}model\n"
    assert call("export", "model", "-o", "model") == (2, "", told)
    assert _tree(here) == before


def test_golden_run(here, call):
    assert call("build", "net.safetensors", "-o", "model")[0] == 0
    status, out, err = call("run", "model", "rec.npz", "-o", "out.npz", module=golden.__main__)
    assert (status, err) == (0, "") and out.startswith("400 steps, ")
    with np.load("out.npz") as file:
        assert file["velocity_int"].shape == (400, 2) and file["velocity_int"].dtype == np.int64
        assert file["spikes"].shape == (400, 5) and file["spikes"].dtype == bool
        assert file["cycles"].shape == file["latency"].shape == (400,)
    told = "error: gone.npz cannot be used: No such file or directory\n"
    assert call("run", "model", "gone.npz", "-o", "out2.npz", module=golden.__main__) == (
        2, "", told)
    told = ("error: argument --lanes: must be a whole number from 1 to 64, not '65' "
            "(see 'python -m golden run --help')\n")
    assert call("run", "model", "rec.npz", "-o", "out2.npz", "--lanes", 65,
                module=golden.__main__) == (2, "", told)


def test_written_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with pytest.raises(RuntimeError), written_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with written_file(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole" and path.stat().st_mode & 0o777 == 0o644


def test_command_line_as_a_user_types_it(here):
    def command(*arguments):
        return subprocess.run([sys.executable, "-m", "quantize", *arguments], cwd=ROOT,
                              capture_output=True, text=True, check=False)
    done = command("build", str(here / "net.safetensors"), "-o", str(here / "model"))
    assert done.returncode == 0 and (here / "model" / "manifest.json").is_file()
    failed = command("build", str(here / "gone"), "-o", str(here / "model"))
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == f"error: Checkpoint must be a file, not '{here}/gone': there is none\n"
    assert "build" in command("--help").stdout
