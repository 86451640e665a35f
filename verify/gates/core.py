# SPDX-License-Identifier: Apache-2.0
"""The gates of the core, synthesized for a board and compiled to machine code.

The core alone answers thousands of steps of a recording in seconds. `verify.gates.simulate` runs
the whole top behind its pins, slowly, in another simulator.
"""

from importlib import resources
from pathlib import Path

from spikewright.base.errors import CoreFault, InputError
from spikewright.base.files import work_folder
from spikewright.base.tools import run_tool
from spikewright.boards.board.board import Board
from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.network.recording import Recording
from spikewright.plan.plan import Plan
from spikewright.sim.compiled import run_compiled

__all__ = ["check_gates", "core_gates"]

# Models of the cells in Yosys. Synthesis knows them as black boxes, so a run of its own reads them.
# The large RAM has its own model.
SPRAM = "spram.v"
MODELS = (f"read_verilog {SPRAM} gates.v; "
          "read_verilog -nooverwrite -D NO_ICE40_DEFAULT_ASSIGNMENTS +/ice40/cells_sim.v")


def core_gates(plan: Plan, board: Board, cache: Path) -> str:
    """RTLIL of the core, synthesized for ``board``, with models in place of the cells.

    The tools work in a folder of their own in ``cache``.

    Raises
    ------
    InputError
        If there are no models for the board's family, or the core needs its link to get a model.
    """
    if plan.config.load == "model":
        raise InputError("Core load must be none to simulate its gates, not model")
    if board.family.name != "iCE40":
        raise InputError(f"Board must be one with an iCE40 chip to simulate its gates, not "
                         f"{board.name}")
    with work_folder(cache, "netlist-") as folder:
        (folder / "core.il").write_text(convert(Core(core_params(plan))), encoding="utf-8")
        run_tool("yosys", "-p", f"read_rtlil core.il; synth_ice40 {' '.join(board.chip.yosys)} "
                 "-top top; write_verilog -noattr gates.v", folder=folder, title="synthesis")
        model = resources.files("spikewright.verify.gates") / SPRAM
        (folder / SPRAM).write_text(model.read_text(encoding="utf-8"), encoding="utf-8")
        run_tool("yosys", "-p", f"{MODELS}; hierarchy -top top; proc; flatten; opt; "
                 "write_rtlil gates.il", folder=folder, title="models of the cells")
        return (folder / "gates.il").read_text(encoding="utf-8")


def check_gates(plan: Plan, board: Board, recording: Recording, cache: Path) -> list[str]:
    """Differences between the answers of the gates and of golden, one line each."""
    cache = Path(cache)
    text = core_gates(plan, board, cache)
    try:
        answer = run_compiled(plan, recording, cache, text)
    except CoreFault as fault:
        return [str(fault)]
    return differences(run_golden(plan.model, recording, plan.config), answer)
