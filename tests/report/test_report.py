# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The report: facts, page and text, with tools that are stood for."""

import functools
import json
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import spikewright.boards.flow.build
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.build import build
from spikewright.command.commands import run_words
from spikewright.golden.run import run_golden
from spikewright.model.artefact import load_artefact
from spikewright.model.saved import Model
from spikewright.network.checkpoint import checkpoint_hash
from spikewright.network.graded.operations import count_operations
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import events_max
from spikewright.plan.plan import Plan
from spikewright.plan.timing import step_timing, worst_events
from spikewright.report.parts.accuracy import Accuracy, Score
from spikewright.report.parts.board import Cells
from spikewright.report.report import Report
from spikewright.report.score import decoded, decodes, decoding, foreign, number, score
from spikewright.report.summary import summary
from tests.boards.boards_bench import FakeTools, saved_model, stand_for
from tests.networks import refused
from tests.pages import check_on_phone, check_page, pictures


def _recording(path):
    """A recording with a velocity that the model had a part in, in other units."""
    rng = np.random.default_rng(5)
    bins, channel = np.nonzero(rng.random((400, 6)) < 0.4)
    np.savez(path, bin=bins, channel=channel, n_bins=400, n_channels=6, dt=0.004,
             trial_start_bin=[0, 150], velocity=900 * rng.normal(size=(400, 2)),
             source="measured here", licence="CC0", note="")
    return path


def _build(folder, recording=None, **options):
    arguments = {"config": CoreConfig(), "megahertz": None, "baud": 1_000_000, "seed": 1} | options
    report = build(Model.load(folder / "model"), BOARDS["icebreaker"], folder / "out",
                   recording=recording, **arguments)
    return report, (folder / "out" / "report.html").read_text()


@pytest.fixture
def recording(tmp_path):
    return _recording(tmp_path / "reaches.npz")


@pytest.fixture
def run(tmp_path, monkeypatch):
    stand_for(monkeypatch, FakeTools())
    saved_model(tmp_path / "model")
    return functools.partial(_build, tmp_path)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Build with tools that are stood for, in a folder that several tests read."""
    def run(name, recorded):
        folder = tmp_path_factory.mktemp(name)
        saved_model(folder / "model")
        with pytest.MonkeyPatch.context() as monkeypatch:
            stand_for(monkeypatch, FakeTools())
            report, text = _build(folder, _recording(folder / "reaches.npz") if recorded else None)
        return Built(folder=folder, report=report, text=text)
    return run


@dataclass(frozen=True)
class Built:
    """A report, and the folder of its model, its recording and its build."""

    folder: Path
    report: Report
    text: str


@pytest.fixture(scope="module")
def measured(once):
    """The report on a recording."""
    return once("measured", True)


@pytest.fixture(scope="module")
def simulated(once):
    """The report on simulated spikes."""
    return once("simulated", False)


class Page(HTMLParser):
    """Notes every address that a page would fetch, and the nesting of its tags."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.open, self.ids = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)
        self._look(tag, dict(attrs))

    def handle_startendtag(self, tag, attrs):
        self._look(tag, dict(attrs))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def _look(self, tag, attrs):
        self.ids += [attrs["id"]] if "id" in attrs else []
        for key in ("src", "href", "xlink:href", "data"):
            if not attrs.get(key, "#").startswith("#"):
                self.fetched.append(attrs[key])
        if tag in ("script", "iframe", "object", "link"):
            self.fetched.append(tag)


def test_facts(measured):
    report, text = measured.report, measured.text
    recording = measured.folder / "reaches.npz"
    model, manifest = load_artefact(measured.folder / "model")
    answer = run_golden(model, read_recording(recording), CoreConfig())
    assert report.model_hash == manifest["model_hash"]
    assert report.network_hash == manifest["network_hash"]
    assert report.resources["ebr"] == Cells(used=20, available=30)
    plan = Plan(model=model, config=CoreConfig())
    for name, seen, k in (("cycles", answer.cycles, 0), ("latency", answer.latency, 1)):
        worst = step_timing(plan, worst_events(plan, events_max(model.rows)))[k]
        counted, times = getattr(report, name), getattr(report.microseconds, name)
        assert counted.worst == worst[0] >= counted.largest_seen
        assert counted.largest_seen == seen.max()
        assert counted.mean == pytest.approx(seen.mean(), rel=1e-5)
        assert times.worst == pytest.approx(worst[0] / 24, abs=1e-3)
    assert report.cycles.budget == 96_000
    assert (report.lead_steps, report.lead_ms) == (5, 20)
    assert report.recording.name == "reaches.npz"
    assert report.recording.sha256 == checkpoint_hash(recording)
    assert not report.recording.synthetic
    assert sum(part.bits for part in report.memory) >= report.table_bits
    assert report.critical_path.delay_ns == pytest.approx(5.25)
    counted = count_operations(Model.load(measured.folder / "model").network,
                               read_recording(recording))
    assert report.operations == counted and counted.macs == 0 < counted.acs
    assert (f"\noperations   0 MACs and {counted.acs:.0f} ACs a step, of {counted.dense:.0f} "
            "operations, as NeuroBench counts them\n") in summary(report)
    assert f"0 effective\nmultiply-accumulates and {counted.acs:.0f} effective accumulates" in text


