# SPDX-License-Identifier: Apache-2.0
"""The kept builds: what they are made of, and how they are made again."""

import json

import pytest

from docs.make.kept import BUILDS, ROOT, rebuild
from docs.make.tables import KEPT
from spikewright.boards.board.platforms import BOARDS
from spikewright.command.commands import parser
from spikewright.command.options import chosen_config
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.recording import read_recording
from spikewright.report.report import Report
from tests.networks import refused
from tests.vectors import VECTORS, vector


def test_every_kept_report_has_a_build():
    """And was made with the options that its build says."""
    builds = json.loads(BUILDS.read_text())
    assert {path.stem for path in KEPT.glob("*.json")} == set(builds)
    for name, build in builds.items():
        words = ["build", "model", "-o", "out", *build["boards"]]
        arguments = parser(words).parse_args(words)
        report = Report.load(KEPT / f"{name}.json")
        board = BOARDS[arguments.board]
        config = chosen_config(arguments, **board.instead)
        assert report.config == config, name
        assert report.board.name == arguments.board and report.seed == arguments.seed
        assert report.clock_mhz == (arguments.freq or board.clock_hz / 1e6)
        if "recording" in build:
            assert report.recording.name == build["recording"].split("/")[-1]


def test_rebuild(tmp_path, capsys):
    table = {"one": {"checkpoint": "README.md", "recording": "Makefile", "boards": ["--x", "1"]},
             "two": {"checkpoint": "published/two.pth", "recording": "Makefile",
                     "quantize": ["--weight-bits", "4"], "boards": []}}
    builds = tmp_path / "builds.json"
    builds.write_text(json.dumps(table))
    calls = []

    def run(words):
        calls.append(words)
        if words[0] == "build":
            output = tmp_path / "work" / "two" / "board"
            output.mkdir(parents=True)
            (output / "report.json").write_text("{}")

    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "two.pth").touch()
    rebuild(["two"], run, work=tmp_path / "work", kept=kept, builds=builds,
            published=tmp_path / "nets")
    two = tmp_path / "work" / "two"
    assert calls == [
        ["quantize", str(tmp_path / "nets" / "two.pth"), "-o", str(two / "model"),
         "--weight-bits", "4"],
        ["build", str(two / "model"), "-o", str(two / "board"), "--recording",
         str(ROOT / "Makefile")]]
    assert (kept / "two.json").read_text() == "{}" and not (kept / "one.json").exists()
    assert capsys.readouterr().out == "1 of 1: two\n"


@pytest.mark.parametrize("names, message", [
    (["three"], "Build must be one of one, not 'three'"),
    ([], ("File nowhere.pth of build one must be there, not missing: say with --published where "
          "the folder is"))])
def test_rebuild_refused(tmp_path, names, message):
    builds = tmp_path / "builds.json"
    builds.write_text(json.dumps({"one": {"checkpoint": "nowhere.pth", "recording": "Makefile",
                                          "boards": []}}))
    with refused(message):
        rebuild(names, pytest.fail, work=tmp_path, kept=tmp_path, builds=builds, published=tmp_path)


def test_rebuild_of_a_vector(tmp_path):
    """Its recording calibrates the model, and is that of the report."""
    (tmp_path / "builds.json").write_text(json.dumps({"one": {
        "vector": "published/trained_srtnet.npz", "boards": []}}))
    data, calls = vector("trained_srtnet"), []

    def run(words):
        calls.append(words)
        if words[0] == "build":
            (tmp_path / "one" / "board").mkdir()
            (tmp_path / "one" / "board" / "report.json").write_text("{}")

    rebuild([], run, work=tmp_path, kept=tmp_path, builds=tmp_path / "builds.json",
            published=VECTORS)
    one = tmp_path / "one"
    recording = str(one / "trained_srtnet.npz")
    assert calls == [
        ["quantize", str(one / "trained_srtnet.safetensors"), "-o", str(one / "model"),
         "--calibrate", recording],
        ["build", str(one / "model"), "-o", str(one / "board"), "--recording", recording]]
    written = read_recording(one / "trained_srtnet.npz")
    assert (written.steps, written.channels, written.dt) == (*data["input_shape"], 4e-3)
    assert len(written.channel) == data["input_count"].sum()
    assert read_checkpoint(one / "trained_srtnet.safetensors").channels == 96
