# SPDX-License-Identifier: Apache-2.0
"""The front door: what its settings become, and that no model of somebody else is replaced."""

import shutil
import subprocess

import pytest

from tests.designs import ROOT


@pytest.fixture
def make(tmp_path):
    """Run make in an empty folder, with a Python that makes an empty model and tells its words."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor word in "$@"; do test "$last" = -o && output=$word; '
                      'last=$word; done\necho "$@"\n'
                      'test "$2" != quantize || { rm -rf $output; mkdir -p $output; }\n')
    python.chmod(0o755)

    def run(*words):
        done = subprocess.run(
            ["make", "--silent", "-f", ROOT / "Makefile", "-o", ".venv/base", "-o", ".venv/torch",
             "-o", ".venv/test", f"RUN={python}", *words],
            cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()[:1]
    return run


def test_settings_reach_the_commands(make):
    assert make("bitstream") == (0, [
        "-m quantize build data/default.safetensors -o build/default/model.new",
        "-> build/default/model",
        ("-m boards build build/default/model --board icebreaker -o build/default/icebreaker "
         "--preset balanced --recording data/default_recording.npz")], [])
    assert make("bitstream", "CHECKPOINT=a/mine.pth", "BOARD=icestick", "PRESET=small", "FREQ=12",
                "BITS=4", "MODEL_OPTIONS=--current-bits 12", "CORE_OPTIONS=--tables bitmap",
                "BOARD_OPTIONS=--seed 3", "CALIBRATE=c.npz") == (0, [
        ("-m quantize build a/mine.pth -o build/mine/model-4bit.new --weight-bits 4 --calibrate "
         "c.npz --current-bits 12"),
        "-> build/mine/model-4bit",
        ("-m boards build build/mine/model-4bit --board icestick -o build/mine/icestick-small-4bit "
         "--preset small --tables bitmap --freq 12 --seed 3")], [])
    for target in ("explore", "sim", "demo", "verilog", "ladder"):
        status, told, _ = make(target, "CORE_OPTIONS=--weight-memory large", "LANES=2")
        assert status == 0 and "--preset balanced --lanes 2 --weight-memory large" in told[-1]


def test_model_that_is_given_is_taken_as_it_is(make, tmp_path):
    assert make("demo", "MODEL=mine/integers/", "RECORDING=rec.npz") == (0, [
        ("-m host run mine/integers rec.npz --port virtual --preset balanced -o mine/demo.npz "
         "--picture mine/demo.png")], [])
    # The recording of the default network is another's.
    assert make("sim", "MODEL=mine/integers") == (
        2, [], ["error: RECORDING must be given for a network of yours"])


    for setting in ("BITS=4", "CALIBRATE=c.npz", "MODEL_OPTIONS=--current-bits 12"):
        for target in ("verilog", "report"):
            assert make(target, "MODEL=mine/integers", setting) == (2, [], [
                ("error: BITS, CALIBRATE and MODEL_OPTIONS must be left out with MODEL, which is "
                 "taken as it is")])
    assert make("ladder", "MODEL=mine/integers") == (
        2, [], ["error: MODEL must be left out with ladder, which measures CHECKPOINT"])


def test_model_and_bits_are_not_of_the_environment(make, monkeypatch):
    monkeypatch.setenv("MODEL", "mine/integers")
    monkeypatch.setenv("BITS", "4")
    assert make("verilog") == (0, [
        "-m quantize build data/default.safetensors -o build/default/model.new",
        "-> build/default/model",
        "-m hw verilog build/default/model -o build/default/verilog --preset balanced"], [])


def test_model_takes_its_place_with_its_mark(make, tmp_path):
    """An interrupt leaves what was there, or nothing, and never a model without a mark."""
    assert make("model", "CHECKPOINT=net.pth")[0] == 0
    model = tmp_path / "build" / "net" / "model"
    (model / "old").touch()
    (tmp_path / "python").write_text("#!/bin/sh\nmkdir -p build/net/model.new; exit 130\n")
    assert make("model", "CHECKPOINT=net.pth")[0] == 2
    assert sorted(path.name for path in model.iterdir()) == ["made_of.txt", "old"]


def test_no_model_of_somebody_else_is_replaced(make, tmp_path):
    assert make("model", "CHECKPOINT=a/net.pth")[0] == make("model", "CHECKPOINT=a/net.pth",
                                                            "CALIBRATE=c.npz")[0] == 0
    model = tmp_path / "build" / "net" / "model"
    assert [path.name for path in model.iterdir()] == ["made_of.txt"]
    assert [path.name for path in model.parent.iterdir()] == ["model"]
    note = ("note: build/net/model is made anew with '', not '--calibrate c.npz': what was built "
            "of it before is of another model")
    assert make("model", "CHECKPOINT=a/net.pth")[2] == [note]
    for spelling in ("./a/net.pth", "a/../a/net.pth", str(tmp_path / "a" / "net.pth")):
        assert make("model", f"CHECKPOINT={spelling}")[0] == 0
    assert make("model", "CHECKPOINT=b/net.pth") == (2, [], [
        (f"error: build/net/model must be of b/net.pth, not of {tmp_path}/a/net.pth: choose "
         "another NAME, or remove it")])
    assert make("model", "CHECKPOINT=b/net.pth", "NAME=other")[0] == 0
    (model / "made_of.txt").unlink()
    assert make("model", "CHECKPOINT=a/net.pth") == (2, [], [
        ("error: build/net/model must be made by make to be made anew: take it with "
         "MODEL=build/net/model, choose another NAME, or remove it")])
    assert list(model.iterdir()) == []
    assert make("model", "CHECKPOINT=a/net.pth", "BITS=4")[0] == 0


def test_help(make):
    status, told, _ = make("help", "CHECKPOINT=mine.pth")
    assert status == 0
    assert ("  make model      Quantize CHECKPOINT to build/NAME/model (with BITS=4: model-4bit)"
            ) in told
    assert ("  RECORDING=simulated spikes  (.npz: what reports measure on; sim and demo must have "
            "one)") in told
