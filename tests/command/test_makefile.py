# SPDX-License-Identifier: Apache-2.0
"""The Makefile and `spikewright make`: settings, order of the work, and what stays as it is."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.boards.board.board import NARROW
from spikewright.command.make import targets
from spikewright.command.make.settings import SETTINGS, read_settings
from spikewright.model.artefact import load_manifest
from spikewright.plan.config import CoreConfig
from spikewright.report.parts.model import Maker
from spikewright.report.report import Report
from tests.designs import ROOT
from tests.network.nir.graphs import chain, write_graph
from tests.networks import random_tensors, refused


@pytest.fixture
def make(here, monkeypatch, call_command):
    """Make a target with settings as make's recipes have them: in this process."""
    for name in ("MAKEFLAGS", *SETTINGS):
        monkeypatch.delenv(name, raising=False)
    (here / "data").mkdir()
    save_file(random_tensors(0), "data/default.safetensors")
    shutil.copy("rec.npz", "data/default_recording.npz")

    def run(target, **given):
        flags = [f"{name}={value}".replace(" ", "\\ ") for name, value in given.items()]
        with monkeypatch.context() as patch:
            patch.setenv("MAKEFLAGS", " ".join(["s --", *flags]))
            for name, value in given.items():
                patch.setenv(name, value)
            return call_command("make", target)
    return run


@pytest.fixture
def told(monkeypatch):
    """Words of the commands that targets would run, after the model; as one text each."""
    words = []
    monkeypatch.setattr(targets, "run_words", lambda given: words.append(" ".join(given)))
    return words


@pytest.fixture
def clean(monkeypatch):
    """As from a checkout without changes."""
    monkeypatch.setattr("spikewright.base.version.commit", lambda: "abc1234")


def test_settings_reach_the_commands(here, make, told):
    assert make("bitstream")[0] == 0
    assert told.pop() == (
        "build build/default/model --board icebreaker -o build/default/icebreaker "
        "--preset balanced --recording data/default_recording.npz")
    assert make("bitstream", CHECKPOINT="net.safetensors", BOARD="icestick", PRESET="small",
                FREQ="12", BITS="4", MODEL_OPTIONS="--current-bits 12", CALIBRATE="rec.npz",
                CORE_OPTIONS="--tables bitmap", BOARD_OPTIONS="--seed 3")[0] == 0
    assert told.pop() == ("build build/net/model-4bit --board icestick -o "
                          "build/net/icestick-small-4bit --preset small --tables bitmap "
                          "--freq 12 --seed 3")
    options = load_manifest(here / "build" / "net" / "model-4bit")["options"]
    assert (options["weight_bits"], options["current_bits"]) == (4, 12)
    for target in ("verilog", "ladder", "explore", "export"):
        assert make(target, CORE_OPTIONS="--neurons lanes", LANES="2")[0] == 0
        assert "--preset balanced --lanes 2 --neurons lanes" in told.pop()


def test_model_that_is_given_is_taken_as_it_is(here, make, told):
    assert make("model")[0] == 0
    (here / "mine").mkdir()
    os.rename("build/default/model", "mine/integers")
    assert make("demo", MODEL="mine/integers/", RECORDING="rec.npz")[0] == 0
    assert told.pop() == ("decode mine/integers rec.npz --port virtual --preset balanced "
                          "-o mine/demo.npz --picture mine/demo.png")
    # The recording of the default network is another's.
    assert make("sim", MODEL="mine/integers") == (
        2, "", "error: RECORDING must be given for your own network\n")
    for setting in ({"BITS": "4"}, {"CALIBRATE": "c.npz"}, {"MODEL_OPTIONS": "--current-bits 12"}):
        for target in ("verilog", "report"):
            assert make(target, MODEL="mine/integers", **setting) == (2, "", (
                "error: BITS, CALIBRATE and MODEL_OPTIONS must be left out with MODEL, which is "
                "not changed\n"))
    assert make("ladder", MODEL="mine/integers") == (
        2, "", "error: MODEL must be left out with ladder, which measures CHECKPOINT\n")


def test_model_bits_and_name_are_not_of_the_environment():
    environment = {"MODEL": "mine", "BITS": "4", "NAME": "other", "BOARD": "icestick"}
    settings = read_settings(environment)
    assert [settings[name] for name in environment] == ["", "", "default", "icestick"]
    settings = read_settings(environment | {"MAKEFLAGS": "k -j2 -- NAME=other BITS=4"})
    assert settings.output == "build/other/icestick-4bit"


