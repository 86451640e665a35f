# SPDX-License-Identifier: Apache-2.0
"""Canned netlists and place-and-route reports, so that no tool needs to run."""

import functools
import json
from pathlib import Path

import spikewright.boards.flow.facts
import spikewright.boards.flow.toolchain
from spikewright.base.tools import Usual
from spikewright.boards.board.family import Family
from spikewright.model.artefact import save_artefact
from spikewright.quantize.compile import compile_network
from spikewright.report.names import BLOCKS
from spikewright.sim.idle import idle_work
from tests.networks import random_recording, tiny_network

__all__ = ["FakeTools", "cells_of", "ecp5_netlist", "nextpnr_report", "packed_netlist",
           "saved_model", "stand_for", "yosys_netlist"]


def stand_for(monkeypatch, tools: "FakeTools") -> None:
    """Let ``tools`` run in place of the tools, and simulate the idle design for a moment only."""
    monkeypatch.setattr(spikewright.boards.flow.toolchain, "run_tool", tools)
    monkeypatch.setattr(spikewright.boards.flow.facts, "idle_work",
                        functools.partial(idle_work, settle=20, watch=20))


def saved_model(folder: Path, seed=1, **sizes) -> Path:
    """An artefact of a small random network."""
    network = tiny_network(seed, **sizes)
    recording = random_recording(seed, network.channels, 200)
    model, network, facts = compile_network(network, name="tiny", recording=recording)
    save_artefact(folder, model, network, facts)
    return folder


def cells_of(family: Family, **blocks: dict[str, int]) -> dict[str, dict[str, int]]:
    """Cells of every block: ``weights={"ebr": 20}``; all others 0."""
    return {name: dict.fromkeys(family.cells, 0) | blocks.get(name, {}) for _, name, _ in BLOCKS}


def nextpnr_report(*, lc=1500, ebr=20, dsp=2, fmax=40.0, wanted=24.0) -> dict:
    """What nextpnr writes for ``--report``: a clock, a crystal, and a path of two blocks."""
    def hop(kind, delay, start, end, **more):
        return {"type": kind, "delay": delay, "from": {"cell": start, "loc": [1, 1], "port": "O"},
                "to": {"cell": end, "loc": [1, 2], "port": "I0"}, **more}

    first, last = "decoder.link.executor.end_SB_DFF_Q_D_LC", "decoder.core.rows.words_SB_LUT4_O_LC"
    carry = "$nextpnr_ICESTORM_LC_3"
    return {
        "utilization": {
            "ICESTORM_LC": {"used": lc, "available": 5280},
            "ICESTORM_RAM": {"used": ebr, "available": 30},
            "ICESTORM_DSP": {"used": dsp, "available": 8},
            "SB_IO": {"used": 5, "available": 39}},
        "fmax": {"clk": {"achieved": fmax, "constraint": wanted},
                 "other": {"achieved": 900.0, "constraint": 12.0}},
        "critical_paths": [
            {"from": "<async>", "to": "posedge clk", "path": [hop("setup", 99.0, "pin", "pin")]},
            {"from": "posedge clk", "to": "posedge clk", "path": [
                hop("clk-to-q", 1.4, first, first),
                hop("routing", 3.25, first, carry, net="decoder.link.executor.end[2]"),
                hop("logic", 0.5, carry, carry),
                hop("routing", 0, carry, last, net=f"{carry}$O"),
                hop("setup", 0.1, last, last)]}]}


def _module(cells: dict) -> dict:
    return {"modules": {"top": {"cells": cells}}}


