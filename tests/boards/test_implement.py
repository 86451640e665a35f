# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The tools' answers, read: area, timing, and what is refused. The tools are stood for."""

import json

import pytest

from spikewright.base.errors import InputError
from spikewright.boards.board.family import ECP5, ICE40
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.build import build
from spikewright.boards.flow.netlist import block_of, count_blocks, count_cells
from spikewright.boards.flow.placed import read_report
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.report.parts.board import Hop
from spikewright.report.report import Report
from tests.boards.boards_bench import (
    FakeTools,
    cells_of,
    ecp5_netlist,
    nextpnr_report,
    packed_netlist,
    saved_model,
    stand_for,
    yosys_netlist,
)
from tests.networks import refused

ICEBREAKER = BOARDS["icebreaker"]
def _write(path, data):
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize("cell, block", [
    ("decoder.core.rows.dense$31.bank_0.0.15_RAM", "weights"),
    ("decoder.core.rows.dense.chosen_0_LC", "weights"),
    ("decoder.core.rows.dense_4$33.bank_0.0.15_RAM", "weights"),
    ("decoder.core.rows.dense_valid_LC", "rows"),
    ("decoder.core.rowsum_LC", "core"),
    ("decoder.link.decoder.core.neurons.x", "link"),
    ("decoder.core.o__payload_LC", "core"),
    ("clock.start.timer", "board"),
    ("$PACKER_GND", "board"),
])
def test_block_of(cell, block):
    assert block_of(cell) == block


def test_count_blocks(tmp_path):
    counts = count_blocks(_write(tmp_path / "placed.json", packed_netlist()), ICE40)
    assert counts == cells_of(
        ICE40, weights={"ebr": 2}, rows={"lc": 1}, neurons={"lc": 1, "dsp": 1}, currents={"ebr": 1},
        sequencer={"lc": 1}, core={"lc": 1}, link={"lc": 1}, board={"lc": 2})


def test_count_cells_shares_a_cell_only_with_a_lut_of_its_own(tmp_path):
    counts = count_cells(_write(tmp_path / "top.json", yosys_netlist(rams=3)), ICE40)
    assert counts == cells_of(
        ICE40, weights={"ebr": 3}, rows={"lc": 3}, neurons={"lc": 1, "dsp": 1}, link={"lc": 1})


def test_count_cells_of_an_ecp5(tmp_path):
    counts = count_cells(_write(tmp_path / "top.json", ecp5_netlist()), ECP5)
    taken = {name: {kind: count for kind, count in block.items() if count}
             for name, block in counts.items()}
    assert {name: block for name, block in taken.items() if block} == {
        "link": {"lut": 1, "ff": 1}, "currents": {"lut": 6}, "weights": {"ebr": 2},
        "rows": {"lut": 2}, "neurons": {"dsp": 1}}


