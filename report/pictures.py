# SPDX-License-Identifier: Apache-2.0
"""Pictures of a build. Each has a drawing for wide screens, and one for phones."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from .colours import (
    ALARM,
    BLOCK_COLOURS,
    COOL,
    GROUND,
    INK,
    LILAC,
    MUTED,
    NAVY,
    PAPER,
    PEBBLE,
    RULE,
    SLATE,
    VIOLET,
    WARM,
)
from .names import BLOCKS
from .report import Report, TablePart
from .score import axes as each_axis
from .score import digits
from .style import SHEETS, SIGN, Picture, Sheet, bare, broken

__all__ = ["KINDS", "area", "critical_path", "cycles", "latency", "memory", "velocity"]

# Titles of the kinds of cells, for every family.
KINDS = {"lc": "logic cells", "lut": "LUTs", "ff": "flip-flops", "ebr": "block RAMs",
         "spram": "large RAMs", "dsp": "multipliers"}

WINDOW = 1000           # steps of the velocity picture


def velocity(report: Report, curves: dict[str, np.ndarray], truth: np.ndarray | None,
             reset: np.ndarray) -> Picture:
    """Outputs over the few seconds with the most movement, beside the recorded velocity.

    Parameters
    ----------
    report : Report
    curves : dict of str to ndarray of float64, shape (steps, outputs)
        Outputs by arithmetic, in the units of ``truth``.
    truth : ndarray of float64, shape (steps, outputs), or None
    reset : ndarray of bool, shape (steps,)
        As in the recording.
    """
    reference = curves["fp32"]
    firsts = range(0, max(len(reference) - WINDOW, 0) + 1, WINDOW // 4)
    first = max(firsts, key=lambda start: float(reference[start:start + WINDOW].std()))
    part = slice(first, first + WINDOW)
    starts = reset[part]
    seconds = np.arange(len(reference))[part] * report.model.dt
    line = broken(seconds, starts)
    outputs = reference.shape[1]
    hand = "simulated hand" if report.recording.synthetic else "hand"
    lines = [hand, *curves] if truth is not None else list(curves)
    integers = report.accuracy.integers
    alt = (f"Lines over {seconds[-1] - seconds[0]:.1f} seconds: {_listed(lines)}, for each of "
           f"{outputs} outputs. R² of {integers.arithmetic} with fp32 is "
           f"{digits(integers.fidelity_r2)}.")
    if truth is not None:
        alt += (f" Correlation of {integers.arithmetic} with the hand is "
                f"{each_axis(integers.decoding_correlation)}.")
    picture = Picture("velocity", alt)
    for sheet in SHEETS:
        with picture.drawn(sheet, 0.5 + 1.75 * outputs, nrows=outputs, sharex=True,
                           squeeze=False) as (_, grid):
            for k, axes in enumerate(grid[:, 0]):
                if truth is not None:
                    axes.fill_between(seconds, truth[part, k], color=PAPER, lw=0)
                    axes.plot(line, broken(truth[part, k], starts), color=PEBBLE, lw=1.2,
                              label=hand)
                for (name, curve), colour in zip(curves.items(), (COOL, WARM), strict=True):
                    axes.plot(line, broken(curve[part, k], starts), color=colour, lw=1.3,
                              label=name)
                axes.axhline(0, color=RULE, lw=0.8, zorder=0)
                for step in np.flatnonzero(starts):
                    axes.axvline(seconds[step], color=RULE, lw=0.8, ls=(0, (3, 3)), zorder=0)
                axes.set_ylabel("xyz"[k] if outputs <= 3 else str(k), rotation=0, fontsize=12,
                                color=INK, labelpad=12, va="center")
                axes.margins(x=0)
                bare(axes, keep="left")
            axes.set_xlabel("seconds of the recording")
            grid[0, 0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0,
                              handlelength=1.4, columnspacing=1.2)
    return picture


def cycles(report: Report, seen: np.ndarray) -> Picture:
    """Histogram of the ``seen`` cycles of a step, with the worst case and the available time."""
    worst, budget = report.cycles.worst, report.cycles.budget
    low, high = max(int(seen.min()), 1) / 1.6, budget * 1.25
    bins = np.geomspace(low, high, 120)
    per_us = report.clock_mhz
    picture = Picture("cycles", (
        f"Histogram of the clock cycles of a step: from {seen.min():,} to {seen.max():,}, mean "
        f"{seen.mean():,.0f}. Lines mark the proven worst case of {worst:,} cycles and the next "
        f"step after {budget:,} cycles."))
    marks = ((worst, ALARM, "proven worst case"), (budget, INK, "next step begins"))
    for sheet in SHEETS:
        with picture.drawn(sheet, 2.7) as (_, axes):
            counts, _, _ = axes.hist(seen, bins=bins, weights=np.full(len(seen), 100 / len(seen)),
                                     color=COOL)
            # On a narrow sheet, the two texts are one below the other.
            top = counts.max() * (2 if sheet.narrow else 1.25)
            axes.axvspan(budget, high, color=PAPER, lw=0)
            for k, (value, colour, title) in enumerate(marks):
                axes.axvline(value, color=colour, lw=1.4)
                between = "\n" if sheet.narrow else ", "
                axes.annotate(f"{title}\n{value:,} cycles{between}{value / per_us:,.0f} µs",
                              (value, top), xytext=(-5, -2 - 42 * k * sheet.narrow),
                              textcoords="offset points", ha="right", va="top", color=colour,
                              fontsize=9, bbox=SIGN)
            axes.set(xscale="log", xlim=(low, high), ylim=(0, top), xlabel="clock cycles of a step")
            axes.set_ylabel("steps, %")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            bare(axes)
    return picture


def area(report: Report) -> Picture:
    """Cells of each block, for each kind of cell of the device."""
    kinds = {kind: cells for kind, cells in report.resources.items() if cells.used}
    used = [f"{cells.used:,} of {cells.available:,} {KINDS[kind]}"
            for kind, cells in kinds.items()]
    picture = Picture("area", (
        "A bar for each kind of cell of the chip, with a part for each block of the circuit: "
        f"{_listed(used)} are used."))
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
                _above(axes, 0, y, KINDS[kind])
                _above(axes, 100, y, f"{cells.used:,} of {cells.available:,}", ha="right")
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
        f"A square for each of {total} block RAMs: {_listed(counts)}. Below them, a bar is the "
        f"weight memory: {'; '.join(parts)}."))
    words = sum(part.words for part in report.memory)
    for sheet in SHEETS:
        columns = min(total, 15 if sheet.narrow else 32)
        lines = -(-total // columns)
        # A part of the bar without room for its text has the text above the bar.
        room = 0.37 if sheet.narrow else 0.15
        above = [part for part in report.memory if part.words < room * words]
        heights = [0.92 * sheet.width * lines / columns, 0.62 + 0.2 * len(above)]
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
                if part not in above:
                    bar.annotate(f"{_projection(part)}\n{_size(part)}", (middle, 0), ha="center",
                                 va="center", fontsize=9, color=GROUND)
                    continue
                right = middle > words / 2
                bar.annotate(f"{_projection(part)}: {_size(part)}", (middle, 0.35),
                             xytext=(0, 3 + 13 * above.index(part)), textcoords="offset points",
                             ha="right" if right else "left", va="bottom", fontsize=9, color=MUTED)
            bar.set(yticks=[], ylim=(-0.4, 0.4 + 0.55 * len(above)), xlabel="weight memory, "
                    f"address in words of {report.lanes} weights")
            bar.margins(x=0)
            bare(bar)
            _legend(figure, sheet, kinds, free=total > len(blocks))
    return picture


def latency(report: Report) -> Picture:
    """Time from the end of a step to its velocity: published code, and here with the UART's bits.

    The delay of a USB serial chip depends on the board and the system. It is not included.
    """
    line, decode = report.line, report.microseconds.cycles.mean
    parts = (("request on the line", line.request_us.mean, LILAC),
             ("decoding", decode, WARM), ("answer on the line", line.answer_us, VIOLET))
    titles = [f"{title}, {value:.0f} µs" for title, value, _ in parts]
    whole = sum(part[1] for part in parts)
    lead, ours = report.lead_ms, whole / 1e3
    picture = Picture("latency", (
        f"Two bars from the end of the bin to its velocity: {lead:g} ms for the published model, "
        f"{ours:.2f} ms for this decoder. Below, the second bar enlarged: {'; '.join(titles)}."))
    for sheet in SHEETS:
        with picture.drawn(sheet, 3.2 if sheet.narrow else 2.9, nrows=2,
                           height_ratios=[2.1, 1]) as (_, (above, below)):
            for y, end, colour, title in (
                    (0, lead, SLATE, f"published model, {lead:g} ms"),
                    (1, ours, WARM, f"this decoder, {ours:.2f} ms with the bits on the UART")):
                above.barh(y, end, color=colour, height=0.5)
                _above(above, 0, y, title)
            above.set(yticks=[], ylim=(1.3, -0.75), xlim=(0, max(lead, ours) * 1.02),
                      xlabel="ms from the end of the bin")
            bare(above)
            left = 0.0
            for (_, value, colour), title in zip(parts, titles, strict=True):
                below.barh(0, value, left=left, color=colour, height=0.6, label=title)
                left += value
            below.set(yticks=[], xlim=(0, whole * 1.02), xlabel="µs, this decoder enlarged")
            below.legend(ncols=1 if sheet.narrow else 3, loc="lower left", bbox_to_anchor=(0, 1),
                         borderaxespad=0.2, handlelength=0.9)
            bare(below)
    return picture


def critical_path(report: Report) -> Picture:
    """The slowest path between two flip-flops, hop by hop, within a clock period."""
    period, path = 1e3 / report.clock_mhz, report.critical_path
    seen = [block for _, block, _ in BLOCKS if block in {hop.block for hop in path.hops}]
    wires = sum(hop.delay_ns for hop in path.hops if hop.kind == "routing")
    picture = Picture("path", (
        f"A bar of {path.delay_ns:.1f} ns in a clock period of {period:.1f} ns, with a part for "
        f"each hop of the slowest path, through {_listed(seen)}. Wires take {wires:.1f} ns."))
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


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _above(axes: Axes, x: float, y: float, text: str, ha: str = "left") -> None:
    """Write above the bar ``y``, whose height is 0.5."""
    axes.annotate(text, (x, y - 0.25), xytext=(0, 2), textcoords="offset points", ha=ha,
                  va="bottom")


def _legend(figure: Figure, sheet: Sheet, blocks: list[str], free: bool = False) -> None:
    handles = [Patch(fc=BLOCK_COLOURS[block], label=block) for block in blocks]
    if free:
        handles.append(Patch(fc="none", ec=RULE, label="free"))
    figure.legend(handles=handles, loc="outside upper left", ncols=sheet.columns, handlelength=0.9,
                  handleheight=0.9, columnspacing=1.2)