def test_worst_case_grows_with_lanes(run, simulated):
    assert run(config=CoreConfig(lanes=1))[0].cycles.worst > simulated.report.cycles.worst


@pytest.mark.parametrize("budget", [0, 200])
def test_steps_that_are_too_short(run, monkeypatch, budget):
    """The report is whole, and warns."""
    def shorter(*args, **options):
        report = collect(*args, **options)
        return replace(report, cycles=replace(report.cycles, budget=budget))
    collect = spikewright.boards.flow.build.collect
    monkeypatch.setattr(spikewright.boards.flow.build, "collect", shorter)
    report, text = run()
    worst, seen = report.cycles.worst, report.cycles.largest_seen
    assert worst > budget
    warning = (f"the next step begins after {budget:,} cycles, but a step may need {worst:,}, and "
               f"needed up to {seen:,} on this recording: take more lanes, a faster clock, or "
               "longer steps")
    assert f"warning      {warning}\n" in summary(report)
    assert f"<b>Steps are too short:</b> {warning}." in text
    check_page(text)


def test_no_decoding_without_movement(recording):
    """Of an axis that never moves, there is no figure."""
    velocity = np.random.default_rng(1).normal(size=(400, 2))
    there = read_recording(recording)
    moves = replace(there, velocity=np.stack([there.velocity[:, 0], np.zeros(400)], axis=1))
    still = replace(there, velocity=np.zeros((400, 2)))
    assert decodes(velocity, moves, 0).endswith(", -") and decodes(velocity, still, 0) == ""


def test_steps_that_are_long_enough(simulated):
    assert "warning" not in summary(simulated.report) and "too short" not in simulated.text


def test_page_stands_alone(measured):
    text = measured.text
    page = Page(text)
    assert not page.open
    assert not page.fetched
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import", text)
    assert "ynthetic" not in text
    assert "measured here" in text


def test_page_has_its_maker_and_a_dark_look(simulated):
    check_page(simulated.text)
    maker = simulated.report.made_by
    assert f"Spikewright {maker.version}, commit {maker.commit}" in simulated.text


def test_pictures_in_words(measured):
    """A reader without the pictures gets their key figures."""
    integers = measured.report.accuracy.integers
    assert pictures(measured.text) == [
        ("Lines over 1.6 seconds: hand, fp32 and int8, for each of 2 outputs. R² of int8 with fp32 "
         f"is {integers.fidelity_r2:.3f}. Correlation of int8 with the hand is "
         f"{integers.decoding_correlation[0]:.3f}, {integers.decoding_correlation[1]:.3f}."),
        ("Time from the end of the bin to its velocity: published model, 20 ms and this decoder, "
         "0.33 ms with the bits on the UART. Below, the time of this decoder enlarged: request on "
         "the line, 94 µs; decoding, 2 µs; answer on the line, 230 µs."),
        ("Histogram of the clock cycles of a step: from 31 to 59, mean 47. Lines mark the proven "
         "worst case of 716 cycles and the next step after 96,000 cycles."),
        ("A bar for each kind of cell of the chip, with a part for each block of the circuit: "
         "1,500 of 5,280 logic cells, 20 of 30 block RAMs and 2 of 8 multipliers are used."),
        ("A square for each of 30 block RAMs: 2 for weights and 1 for currents. Below them, a bar "
         "is the weight memory: hidden → hidden, 5 rows, 0.0391 KiB; input → hidden, 6 rows, "
         "0.0469 KiB; hidden → readout, 5 rows, 0.0195 KiB."),
        ("A bar of 5.2 ns in a clock period of 41.7 ns, with a part for each hop of the slowest "
         "path, through rows, link and board. Wires take 3.2 ns.")]


def test_page_on_a_phone(measured, tmp_path):
    check_on_phone(measured.text, tmp_path)


def test_page_is_the_same_again(measured, run, recording):
    assert run(recording) == (measured.report, measured.text)


def test_page_names_simulated_spikes(simulated):
    report, text = simulated.report, simulated.text
    assert report.recording.simulated
    assert "Simulated spikes:" in text
    assert "decoding R²" not in text
    assert all(row.decoding_r2 == () for row in report.accuracy.rows)


