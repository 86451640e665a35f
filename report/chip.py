# SPDX-License-Identifier: Apache-2.0
"""Pictures of the chip. Each has a drawing for wide screens, and one for phones."""

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from .colours import BLOCK_COLOURS, COOL, GROUND, INK, MUTED, NAVY, PAPER, RULE
from .names import BLOCKS
from .parts.model import TablePart
from .report import Report
from .style import SHEETS, Picture, Sheet, above, bare, listed

__all__ = ["KINDS", "area", "critical_path", "memory"]

# Titles of the kinds of cells, for every family.
KINDS = {"lc": "logic cells", "lut": "LUTs", "ff": "flip-flops", "ebr": "block RAMs",
         "spram": "large RAMs", "dsp": "multipliers"}


def area(report: Report) -> Picture:
    """Cells of each block, for each kind of cell of the device."""
    kinds = {kind: cells for kind, cells in report.resources.items() if cells.used}
    used = [f"{cells.used:,} of {cells.available:,} {KINDS[kind]}"
            for kind, cells in kinds.items()]
    picture = Picture("area", (
        "A bar for each kind of cell of the chip, with a part for each block of the circuit: "
        f"{listed(used)} are used."))
    for sheet in SHEETS:
        with picture.drawn(sheet, 0.8 + 0.55 * len(kinds)) as (figure, axes):
            for y, (kind, cells) in enumerate(kinds.items()):
                axes.barh(y, 100, color=PAPER, height=0.5)
                left = 0.0
                for _, block, _ in BLOCKS:
                    share = 100 * report.blocks[block][kind] / cells.available
                    axes.barh(y, share, left=left, color=BLOCK_COLOURS[block], height=0.5,
                              edgecolor=GROUND, lw=0.6)
                    left += share
                above(axes, 0, y, KINDS[kind])
                above(axes, 100, y, f"{cells.used:,} of {cells.available:,}", ha="right")
            axes.set(xlim=(0, 100), ylim=(len(kinds) - 0.65, -0.75), yticks=[],
                     xticks=range(0, 101, 25))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
            bare(axes, keep="")
            axes.tick_params(axis="x", length=0)
            _legend(figure, sheet, [block for _, block, _ in BLOCKS])
    return picture


def memory(report: Report) -> Picture:
    """Every block RAM of the device, and the contents of the weight memory."""
    blocks = [block for _, block, _ in BLOCKS for _ in range(report.blocks[block]["ebr"])]
    kinds = list(dict.fromkeys(blocks))
    total = report.resources["ebr"].available
    parts = [f"{_projection(part)}, {_size(part)}" for part in report.memory]
    counts = [f"{blocks.count(block)} for {block}" for block in kinds] or ["none"]
    picture = Picture("memory", (
        f"A square for each of {total} block RAMs: {listed(counts)}. Below them, a bar is the "
        f"weight memory: {'; '.join(parts)}."))
    words = sum(part.words for part in report.memory)
    for sheet in SHEETS:
        columns = min(total, 15 if sheet.narrow else 32)
        lines = -(-total // columns)
        # A part of the bar without room for its text has the text outside the bar.
        room = 0.37 if sheet.narrow else 0.15
        outside = [part for part in report.memory if part.words < room * words]
        heights = [0.92 * sheet.width * lines / columns, 0.62 + 0.2 * len(outside)]
        with picture.drawn(sheet, sum(heights) + 0.95, nrows=2,
                           height_ratios=heights) as (figure, (rams, bar)):
            for k in range(total):
                colour = BLOCK_COLOURS[blocks[k]] if k < len(blocks) else "none"
                rams.add_patch(Rectangle((k % columns, k // columns), 0.84, 0.84, fc=colour,
                                         ec=RULE if colour == "none" else colour, lw=0.8))
            rams.set(xlim=(-0.1, columns), ylim=(lines, -0.1), aspect="equal", xticks=[], yticks=[])
            bare(rams, keep="")
            for k, part in enumerate(report.memory):
                bar.barh(0, part.words, left=part.first_word, height=0.7, lw=1.2,
                         color=(NAVY, COOL)[k % 2], edgecolor=GROUND)
                middle = part.first_word + part.words / 2
                if part not in outside:
                    bar.annotate(f"{_projection(part)}\n{_size(part)}", (middle, 0), ha="center",
                                 va="center", fontsize=9, color=GROUND)
                    continue
                right = middle > words / 2
                bar.annotate(f"{_projection(part)}: {_size(part)}", (middle, 0.35),
                             xytext=(0, 3 + 13 * outside.index(part)), textcoords="offset points",
                             ha="right" if right else "left", va="bottom", fontsize=9, color=MUTED)
            bar.set(yticks=[], ylim=(-0.4, 0.4 + 0.55 * len(outside)), xlabel="weight memory, "
                    f"address in words of {report.lanes} weights")
            bar.margins(x=0)
            bare(bar)
            _legend(figure, sheet, kinds, free=total > len(blocks))
    return picture


def critical_path(report: Report) -> Picture:
    """The slowest path between two flip-flops, hop by hop, within a clock period."""
    period, path = 1e3 / report.clock_mhz, report.critical_path
    seen = [block for _, block, _ in BLOCKS if block in {hop.block for hop in path.hops}]
    wires = sum(hop.delay_ns for hop in path.hops if hop.kind == "routing")
    picture = Picture("path", (
        f"A bar of {path.delay_ns:.1f} ns in a clock period of {period:.1f} ns, with a part for "
        f"each hop of the slowest path, through {listed(seen)}. Wires take {wires:.1f} ns."))
    for sheet in SHEETS:
        with picture.drawn(sheet, 1.35) as (figure, axes):
            axes.barh(0, period, color=PAPER, height=0.6)
            left = 0.0
            for hop in path.hops:
                axes.barh(0, hop.delay_ns, left=left, height=0.6, edgecolor=GROUND, lw=0.5,
                          color=BLOCK_COLOURS[hop.block],
                          alpha=0.55 if hop.kind == "routing" else 1)
                left += hop.delay_ns
            axes.axvline(period, color=INK, lw=1.4)
            axes.set(yticks=[], xlim=(0, max(period, left) * 1.01), xlabel="ns")
            bare(axes)
            _legend(figure, sheet, seen)
    return picture


def _projection(part: TablePart) -> str:
    return " → ".join(part.projection.split("->"))


def _size(part: TablePart) -> str:
    return f"{part.rows} rows, {part.bits / 8192:.3g} KiB"


def _legend(figure: Figure, sheet: Sheet, blocks: list[str], free: bool = False) -> None:
    handles = [Patch(fc=BLOCK_COLOURS[block], label=block) for block in blocks]
    if free:
        handles.append(Patch(fc="none", ec=RULE, label="free"))
    figure.legend(handles=handles, loc="outside upper left", ncols=sheet.columns, handlelength=0.9,
                  handleheight=0.9, columnspacing=1.2)