def test_help_with_a_wrong_setting():
    settings = ROOT / "spikewright" / "command" / "make" / "settings.py"
    run = subprocess.run([sys.executable, settings], capture_output=True, text=True, check=False,
                         env={**os.environ, "MAKEFLAGS": " -- NAME=../x", "NAME": "../x"})
    assert (run.returncode, run.stderr) == (
        2, "error: NAME must be the name of a folder in build/, not '../x'\n")


def test_values_with_blanks():
    settings = read_settings({"MAKEFLAGS": r" -- GRID=lanes=1\ tables=dense CHECKPOINT=my\ net.pth",
                              "GRID": "lanes=1 tables=dense", "CHECKPOINT": "my net.pth"})
    assert (settings.model, settings["GRID"]) == ("build/my net/model", "lanes=1 tables=dense")


@pytest.mark.parametrize("flags, message", [
    (" -- CHEKPOINT=x", "'CHEKPOINT': did you mean CHECKPOINT?"),
    ("s -- board=x", "'board': did you mean BOARD?"),
    (" -- QQQ=x", "'QQQ'"),
])
def test_setting_that_is_none(flags, message):
    with refused(f"Setting must be one that 'make help' lists, not {message}", ValueError):
        read_settings({"MAKEFLAGS": flags})


@pytest.mark.parametrize("target, given, message", [
    ("bitstream", {"BOARD": "icebraker"}, "Board must be one of "),
    ("bitstream", {"PRESET": "fats"}, ("PRESET must be one of small, balanced, fast, not 'fats': "
                                       "did you mean fast?")),
    ("bitstream", {"FREQ": "0"},
     "argument --freq: must be a number of MHz between 0 and 1000, not '0'"),
    ("bitstream", {"RECORDING": "gone.npz"}, "RECORDING must be a file, not 'gone.npz': there is "),
    ("model", {"CHECKPOINT": "gone.pth"}, "CHECKPOINT must be a file, not 'gone.pth': there is "),
    ("model", {"CALIBRATE": "gone.npz"}, "CALIBRATE must be a file, not 'gone.npz': there is none"),
    ("model", {"NAME": "../x"}, "NAME must be the name of a folder in build/, not '../x'\n"),
    ("ladder", {"NAME": ".."}, "NAME must be the name of a folder in build/, not '..'\n"),
    ("model", {"BITS": "../x"}, "argument --weight-bits: must be a whole number from 2 to 16"),
    ("model", {"BITS": "17"}, "argument --weight-bits: must be a whole number from 2 to 16"),
    ("verilog", {"LANES": "3", "CORE_OPTIONS": "--tables bitmap"},
     "Core lanes must be a power of two with bitmap tables, not 3"),
    ("verilog", {"CORE_OPTIONS": "--tables 'bitmap"}, "CORE_OPTIONS must be words as in a shell, "),
    ("verilog", {"MODEL": "gone"}, "Model must be a folder made by 'spikewright quantize', not "),
    ("demo", {"CHECKPOINT": "net.safetensors"}, "RECORDING must be given for your own network"),
    ("report", {}, "Report must be in build/default/icebreaker, not missing: run make bitstream"),
])
def test_what_is_wrong_is_told_before_the_work(here, make, target, given, message):
    status, out, error = make(target, **given)
    assert (status, out) == (2, "") and error.startswith(f"error: {message}"), error
    assert not (here / "build").exists()


def test_output_of_somebody_else_is_told_before_the_work(here, make):
    folder = here / "build" / "default" / "icebreaker"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").touch()
    assert make("bitstream")[2] == ("error: Output folder must be new, empty or made by this "
                                    f"command, not {folder}\n")
    assert [path.name for path in folder.parent.iterdir()] == ["icebreaker"]


def test_model_is_not_made_again(make, clean):
    assert make("model", CHECKPOINT="net.safetensors")[1].endswith("-> build/net/model\n")
    assert make("model", CHECKPOINT="./net.safetensors") == (
        0, "-> build/net/model: up to date\n", "")
    status, out, error = make("model", CHECKPOINT="net.safetensors", CALIBRATE="rec.npz")
    assert status == 0 and out.endswith("-> build/net/model\n")
    assert error.startswith("note: build/net/model is made again with other settings: earlier "
                            "builds have the old model\n")
    assert make("model", CHECKPOINT="net.safetensors", CALIBRATE="rec.npz")[1].endswith("date\n")
    # A network that was trained anew has another hash.
    save_file(random_tensors(1), "net.safetensors")
    assert "up to date" not in make("model", CHECKPOINT="net.safetensors", CALIBRATE="rec.npz")[1]


