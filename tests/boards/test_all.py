# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""Every board with the real tools: clock, pins and LEDs around a stand-in, and whole decoders."""

import json
import re

import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from docs.make.tables import area
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow import toolchain
from spikewright.boards.flow.build import build
from spikewright.hw.params import link_params
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from tests.boards.boards_bench import saved_model
from tests.designs import plan_of
from tests.networks import deep_model

# What a bitstream begins with: of iCE40 the comment and preamble, of ECP5 the comment alone.
BEGINNING = {"iCE40": bytes.fromhex("ff0000ff7eaa"), "ECP5": bytes.fromhex("ff00")}


class Echo(wiring.Component):
    """Takes the place of a decoder: a counter, and the line sent back."""

    rx: In(1, init=1)
    tx: Out(1, init=1)

    def __init__(self, core, link):
        self.link = link
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        counter = Signal(8)
        m.d.sync += [
            counter.eq(counter + 1),
            self.tx.eq(self.rx ^ counter[-1]),
        ]
        return m


def _bits(folder, board):
    data = (folder / board.family.bitstream).read_bytes()
    assert data.startswith(BEGINNING[board.family.name])
    return data


# Clocks that are divided: from the oscillator in the chip, and from a crystal of an ECP5.
SLOW = [("upduino_v3", 1.5), ("ulx3s_25f", 1)]


@pytest.mark.parametrize("name, megahertz", [*((name, None) for name in BOARDS), *SLOW])
def test_board_to_bitstream(name, megahertz, tmp_path, monkeypatch):
    """The clock comes out as asked for, and every pin, LED, PLL and oscillator has its place."""
    board = BOARDS[name]
    clock_hz, source = board.clock(megahertz)
    monkeypatch.setattr(toolchain, "LinkedCore", Echo)
    plan = plan_of(deep_model(4), 1)
    link = link_params(plan, model_hash="00" * 32, clock_hz=clock_hz)
    toolchain.implement(board, plan, link, source, seed=1, folder=tmp_path)
    report = json.loads((tmp_path / "nextpnr.json").read_text())
    for kind, cell in board.family.cells.items():
        assert report["utilization"].get(cell.placed, {"available": 0})[
            "available"] == board.resources[kind], kind
    log = (tmp_path / f"{board.family.place}.log").read_text()
    pads = re.findall(r"constrained (?:'\w+__io' )?to bel", log, re.IGNORECASE)
    assert len(pads) == 2 + len(board.leds) + bool(board.crystal)
    assert _bits(tmp_path, board)


@pytest.mark.parametrize("name, kinds", [
    ("ice40_hx8k_b_evn", ["lc", "ebr", "spram", "dsp"]),
    ("ulx3s_25f", ["lut", "ff", "ebr", "dsp"]),
])
def test_decoder_to_bitstream(name, kinds, tmp_path):
    """A chip without multipliers, and one of the other family, from model to report."""
    board = BOARDS[name]
    report = build(Model.load(saved_model(tmp_path / "model")), board, tmp_path / "out",
                   config=CoreConfig(lanes=1), megahertz=None, baud=1_000_000,
                   seed=1, recording=None)
    assert _bits(tmp_path / "out", board)
    assert report.fmax_mhz >= report.clock_mhz == board.clock_hz / 1e6
    assert list(report.resources) == kinds
    for kind, cells in report.resources.items():
        assert sum(block[kind] for block in report.blocks.values()) == cells.used
    logic = kinds[0]
    for block in ("rows", "neurons", "spikes", "sequencer", "core", "link", "board"):
        assert report.blocks[block][logic] > 0, block
    assert (report.resources["dsp"].used > 0) == (board.resources["dsp"] > 0)
    path = report.critical_path
    assert path.delay_ns == pytest.approx(1e3 / report.fmax_mhz, rel=0.02)
    assert not any("TRELLIS" in hop.signal or "SB_" in hop.signal for hop in path.hops)
    page = (tmp_path / "out" / "report.html").read_text()
    assert board.device in page and report.board.bitstream in page
    assert f"| {report.resources[logic].used:,} (" in area({"tiny": report})