@pytest.mark.parametrize("told", [{"source": "simulated: spikewright reaches"},
                                  {"note": "SYNTHETIC, simulated by this project"}])
def test_page_names_synthetic_recording(run, recording, told):
    with np.load(recording) as file:
        data = {**{key: file[key] for key in file.files}, **told}
    np.savez(recording, **data)
    report, text = run(recording)
    assert report.recording.synthetic
    assert "Synthetic recording:" in text
    assert "simulated hand" in text


def test_page_tells_of_steps_that_overfill_a_frame(run, recording):
    with np.load(recording) as file:
        data = {key: file[key] for key in file.files}
    np.savez(recording, **data, count=np.where(data["bin"] == 3, 218, 1))
    report, text = run(recording)
    assert report.recording.too_full_steps == 1
    assert "have more events than that: each takes several frames, and may take longer" in text
    assert report.cycles.worst_is == report.latency.worst_is == (
        "proven for a step of one frame: every neuron fires at every delay, and the frame carries "
        "any number of events up to 218, its most; a step of several frames takes longer")


def test_page_escapes_what_files_say(run, recording):
    with np.load(recording) as file:
        data = {**{key: file[key] for key in file.files}, "source": "<script>alert(1)</script>"}
    np.savez(recording, **data)
    assert "<script" not in run(recording)[1]


def test_score_of_the_reference_is_perfect(tmp_path, recording):
    model, _ = load_artefact(saved_model(tmp_path / "model"))
    recording = read_recording(recording)
    answer = run_golden(model, recording, CoreConfig())
    results = dict.fromkeys(("fp64", "fp32", "fp16"), (answer.velocity, answer.spikes))
    rows = score(model, recording, results, answer).rows
    assert [row.arithmetic for row in rows] == ["fp64", "fp32", "fp16", "int8"]
    assert all(row.fidelity_r2 == row.spike_agreement == 1 for row in rows)
    assert rows[0].firing_rate_hz == pytest.approx(answer.spikes.mean() / 0.004, rel=1e-5)


def test_number():
    assert number(1.23456789) == 1.23457
    assert number(np.float64("nan")) is number(np.inf) is None


def test_show(measured, capsys):
    run_words(["show", str(measured.folder / "out")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("model        tiny, hash ")
    assert lines[1].startswith("decoding     correlation of each axis: fp32 ")
    assert lines[2].startswith("warning      the network does not decode this recording in float")
    assert lines[4] == "core         4 lanes"
    assert lines[5] == ("area         1,500 of 5,280 LC, 20 of 30 EBR, 0 of 4 SPRAM, 2 of 8 DSP")
    assert lines[-1].startswith("int8         fidelity R2 ")


def test_show_refuses(run, tmp_path):
    with refused("Path must be a folder with manifest.json, report.json or ladder.json, or a "
                 f"ladder.json or an .npz file, not '{tmp_path}'"):
        run_words(["show", str(tmp_path)])
    path = tmp_path / "report.json"
    for text in ("", "[]", "{", '{"model_hash": 1}'):
        path.write_text(text)
        with refused(f"{path} must be the report of a build, not a damaged file"):
            run_words(["show", str(tmp_path)])
    path.write_text(json.dumps({"schema": 99}))
    with refused(f"{path} schema must be 1, not 99: build again"):
        run_words(["show", str(tmp_path)])


def scored_with(correlation, unit_scale=1.0):
    rows = tuple(Score(arithmetic=name, fidelity_r2=1.0, spike_agreement=1.0, firing_rate_hz=5.0,
                       decoding_r2=(0.5, None), decoding_correlation=tuple(correlation))
                 for name in ("fp64", "fp32", "int8"))
    return Accuracy(steps=9, unit_scale=unit_scale, rows=rows)


def test_decoding_is_said_side_by_side():
    scored = scored_with([0.41, 0.67])
    assert decoding(scored) == (
        "correlation of each axis: fp32 0.410, 0.670; int8 0.410, 0.670 | "
        "R2 of each axis: fp32 0.500, -; int8 0.500, -")
    assert decoded(scored.single) == decoded(scored.integers) == pytest.approx(0.54)
    assert foreign(scored) == ""
    assert decoding(scored_with([0.1, 0.1], None)) == foreign(scored_with([0, 0], None)) == ""


@pytest.mark.parametrize("correlation", [[0.02, -0.31], [None, 0.199], [None, None]])
def test_network_of_another_session_is_told(correlation):
    assert foreign(scored_with(correlation)).startswith(
        "the network does not decode this recording in floating point either (correlation ")