def test_other_options_of_a_graph_make_the_model_again(make, clean):
    pytest.importorskip("nir", reason="NIR files are read with the packages of the extra 'nir'")
    neurons = {"tau": np.full(3, 1e-3), "r": np.full(3, 10.0), "v_leak": np.zeros(3),
               "v_threshold": np.ones(3), "v_reset": np.zeros(3)}
    weights = np.random.default_rng(0).normal(0.5, 1, (3, 6))
    write_graph("g.nir", *chain(("fc", ("Linear", {"weight": weights})), ("a", ("LIF", neurons)),
                                shape=(6,)))
    for reset, said in (("none", False), ("none", True), ("zero_keep", False)):
        options = f"--from snntorch --reset {reset}"
        status, out, _ = make("model", CHECKPOINT="g.nir", MODEL_OPTIONS=options)
        assert (status, out.endswith("up to date\n")) == (0, said)
        assert load_manifest(Path("build/g/model"))["nir"]["reset"] == reset


def test_other_step_makes_the_model_again(make, clean):
    for step, said in (("0.02", False), ("0.02", True), ("0.004", False)):
        _, out, _ = make("model", CHECKPOINT="net.safetensors", MODEL_OPTIONS=f"--step {step}")
        assert out.endswith("up to date\n") == said
    assert make("model", CHECKPOINT="net.safetensors")[1].endswith("up to date\n")


def test_other_name_makes_the_model_again(make, clean):
    for name, said in (("first", False), ("first", True), ("second", False)):
        _, out, _ = make("model", CHECKPOINT="net.safetensors", MODEL_OPTIONS=f"--name {name}")
        assert out.endswith("up to date\n") == said
        assert load_manifest(Path("build/net/model"))["model"]["name"] == name


def test_changed_source_makes_the_model_again(make, monkeypatch):
    monkeypatch.setattr("spikewright.base.version.commit", lambda: "abc1234-dirty")
    for _ in range(2):
        _, out, error = make("model", CHECKPOINT="net.safetensors")
        assert "up to date" not in out and "made again" not in error


def test_bitstream_is_not_made_again(here, make, told, clean, monkeypatch):
    assert make("bitstream")[0] == 0
    folder = here / "build" / "default" / "icebreaker"
    folder.mkdir()
    (folder / "top.bin").touch()
    data = here / "data" / "default_recording.npz"
    kept = Report.load(ROOT / "docs" / "reports" / "default.json")
    report = replace(
        kept, model_hash=load_manifest(here / "build/default/model")["model_hash"],
        made_by=Maker(version="0.2.0", commit="abc1234"), clock_mhz=24.0, baud=1_000_000, seed=1,
        config=CoreConfig(), recording=replace(kept.recording, sha256=targets_hash(data)))
    monkeypatch.setattr("spikewright.base.version.version", lambda: "0.2.0")
    manifest = here / "build/default/model/manifest.json"
    assert "made_by" in json.loads(manifest.read_text())
    assert make("model")[0] == 0
    told.clear()
    report.save(folder / "report.json")
    assert make("bitstream")[1].endswith("-> build/default/icebreaker: up to date\n")
    assert told == []
    for options in ({"FREQ": "30"}, {"LANES": "2"}, {"BOARD_OPTIONS": "--seed 2"},
                    {"BOARD_OPTIONS": "--baud 500000"}, {"RECORDING": "net.safetensors"}):
        assert "icebreaker: up to date" not in make("bitstream", **options)[1], options
        assert told.pop().startswith("build build/default/model ")


def targets_hash(path):
    from spikewright.network.checkpoint import checkpoint_hash
    return checkpoint_hash(path)


def test_no_model_of_somebody_else_is_replaced(here, make, call_command):
    for folder in "ab":
        (here / folder).mkdir()
        save_file(random_tensors(ord(folder)), f"{folder}/net.safetensors")
    assert make("model", CHECKPOINT="a/net.safetensors")[0] == 0
    for spelling in ("./a/net.safetensors", "b/../a/net.safetensors",
                     str(here / "a" / "net.safetensors")):
        assert make("model", CHECKPOINT=spelling)[0] == 0
    assert make("model", CHECKPOINT="b/net.safetensors") == (2, "", (
        "error: build/net/model must be made from b/net.safetensors, not from a/net.safetensors: "
        "choose another NAME, or remove it\n"))
    assert make("model", CHECKPOINT="b/net.safetensors", NAME="other")[0] == 0
    assert call_command("quantize", "a/net.safetensors", "-o", "build/net/model")[0] == 0
    before = (here / "build/net/model/manifest.json").read_bytes()
    assert make("model", CHECKPOINT="a/net.safetensors") == (2, "", (
        "error: build/net/model must be made by make to be replaced: use it with "
        "MODEL=build/net/model, choose another NAME, or remove it\n"))
    assert (here / "build/net/model/manifest.json").read_bytes() == before


