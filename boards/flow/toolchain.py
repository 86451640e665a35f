# SPDX-License-Identifier: Apache-2.0
"""From a board's top level to a bitstream: Yosys, nextpnr, and the bitstream packer."""

import contextlib
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.tools import Usual, run_tool
from spikewright.hw.link import LinkParams
from spikewright.hw.linked_core import LinkedCore
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import for_flows
from spikewright.plan.plan import Plan

from ..board.board import Board, ClockSource
from ..board.divider import Divided
from ..board.family import Family
from ..board.platforms import check_large_memory
from ..board.top import BoardTop
from .fit import Weights, check_area, check_timing, weights_of
from .netlist import count_blocks, count_cells
from .placed import PlacedReport, read_report
from .room import check_room
from .times import PACKING, usual_placement, usual_synthesis

__all__ = ["Implementation", "UnplacedError", "design_files", "implement", "kept_logs", "place",
           "synthesize", "synthesize_files"]

# A chip that is nearly full has placements with some seeds only. So many are tried.
SEEDS = 4


class UnplacedError(InputError):
    """No placement was found, although the chip has all the cells."""


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """A placed and routed design.

    Parameters
    ----------
    blocks : dict of str to dict of str to int
        Cells of each kind in each block.
    placed : PlacedReport
    seed : int
        Of the placement.
    """

    blocks: dict[str, dict[str, int]]
    placed: PlacedReport
    seed: int


def implement(board: Board, plan: Plan, link: LinkParams, clock: ClockSource, *, seed: int,
              folder: Path) -> Implementation:
    """Write the bitstream and the logs of all tools to ``folder``.

    If ``seed`` gives no placement, the next ones are tried.

    Raises
    ------
    InputError
        If a tool is missing or fails, or the design is too large or too slow for the board.
    """
    family = board.family
    synthesize(board, plan, link, clock, folder)
    wanted = link.clock_hz
    last = seed + SEEDS - 1
    while True:
        try:
            placed = place(board, clock_hz=wanted, weights=weights_of(plan), seed=seed,
                           folder=folder)
            break
        except UnplacedError:
            if seed == last:
                raise
            print(f"note: no placement with seed {seed}, seed {seed + 1} is next", file=sys.stderr)
            seed += 1
    check_timing(board, wanted, placed.fmax_hz, seed)
    run_tool(family.pack, *board.pack, *family.pack_options, folder=folder, title="bitstream",
             usual=PACKING)
    return Implementation(blocks=count_blocks(folder / "placed.json", family), placed=placed,
                          seed=seed)


def design_files(board: Board, plan: Plan, link: LinkParams,
                 clock: ClockSource) -> dict[str, str]:
    """Input files of the tools, by name: ``top.il``, and the pins in ``top.pcf`` or ``top.lpf``.

    Raises
    ------
    InputError
        If large memory is needed, and the board has none, or the memories cannot fit.
    """
    for option in ("weight_memory", "staging"):
        if getattr(plan.config, option) == "large":
            check_large_memory(board, f"--{option.replace('_', '-')}")
    check_room(board, plan)
    top = BoardTop(board, LinkedCore(core_params(plan), link), clock)
    files = board.platform().prepare(top, "top", emit_src=False).files
    pins = f"top.{board.family.pins}"
    return {"top.il": for_flows(files["top.il"]), pins: files[pins]}


def synthesize(board: Board, plan: Plan, link: LinkParams, clock: ClockSource,
               folder: Path) -> None:
    """Write the netlist ``top.json`` and the pins to ``folder``."""
    files = design_files(board, plan, link, clock)
    synthesize_files(board, files, folder, usual_synthesis(board, plan, files["top.il"]))


def synthesize_files(board: Board, files: dict[str, str], folder: Path,
                     usual: Usual | None = None) -> None:
    """Write ``files`` from `design_files`, and their netlist ``top.json``, to ``folder``."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = " ".join((board.family.synth, *board.chip.yosys, "-top top -json top.json"))
    run_tool("yosys", "-p", f"read_rtlil top.il; {command}", folder=folder, title="synthesis",
             usual=usual)


def place(board: Board, *, clock_hz: int, weights: Weights, seed: int,
          folder: Path) -> PlacedReport:
    """Place and route the netlist ``top.json`` in ``folder``; the clock is not checked.

    Raises
    ------
    InputError
        If the tool is missing or fails, or the design is too large for the board.
    """
    family = board.family
    counted = count_cells(folder / "top.json", family)
    check_area(board, counted, weights)
    logic = sum(block[family.logic] for block in counted.values())
    divided = family.divided if isinstance(board.clocks()[clock_hz], Divided) else ()
    try:
        run_tool(family.place, *board.nextpnr, *divided, "--json", "top.json",
                 f"--{family.pins}", f"top.{family.pins}",
                 f"--{family.placed}", f"top.{family.placed}",
                 "--report", "nextpnr.json", "--write", "placed.json", "--seed", str(seed),
                 "--timing-allow-fail", folder=folder, title="place and route",
                 usual=usual_placement(logic))
    except InputError as error:
        blocks = _crowded(family, folder, counted)
        check_area(board, blocks, weights)
        if "Unable to find legal placement" in _placer_log(family, folder):
            used = sum(block[family.logic] for block in blocks.values())
            raise UnplacedError(
                f"Design must have a placement, not none with seed {seed}: its cells are "
                f"{used:,} of {board.resources[family.logic]:,}; take another --seed, fewer "
                f"--lanes or a larger board ({folder / f'{family.place}.log'})") from error
        raise
    return read_report(folder / "nextpnr.json", family, clock_hz)


def _crowded(family: Family, folder: Path,
             blocks: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """``blocks`` with the further cells that nextpnr counted, from its log."""
    text = _placer_log(family, folder)
    for kind, cell in family.cells.items():
        found = re.search(rf"{cell.placed}:\s+(\d+)/", text)
        known = sum(block[kind] for block in blocks.values())
        if found and int(found[1]) > known:
            blocks["board"][kind] += int(found[1]) - known
    return blocks


def _placer_log(family: Family, folder: Path) -> str:
    """The log of nextpnr. Empty if it is not installed."""
    log = folder / f"{family.place}.log"
    return log.read_text(errors="replace", encoding="utf-8") if log.exists() else ""


@contextlib.contextmanager
def kept_logs(family: Family, folder: Path, failed: Path) -> Iterator[None]:
    """If the block is refused, keep the logs of ``folder`` in ``failed``; the message says so.

    ``failed`` is removed first, so it never has logs of an older failure.
    """
    for name in family.logs:
        (failed / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):      # it is missing, or has other files
        failed.rmdir()
    try:
        yield
    except InputError as error:
        logs = [folder / name for name in family.logs if (folder / name).exists()]
        if not any(log.suffix == ".log" for log in logs):
            raise
        failed.mkdir(parents=True, exist_ok=True)
        for log in logs:
            shutil.copy(log, failed)
        text = str(error).replace(str(folder), str(failed))
        raise InputError(text if str(failed) in text else f"{text} (logs: {failed})") from error
