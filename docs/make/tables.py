# SPDX-License-Identifier: Apache-2.0
"""The tables of README and docs, made from kept reports and ladders.

``python -m docs.make.tables PAGE..`` brings pages up to date.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.make.ladders import ladder_tables
from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.boards.board.platforms import BOARDS
from spikewright.command.parser import CommandParser, run_command
from spikewright.plan.config import CoreConfig, unusual
from spikewright.report.markdown import digits, markdown
from spikewright.report.parts.accuracy import Score
from spikewright.report.parts.board import Cells
from spikewright.report.report import Report

__all__ = ["TABLES", "Tables", "read_reports", "render", "update"]

KEPT = Path(__file__).parents[2] / "docs" / "reports"

# The figures of the builds of version 0.1, whose sequencer had states of its own for each phase.
BEFORE = Path(__file__).parents[2] / "docs" / "before.json"

# Builds of the short table: the default, one of each kind of board, the fastest, the largest.
SHORT = ("default", "indy03-1", "indy01-fast", "indy01-4bit-icestick", "indy01-ulx3s",
         "loco01-bitmap")


def read_reports(folder: Path = KEPT) -> dict[str, Report]:
    """Reports of ``folder``, by the name of the file, in order."""
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        raise InputError(f"Reports must be .json files in {folder}, not missing")
    return {path.stem: Report.load(path) for path in paths}


def area(reports: dict[str, Report]) -> str:
    """Area, clock and time of every build: one row each, as Markdown."""
    rows: list[tuple[str, ...]] = [
        ("build", "board", "core", "LC (core alone)", "EBR", "SPRAM", "DSP",
         "clock: used / possible", "cycles a step: mean / worst", "latency: mean / worst",
         "tables")]
    for name, report in reports.items():
        used = {kind: cells.used for kind, cells in report.resources.items()}
        logic, cycles, latency = report.logic, report.cycles, report.latency
        rows.append((
            name, report.board.title, _core(report.config),
            f"{used[logic]:,} ({_core_cells(report.blocks, logic):,})",
            f"{used['ebr']}", f"{used.get('spram', 0)}", f"{used['dsp']}",
            f"{report.clock_mhz:g} / {report.fmax_mhz:.1f} MHz",
            f"{cycles.mean:,.0f} / {cycles.worst:,} of {cycles.budget:,}",
            f"{latency.mean:,.0f} / {latency.worst:,}", f"{report.table_bits:,} bits"))
    return markdown(rows)


def change(reports: dict[str, Report]) -> str:
    """Every build that version 0.1 had, too, beside it: a row each."""
    before = json.loads(BEFORE.read_text(encoding="utf-8"))
    rows: list[tuple[str, ...]] = [
        ("build", "LC: 0.1", "now", "change", "cycles a step: 0.1", "now", "latency: 0.1", "now",
         "possible clock: 0.1", "now")]
    for name, old in before.items():
        report = reports[name]
        logic = report.resources[report.logic].used
        pairs = [(old["cycles"], old["worst"], report.cycles),
                 (old["latency"], old["latency_worst"], report.latency)]
        rows.append((
            name, f"{old['logic']:,}", f"{logic:,}", f"{100 * (logic / old['logic'] - 1):+.1f} %",
            *(text for mean, worst, now in pairs
              for text in (f"{mean:,.2f} / {worst:,}", f"{now.mean:,.2f} / {now.worst:,}")),
            f"{old['fmax_mhz']:.1f} MHz", f"{report.fmax_mhz:.1f} MHz"))
    return markdown(rows)


def short(reports: dict[str, Report]) -> str:
    """What a network takes on some boards, and what the integers cost: for the README."""
    rows: list[tuple[str, ...]] = [
        ("build", "board and core", "logic", "block RAM", "clock", "a step: mean / worst",
         "correlation x, y: fp32", "integers")]
    for name in SHORT:
        report = reports[name]
        used, micro = report.resources, report.microseconds.cycles
        rows.append((
            name, f"{report.board.title}, {_core(report.config)}",
            _of(used[report.logic]), _of(used["ebr"]), f"{report.clock_mhz:g} MHz",
            f"{micro.mean:,.1f} / {micro.worst:,.1f} us",
            _correlation(report.accuracy.single), _correlation(report.accuracy.integers)))
    return markdown(rows)


def _of(cells: Cells) -> str:
    return f"{cells.used:,} of {cells.available:,}"


def _core_cells(blocks: dict[str, dict[str, int]], kind: str) -> int:
    """Cells of what is not the link nor the board's own."""
    return sum(cells[kind] for name, cells in blocks.items() if name not in ("link", "board"))


