# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""Explorations: what is built, remembered, refused and drawn. The tools are stood for."""

import json
import threading
import xml.dom.minidom

import numpy as np
import pytest

import spikewright.boards.explore.pareto
from spikewright.base.errors import InputError
from spikewright.boards.explore.jobs import Store
from spikewright.golden.run import run_golden
from spikewright.model.artefact import load_artefact
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig
from spikewright.report.style import SHEETS, Picture
from tests.boards.boards_bench import FakeTools, saved_model, stand_for
from tests.pages import check_on_phone, check_page, pictures


class SeededTools(FakeTools):
    """Place and route whose clock is 40 MHz and a tenth of the seed's square.

    A design with a ``wide`` memory of currents, as of so many lanes, takes 31 block RAMs.
    """

    def __init__(self, wide=None):
        super().__init__(rams=31)
        self.wide = wide
        self.lock = threading.Lock()

    def __call__(self, tool, *arguments, folder, title, **options):
        with self.lock:
            self.report = {}
            if "--seed" in arguments:
                self.report = {"fmax": 40 + int(arguments[arguments.index("--seed") + 1]) ** 2 / 10}
            text = (folder / "top.il").read_text()
            self.rams = 31 if f"bank_{self.wide}" in text else 2
            return super().__call__(tool, *arguments, folder=folder, title=title, **options)

    @property
    def names(self):
        return sorted(call[0] for call in self.calls)


@pytest.fixture
def tools(monkeypatch):
    fake = SeededTools(wide=7)
    stand_for(monkeypatch, fake)
    return fake


@pytest.fixture
def model(tmp_path):
    return saved_model(tmp_path / "tiny" / "model", hidden=9)


@pytest.fixture
def explore(call_command, model, tmp_path):
    """Explore: exit status, standard output, standard error."""
    def explore(*options):
        return call_command("explore", model, "--board", "icebreaker", "-o",
                            tmp_path / "out", "--jobs", 2, *options)
    return explore


@pytest.fixture
def run(explore, monkeypatch):
    """Explore, and draw empty pictures, which take no time."""
    empty = Picture("empty", "An empty picture.")
    empty.svg = dict.fromkeys((sheet.name for sheet in SHEETS), "")
    for name in ("pareto", "seeds"):
        monkeypatch.setattr(spikewright.boards.explore.pareto, name, lambda *_: empty)
    return explore


def _facts(folder):
    return json.loads((folder / "explore.json").read_text())


def test_seeds_of_one_configuration(run, tools, tmp_path, model):
    status, told, _ = run("--seeds", 3, "--freq", 24, "--lanes", 2)
    assert status == 0
    point, = _facts(tmp_path / "out")["points"]
    assert [(run["seed"], run["fmax_mhz"]) for run in point["runs"]] == [
        (1, 40.1), (2, 40.4), (3, 40.9)]
    assert point["best"]["seed"] == 3 and point["median_mhz"] == 40.4
    assert point["best"]["used"] == {"lc": 1500, "ebr": 20, "spram": 0, "dsp": 2}
    assert point["config"] == vars(CoreConfig(lanes=2)) and point["presets"] == []
    # Synthesized once, placed thrice, and never packed.
    assert tools.names == ["nextpnr-ice40"] * 3 + ["yosys"]
    lines = told.splitlines()
    assert lines[0].split() == ["configuration", "LC", "EBR", "DSP", "Fmax,", "MHz", "median",
                                "cycles", "worst", "us", "a", "step"]
    assert lines[1].split()[:7] == ["*", "2", "lanes", "1,500", "20", "2", "40.9"]
    assert lines[-1] == f"-> {tmp_path / 'out'}/explore.html"


def test_second_call_runs_nothing(run, tools, tmp_path):
    run("--seeds", 2, "--grid", "lanes=1,2,8")
    first, calls = _facts(tmp_path / "out"), len(tools.calls)
    status, _, error = run("--seeds", 2, "--grid", "lanes=1,2,8")
    assert (status, error) == (0, "") and len(tools.calls) == calls == 7
    assert _facts(tmp_path / "out") == first
    # One more seed: its placements, from the netlists that are there.
    _, _, error = run("--seeds", 3, "--grid", "lanes=1,2,8")
    assert tools.names[:calls + 2].count("nextpnr-ice40") == 6 and len(tools.calls) == calls + 2
    assert error.splitlines()[-1].startswith("2 of 2: ")
    # What is damaged is done again.
    for path in (tmp_path / "out" / "runs").iterdir():
        path.write_text("{")
    run("--seeds", 1, "--lanes", 2)
    assert len(tools.calls) == calls + 3


@pytest.mark.parametrize("options, found", [
    (["--grid", "load=none,model"], {("none", "none"), ("model", "large")}),
    (["--load", "model"], {("model", "large")}),
    (["--grid", "load=model", "staging=none"], {("model", "none")}),
    (["--load", "model", "--staging", "none"], {("model", "none")})])
def test_a_load_waits_where_a_build_would_let_it_wait(run, tools, tmp_path, options, found):
    assert run(*options)[0] == 0
    configs = [point["config"] for point in _facts(tmp_path / "out")["points"]]
    assert {(config["load"], config["staging"]) for config in configs} == found


def test_other_line_is_another_design(run, tools):
    run()
    run("--baud", 500_000)
    assert tools.names.count("yosys") == 2