def packed_netlist() -> dict:
    """What nextpnr writes for ``--write``: seven logic cells, three RAMs, one DSP, and a pin."""
    lc, ram = {"type": "ICESTORM_LC"}, {"type": "ICESTORM_RAM"}
    return _module({
        "decoder.core.rows.dense$31.bank_0.0.0_RAM": ram,
        "decoder.core.rows.dense.bank_0.0.1_RAM": ram,
        "decoder.core.currents.bank_3.0.0_RAM": ram,
        "decoder.core.rows.d_sum_1_SB_LUT4_O_LC": lc,
        "decoder.core.neurons.product_SB_MAC16_O": {"type": "ICESTORM_DSP"},
        "decoder.core.neurons.x_DFFLC": lc,
        "decoder.core.rows_count_LC": lc,
        "decoder.core.sequencer.busy_LC": lc,
        "decoder.link.store.ram_LC": lc,
        "clock.start.timer_LC": lc,
        "$nextpnr_ICESTORM_LC_0": lc,
        "led": {"type": "SB_IO"}})


def yosys_netlist(rams=2) -> dict:
    """What Yosys writes: three LUTs and four flip-flops that need five logic cells."""
    def cell(kind, **bits):
        return {"type": kind, "connections": {port: [bit] for port, bit in bits.items()},
                "port_directions": {port: "output" if port in "OQ" else "input" for port in bits}}

    cells = {
        "decoder.link.a": cell("SB_LUT4", I0=2, O=10),
        "decoder.link.b": cell("SB_DFF", D=10, Q=11),           # shares the cell of its LUT
        "decoder.core.rows.c": cell("SB_LUT4", I0=11, O=12),
        "decoder.core.rows.d": cell("SB_DFFE", D=12, Q=13),     # its LUT has another user
        "decoder.core.rows.e": cell("SB_DFFSR", D=3, Q=14),     # no LUT at all
        "decoder.core.neurons.f": cell("SB_LUT4", I0=12, O=15),
        "decoder.core.neurons.g": cell("SB_DFFESR", D=15, Q=16),
        "decoder.core.neurons.h": cell("SB_MAC16", A=16, O=17),
        "decoder.core.neurons.i": cell("SB_CARRY", CI=17, CO=18)}
    for k in range(rams):
        cells[f"decoder.core.rows.dense.bank_0.0.{k}"] = cell("SB_RAM40_4K", RADDR=2, RDATA=30)
    return _module(cells)


def ecp5_netlist() -> dict:
    """What Yosys writes for an ECP5: every kind of cell that is counted, and two that are not."""
    cells = {
        "decoder.link.a": "LUT4",
        "decoder.link.b": "TRELLIS_FF",
        "decoder.core.rows.c": "CCU2C",
        "decoder.core.rows.d": "PFUMX",
        "decoder.core.currents.bank_0.0.0": "TRELLIS_DPR16X4",
        "decoder.core.rows.dense.bank_0.0.0": "DP16KD",
        "decoder.core.rows.dense.bank_1.0.0": "PDPW16KD",
        "decoder.core.neurons.product": "MULT18X18D",
        "clock.pll": "EHXPLLL"}
    return _module({name: {"type": kind, "connections": {}, "port_directions": {}}
                    for name, kind in cells.items()})


class FakeTools:
    """Stands in for `base.tools.run_tool`: writes what the tools would, and notes their arguments.

    Parameters
    ----------
    rams : int
        Block RAMs after synthesis.
    fails : Exception, optional
        What placing ends with, after ``log`` is written.
    report : dict
        Of `nextpnr_report`.
    """

    def __init__(self, *, rams=2, fails=None, log="", **report):
        self.rams, self.fails, self.log, self.report = rams, fails, log, report
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, tool: str, *arguments: str, folder: Path, title: str,
                 usual: Usual | None = None) -> str:
        self.calls.append((tool, *arguments))
        (folder / f"{tool}.log").write_text(self.log)
        if tool == "yosys":
            (folder / "top.json").write_text(json.dumps(yosys_netlist(self.rams)))
        elif tool == "nextpnr-ice40":
            if self.fails:
                raise self.fails
            (folder / "nextpnr.json").write_text(json.dumps(nextpnr_report(**self.report)))
            (folder / "placed.json").write_text(json.dumps(packed_netlist()))
        else:
            (folder / "top.bin").write_bytes(b"bits")
        return self.log