def test_read_report(tmp_path):
    placed = read_report(_write(tmp_path / "nextpnr.json", nextpnr_report(fmax=31.5)), ICE40,
                         24_000_000)
    assert placed.used == {"lc": 1500, "ebr": 20, "spram": 0, "dsp": 2}
    assert placed.fmax_hz == 31.5e6
    assert placed.path[:2] == (
        Hop(kind="clk-to-q", delay_ns=1.4, block="link", signal="decoder.link.executor.end"),
        Hop(kind="routing", delay_ns=3.25, block="board", signal="decoder.link.executor.end[2]"))
    assert [hop.block for hop in placed.path] == ["link", "board", "board", "rows", "rows"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Build a tiny model with tools that are stood for, and leave its page empty."""
    monkeypatch.setattr("spikewright.boards.flow.build.page", lambda *_: "")
    model = Model.load(saved_model(tmp_path / "model"))

    def run(tools, megahertz=None, **options):
        stand_for(monkeypatch, tools)
        arguments = {"config": CoreConfig(), "baud": 1_000_000, "seed": 7,
                     "recording": None} | options
        return build(model, ICEBREAKER, tmp_path / "out", megahertz=megahertz, **arguments)
    return run


def test_build_calls_the_tools(run, tmp_path):
    tools = FakeTools(fmax=33.0)
    report = run(tools)
    assert [call[0] for call in tools.calls] == ["yosys", "nextpnr-ice40", "icepack"]
    assert {"--up5k", "--seed", "7", "--report"} < set(tools.calls[1])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "logs", "report.html", "report.json", "top.bin"]
    assert sorted(p.name for p in (tmp_path / "out" / "logs").iterdir()) == [
        "icepack.log", "nextpnr-ice40.log", "nextpnr.json", "top.pcf", "yosys.log"]
    assert "set_frequency clk12_0__io 12.0" in (tmp_path / "out/logs/top.pcf").read_text()
    assert Report.load(tmp_path / "out") == report
    assert (report.fmax_mhz, report.clock_mhz, report.seed) == (33.0, 24.0, 7)
    assert report.cycles.worst_events == 218


def test_build_at_the_crystals_clock(run):
    assert run(FakeTools(wanted=12.0), megahertz=12).clock_mhz == 12


def test_lost_constraint_is_told(run):
    with pytest.raises(RuntimeError, match="^nextpnr must aim at 24 MHz, not at 16, 12: "):
        run(FakeTools(wanted=16.0))


def test_another_clock_that_is_too_slow(tmp_path):
    """A clock that is divided has a faster one before it, with a constraint of its own."""
    report = nextpnr_report(fmax=60.0, wanted=2.0)
    report["fmax"]["other"] = {"achieved": 9.0, "constraint": 12.0}
    placed = read_report(_write(tmp_path / "nextpnr.json", report), ICE40, 2_000_000)
    assert placed.fmax_hz == 1.5e6


def _nothing_but_logs(tmp_path, names):
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "out-failed"]
    assert sorted(p.name for p in (tmp_path / "out-failed").iterdir()) == names


def test_too_large_is_refused_before_placing(run, tmp_path):
    tools = FakeTools(rams=31)
    with pytest.raises(InputError, match=r"31 of 30 block RAMs \(EBR\).*\(logs: .*out-failed\)$"):
        run(tools)
    assert [call[0] for call in tools.calls] == ["yosys"]
    _nothing_but_logs(tmp_path, ["top.pcf", "yosys.log"])


def test_too_large_for_the_placer_has_its_numbers(run, tmp_path):
    log = "Info: Device utilisation:\nInfo: \t ICESTORM_LC:    5281/   5280   100%\nERROR: no"
    with pytest.raises(InputError, match=r"not take 5,281 of 5,280 logic cells \(LC\), "):
        run(FakeTools(fails=InputError("it failed"), log=log))
    _nothing_but_logs(tmp_path, ["nextpnr-ice40.log", "top.pcf", "yosys.log"])


def test_missing_placer_is_told(run):
    class Tools(FakeTools):
        def __call__(self, tool, *arguments, folder, **shown):
            if tool == "nextpnr-ice40":
                raise InputError("Tool nextpnr-ice40 must be on PATH, not missing")
            return super().__call__(tool, *arguments, folder=folder, **shown)

    with pytest.raises(InputError, match="^Tool nextpnr-ice40 must be on PATH, not missing "):
        run(Tools())


class Crowded(FakeTools):
    """Tools that find a placement with seed 9 at first."""

    def __call__(self, tool, *arguments, folder, **shown):
        placed = "9" in arguments
        self.fails = None if placed else InputError("it failed")
        self.log = "" if placed else "ERROR: Unable to find legal placement for all cells"
        return super().__call__(tool, *arguments, folder=folder, **shown)


def test_without_a_placement_the_next_seeds_are_tried(run, capsys):
    tools = Crowded()
    assert run(tools).seed == 9
    assert [call[0] for call in tools.calls] == ["yosys", *["nextpnr-ice40"] * 3, "icepack"]
    assert capsys.readouterr().err.splitlines()[:2] == [
        "note: no placement with seed 7, seed 8 is next",
        "note: no placement with seed 8, seed 9 is next"]


def test_four_seeds_without_a_placement_are_refused(run, tmp_path):
    log = tmp_path / "out-failed" / "nextpnr-ice40.log"
    with refused(f"Design must have a placement, not none with seed 13: its cells are 5 of 5,280; "
                 f"take another --seed, fewer --lanes or a larger board ({log})"):
        run(Crowded(), seed=10)


def test_failing_tool_keeps_its_log(run, tmp_path):
    class Tools(FakeTools):
        def __call__(self, tool, *arguments, folder, **shown):
            self.fails = InputError(f"see {folder / 'nextpnr-ice40.log'}")
            return super().__call__(tool, *arguments, folder=folder, **shown)

    with refused(f"see {tmp_path / 'out-failed' / 'nextpnr-ice40.log'}"):
        run(Tools(log="boom"))
    assert (tmp_path / "out-failed" / "nextpnr-ice40.log").read_text() == "boom"


def test_success_takes_away_the_logs_of_a_failure(run, tmp_path):
    with pytest.raises(InputError, match="^Clock must be at most 20.0 MHz, as placed with seed 7"):
        run(FakeTools(fmax=20.0))
    run(FakeTools())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "out"]


def test_failure_leaves_the_last_build_alone(run, tmp_path):
    run(FakeTools())
    before = (tmp_path / "out" / "report.json").read_bytes()
    with pytest.raises(InputError):
        run(FakeTools(fmax=20.0))
    assert (tmp_path / "out" / "report.json").read_bytes() == before