def _core(config: CoreConfig) -> str:
    """What was chosen of a core, beyond what every core is."""
    parts = [f"{config.lanes} lane{'s' * (config.lanes > 1)}"]
    parts += [f"{name.replace('_', ' ')}: {value}" for name, value in unusual(config).items()]
    return ", ".join(parts)


def accuracy(reports: dict[str, Report]) -> str:
    """Fidelity and decoding of every build beside half precision: one row each, as Markdown."""
    rows: list[tuple[str, ...]] = [
        ("network", "measured on", "fidelity R2: fp16", "integers", "spikes that agree: fp16",
         "integers", "correlation x, y: fp32", "fp16", "integers")]
    for name, report in reports.items():
        single, integers = report.accuracy.single, report.accuracy.integers
        half = next(row for row in report.accuracy.rows if row.arithmetic == "fp16")
        rows.append((
            name, f"{report.recording.name}, {report.accuracy.steps:,} steps",
            digits(half.fidelity_r2), digits(integers.fidelity_r2),
            *(digits(row.spike_agreement if report.accuracy.spikes else None)
              for row in (half, integers)),
            *(_correlation(row) for row in (single, half, integers))))
    return markdown(rows)


def boards(_: dict[str, Report]) -> str:
    """What a user needs to know of every board: one row each, as Markdown."""
    rows: list[tuple[str, ...]] = [
        ("board", "what it is", "chip", "clock", "serial line", "load with", "lacks")]
    for board in BOARDS.values():
        rows.append((
            f"`{board.name}`", board.title,
            f"{board.device.removeprefix('Lattice ')}: {board.sizes}",
            f"{board.clock_hz / 1e6:g} MHz {board.clock_made}", board.link,
            f"`{board.program}`", "; ".join(board.lacks) or "-"))
    return markdown(rows)


def power(reports: dict[str, Report]) -> str:
    """The estimated power of the clocks of every build that has one: a row for each clock."""
    rows: list[tuple[str, ...]] = [
        ("build", "clock", "baud", "longest step: recording", "one frame, worst", "still",
         "clock network", "work", "in all, estimated", "a step")]
    for name, report in reports.items():
        rows += [(
            name, f"{choice.mhz:g} MHz {choice.made}, {choice.purpose}", f"{choice.baud:,}",
            f"{choice.recording_ms:.2f} ms", f"{choice.frame_ms:.2f} ms",
            *(f"{value:.2f} mW" for value in (choice.power.still, choice.power.clock,
                                              choice.power.work, choice.power.total)),
            f"{1e3 * choice.power.total * report.model.dt:.2f} uJ")
            for choice in report.clocks if choice.power]
    return markdown(rows)


# A table by name: makes Markdown of all that is kept.
Tables = Mapping[str, Callable[[dict[str, Report]], str]]

TABLES: Tables = {"area": area, "change": change, "short": short, "accuracy": accuracy,
                  "boards": boards, "power": power}


def render(text: str, reports: dict[str, Report], tables: Tables = TABLES) -> str:
    """``text`` with every block between ``<!-- table: NAME -->`` and ``<!-- end -->`` made anew."""
    def fresh(match: re.Match) -> str:
        if match[1] not in tables:
            raise InputError(f"Table must be one of {', '.join(tables)}, not {match[1]!r}")
        return f"<!-- table: {match[1]} -->\n{tables[match[1]](reports)}<!-- end -->"
    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", fresh, text, flags=re.DOTALL)


def update(path: Path, reports: dict[str, Report], tables: Tables = TABLES) -> bool:
    """Make the tables of ``path`` anew; whether any was stale."""
    path = Path(path)
    old = path.read_text(encoding="utf-8")
    new = render(old, reports, tables)
    if new != old:
        with written_file(path) as temporary:
            temporary.write_text(new, encoding="utf-8")
    return new != old


def _correlation(row: Score) -> str:
    return ", ".join(digits(r) for r in row.decoding_correlation) or "-"


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.tables", description="Bring the tables of "
                           "pages up to date.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE",
                        help="Markdown file with tables")
    pages = parser.parse_args().pages
    reports, tables = read_reports(), {**TABLES, **ladder_tables()}
    for page in pages:
        print(f"{page}: {'made anew' if update(page, reports, tables) else 'up to date'}")


if __name__ == "__main__":
    run_command(_main)
