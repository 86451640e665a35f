# SPDX-License-Identifier: Apache-2.0
"""Builds with weights of several widths.

``python -m docs.make.measure.widths`` prints the table of docs/tables.md. It takes a few minutes.
"""

import tempfile
from pathlib import Path

from docs.make.kept import add_published
from spikewright.api import build, quantize, read
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.room import block_rams
from spikewright.command.parser import CommandParser, run_command
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.report.markdown import markdown

__all__ = ["widths_table"]

BOARD = BOARDS["icebreaker"]

# Network, bits of a weight, and bits of the weights of some projections.
NETWORKS: tuple[tuple[str, int, dict[str, int]], ...] = (
    ("indy01/tinyRSNN-1", 8, {}),
    ("indy01/tinyRSNN-1", 8, {"recurrent": 4}),
    ("indy01/tinyRSNN-1", 8, {"input": 4}),
    ("indy01/tinyRSNN-1", 6, {"input": 4}),
    ("loco01/tinyRSNN-1", 8, {}),
    ("loco01/tinyRSNN-1", 8, {"input": 4}),
)


def widths_table(published: Path) -> str:
    """Area and clock of each of ``NETWORKS``, one row each, as Markdown.

    ``published`` is the folder of the published networks.
    """
    rows: list[tuple[str, ...]] = [
        ("network", "bits of a weight", "table bits", "EBR", "LC", "Fmax")]
    for name, bits, projections in NETWORKS:
        model = quantize(read(published / "checkpoints" / f"{name}.pth"), weight_bits=bits,
                         projection_bits=projections or None)
        chosen = [f"{bits}", *(f"`{role}={own}`" for role, own in projections.items())]
        rows.append((name, ", ".join(chosen), *_figures(model)))
    return markdown(rows)


def _figures(model: Model) -> tuple[str, ...]:
    """Table bits, block RAMs, logic cells and clock of a build with dense tables and 4 lanes."""
    config = CoreConfig(tables="dense", lanes=4)
    plan = Plan(model=model.integers, config=config)
    bits, most = f"{plan.layout.table_bits:,}", BOARD.resources["ebr"]
    needed = sum(block_rams(plan, BOARD).values())
    if needed > most:
        return bits, f"{needed} of {most}: refused", "", ""
    with tempfile.TemporaryDirectory() as folder:
        report = build(model, board=BOARD.name, out=Path(folder) / "board",
                       tables=config.tables, lanes=config.lanes)
    used = report.resources
    return (bits, f"{used['ebr'].used}", f"{used[report.logic].used:,}",
            f"{report.fmax_mhz:.1f} MHz")


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.measure.widths",
                           description="Print area and clock "
                           "of builds with weights of several widths.")
    add_published(parser)
    print(widths_table(parser.parse_args().published), end="")


if __name__ == "__main__":
    run_command(_main)