def test_what_cannot_be_built_is_told(run, tools, tmp_path):
    """By the hardware, by the board's size, and by the placer; none of it stops the others."""
    status, told, _ = run("--grid", "lanes=2,8", "presets")
    assert status == 0
    points = {point["config"]["lanes"]: point for point in _facts(tmp_path / "out")["points"]}
    assert points[4]["presets"] == ["balanced"] and points[1]["presets"] == ["small"]
    assert all("best" in points[lanes] for lanes in (1, 2, 4))
    reasons = [point["reason"] for point in _facts(tmp_path / "out")["points"] if point["reason"]]
    assert any(reason.startswith("Design must fit the Lattice iCE40UP5K") for reason in reasons)
    assert all(reason in told for reason in reasons)
    page = (tmp_path / "out" / "explore.html").read_text()
    assert "What cannot be built" in page and "31 of 30 block RAMs" in page


def test_placer_that_fails_is_told_and_tried_again(run, tools, tmp_path):
    tools.fails = InputError("nextpnr-ice40 must succeed, not end with status 1: no room")
    status, told, error = run("--seeds", 2)
    assert status == 0 and "no room" in told and "seed 2, failed" in error
    point, = _facts(tmp_path / "out")["points"]
    assert [failure["seed"] for failure in point["failures"]] == [1, 2] and "best" not in point
    tools.fails = None
    run("--seeds", 2)
    assert "best" in _facts(tmp_path / "out")["points"][0] and tools.names.count("yosys") == 1


def test_cycles_are_goldens(run, tools, tmp_path, model):
    rng = np.random.default_rng(1)
    path = tmp_path / "spikes.npz"
    np.savez(path, bin=np.sort(rng.integers(0, 50, 80)), channel=rng.integers(0, 6, 80), n_bins=50,
             n_channels=6, dt=0.004)
    run("--grid", "lanes=1,4", "--recording", path)
    facts = _facts(tmp_path / "out")
    assert facts["recording"] == {"name": "spikes.npz", "steps": 50, "synthetic": False}
    for point in facts["points"]:
        answer = run_golden(load_artefact(model)[0], read_recording(path),
                            CoreConfig(**point["config"]))
        assert point["cycles"]["mean"] == round(answer.cycles.mean(), 6)


def test_interrupt_keeps_what_is_done(run, tools, tmp_path, monkeypatch):
    """The second placement is interrupted; the same command goes on with it."""
    keep, kept = Store.keep_run, []

    def interrupted(self, key, result):
        keep(self, key, result)
        kept.append(result["seed"])
        if len(kept) == 1:
            raise KeyboardInterrupt
    monkeypatch.setattr(Store, "keep_run", interrupted)
    status, _, error = run("--seeds", 4, "--jobs", 1)
    assert status == 130 and len(kept) == 1
    assert error.splitlines()[-1] == (f"stopped: finished results are in {tmp_path / 'out'}; the "
                                      "same command continues from there")
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 1
    before = len(tools.calls)
    assert run("--seeds", 4)[0] == 0
    assert tools.names.count("yosys") == 1 and len(tools.calls) - before == 3
    assert sorted(kept) == [1, 2, 3, 4]


def test_cluster(run, tools, tmp_path):
    """The same through a Dask scheduler, whose worker is this process."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed "
                                                            "(pip install -e '.[cluster]')")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False,
                                  dashboard_address=None) as cluster:
        status, _, _ = run("--seeds", 3, "--scheduler", cluster.scheduler_address)
    assert status == 0
    point, = _facts(tmp_path / "out")["points"]
    assert [run["fmax_mhz"] for run in point["runs"]] == [40.1, 40.4, 40.9]
    assert tools.names == ["nextpnr-ice40"] * 3 + ["yosys"]


def test_scheduler_that_is_not_there(run, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed")
    monkeypatch.setattr("spikewright.boards.explore.pool.PATIENCE", 1)
    assert run("--scheduler", "tcp://127.0.0.1:9") == (
        2, "", ("error: Scheduler must answer within 1 seconds, not be silent at "
                "'tcp://127.0.0.1:9'\n"))


def test_best_is_built(run, tools, tmp_path):
    status, told, _ = run("--seeds", 3, "--best")
    assert status == 0 and told.endswith(f"-> {tmp_path / 'out' / 'best'}: the bitstream of seed "
                                         "3\n")
    assert json.loads((tmp_path / "out" / "best" / "report.json").read_text())["seed"] == 3


def test_pictures(explore, tools, tmp_path):
    explore("--seeds", 2, "--grid", "presets", "lanes=1,2,4")
    for name in ("pareto", "seeds"):
        xml.dom.minidom.parse(str(tmp_path / "out" / f"{name}.svg"))
        assert (tmp_path / "out" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert "balanced" in (tmp_path / "out" / "pareto.svg").read_text()
    page = (tmp_path / "out" / "explore.html").read_text()
    check_page(page)
    taken = [point["cycles"]["mean"] for point in _facts(tmp_path / "out")["points"]
             if "best" in point]
    assert pictures(page) == [
        ("Cycles a step over LC and over EBR. 3 configurations take 1,500 LC and 20 EBR, and "
         f"{min(taken):.0f} to {max(taken):.0f} cycles, at 40.4 MHz. No other one beats balanced."),
        ("A dot for each seed, over Fmax: 40.1 to 40.4 MHz, for 3 configurations. A line is at 24 "
         "MHz, the clock that was aimed at.")]
    check_on_phone(page, tmp_path)
    # One configuration has nothing to be compared with.
    explore("--seeds", 2)
    assert not list((tmp_path / "out").glob("pareto.*"))
    assert pictures((tmp_path / "out" / "explore.html").read_text()) == [
        ("A dot for each seed, over Fmax: 40.1 to 40.4 MHz, for 1 configuration. A line is at 24 "
         "MHz, the clock that was aimed at.")]


def test_best_of_several(run):
    assert run("--best", "--grid", "lanes=1,2") == (
        2, "", "error: Option --best must have one configuration, not 2\n")