def _make(folder, *words):
    """The real thing, in ``folder``."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = subprocess.run(
        ["make", "--silent", "-f", ROOT / "Makefile", "-o", ".venv/base", "-o", ".venv/torch",
         "-o", ".venv/test", f"RUN={sys.executable}", f"PYTHON={sys.executable}", *words],
        cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def test_make_itself(here):
    os.rename("net.safetensors", "my net.safetensors")
    status, out, _ = _make(here, "model", "CHECKPOINT=my net.safetensors",
                           "MODEL_OPTIONS=--current-bits 14", "BITS=5")
    assert (status, out[-1]) == (0, "-> build/my net/model-5bit")
    assert load_manifest(here / "build" / "my net" / "model-5bit")["options"]["current_bits"] == 14
    status, _, error = _make(here, "model", "CHEKPOINT=x")
    assert status == 2
    assert error[0] == ("error: Setting must be one that 'make help' lists, not 'CHEKPOINT': did "
                        "you mean CHECKPOINT?")


@pytest.mark.parametrize("name", [
    "tinyRSNN-1 (1).safetensors", "my nets/net.safetensors", "o'neil [2].safetensors"])
def test_names_with_what_a_shell_reads(here, name):
    (here / name).parent.mkdir(exist_ok=True)
    os.rename("net.safetensors", name)
    status, out, _ = _make(here, "model", f"CHECKPOINT={name}")
    folder = os.path.join("build", os.path.basename(name).removesuffix(".safetensors"), "model")
    assert (status, out[-1]) == (0, f"-> {folder}")
    assert load_manifest(here / folder)["make"]["checkpoint"] == name


def test_two_makes_at_once(here):
    """Both need the same model: one waits until the other has made it."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda target: _make(here, target, "CHECKPOINT=net.safetensors"),
                             ("export", "model")))
    assert [status for status, _, _ in both] == [0, 0], both
    assert {path.name for path in (here / "build" / "net").iterdir()} == {"model", "rom"}


def test_export_takes_the_core_options(make, told):
    assert make("export", PRESET="fast")[0] == 0
    assert told.pop() == "export build/default/model -o build/default/rom-fast --preset fast"
    assert make("export", LANES="2", CORE_OPTIONS="--neurons lanes")[0] == 0
    assert told.pop() == ("export build/default/model -o build/default/rom --preset balanced "
                          "--lanes 2 --neurons lanes")


def test_help(tmp_path):
    status, told, _ = _make(tmp_path, "help", "CHECKPOINT=mine.pth")
    assert status == 0
    assert ("  make model      Quantize CHECKPOINT to build/NAME/model (with BITS=4: model-4bit)"
            ) in told
    assert ("  RECORDING=simulated spikes  (.npz: recording to measure on; needed for sim and demo)"
            ) in told
    assert "  NAME=mine  (folder in build/; two checkpoints with one file name need two)" in told


@pytest.mark.parametrize("target, model", [
    ("bitstream", True), ("explore", True), ("sim", True), ("demo", True), ("export", True),
    ("verilog", True), ("ladder", False)])
def test_targets_use_one_model_for_a_board(make, told, target, model):
    """A small board gets narrow states whatever is made of the model."""
    status, _, err = make(target, BOARD="icestick")
    assert status == 0
    assert ("note: icestick has little logic" in err) == model
    assert (" build/default/model-narrow " in told.pop()) == model


def test_small_board_gets_narrow_states():
    """Only where the user has not chosen any."""
    def settings(**given):
        read = read_settings({"MAKEFLAGS": " -- " + " ".join(f"{k}=x" for k in given), **given})
        targets._narrow(read)
        return read.states, read.model

    assert settings(BOARD="icestick", BITS="4") == (
        NARROW, "build/default/model-4bit-narrow")
    assert settings(BOARD="icebreaker") == ((), "build/default/model")
    assert settings(BOARD="icestick", MODEL_OPTIONS="--states proven")[0] == ()
    assert settings(BOARD="icestick", MODEL="mine") == ((), "mine")
