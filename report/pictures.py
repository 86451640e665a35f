# SPDX-License-Identifier: Apache-2.0
"""Pictures of a build, as SVG text."""

import numpy as np
from matplotlib.patches import Patch, Rectangle

from .names import BLOCKS
from .report import Report
from .style import (
    ALARM,
    BLOCK_COLOURS,
    COOL,
    INK,
    MUTED,
    PAPER,
    RULE,
    WARM,
    bare,
    broken,
    drawn,
)

__all__ = ["KINDS", "area", "critical_path", "cycles", "latency", "memory", "velocity"]

# Titles of the kinds of cells, for every family.
KINDS = {"lc": "logic cells", "lut": "LUTs", "ff": "flip-flops", "ebr": "block RAMs",
         "spram": "large RAMs", "dsp": "multipliers"}

WIDTH = 8.6             # inches
WINDOW = 1000           # steps of the velocity picture


def velocity(report: Report, curves: dict[str, np.ndarray], truth: np.ndarray | None,
             reset: np.ndarray) -> str:
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
    with drawn("velocity", nrows=outputs, sharex=True, squeeze=False,
               figsize=(WIDTH, 0.5 + 1.75 * outputs)) as (picture, grid):
        for k, axes in enumerate(grid[:, 0]):
            if truth is not None:
                axes.fill_between(seconds, truth[part, k], color=PAPER, lw=0)
                axes.plot(line, broken(truth[part, k], starts), color="#aab4bf", lw=1.2, label=hand)
            for (name, curve), colour in zip(curves.items(), (COOL, WARM), strict=True):
                axes.plot(line, broken(curve[part, k], starts), color=colour, lw=1.3, label=name)
            axes.axhline(0, color=RULE, lw=0.8, zorder=0)
            for step in np.flatnonzero(starts):
                axes.axvline(seconds[step], color=RULE, lw=0.8, ls=(0, (3, 3)), zorder=0)
            axes.set_ylabel("xyz"[k] if outputs <= 3 else str(k), rotation=0, fontsize=12,
                            color=INK, labelpad=12, va="center")
            axes.margins(x=0)
            bare(axes, keep="left")
        axes.set_xlabel("seconds of the recording")
        grid[0, 0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0,
                          handlelength=1.4)
    return picture.svg


def cycles(report: Report, seen: np.ndarray) -> str:
    """Histogram of the ``seen`` cycles of a step, with the worst case and the available time."""
    worst, budget = report.cycles.worst, report.cycles.budget
    low, high = max(int(seen.min()), 1) / 1.6, budget * 1.25
    bins = np.geomspace(low, high, 120)
    per_us = report.clock_mhz
    with drawn("cycles", figsize=(WIDTH, 2.7)) as (picture, axes):
        counts, _, _ = axes.hist(seen, bins=bins, weights=np.full(len(seen), 100 / len(seen)),
                                 color=COOL)
        top = counts.max() * 1.25
        axes.axvspan(budget, high, color=PAPER, lw=0)
        for value, colour, title in (
                (worst, ALARM, f"proven worst case\n{worst:,} cycles, {worst / per_us:,.0f} µs"),
                (budget, INK, f"next step begins\n{budget:,} cycles, {budget / per_us:,.0f} µs")):
            axes.axvline(value, color=colour, lw=1.4)
            axes.annotate(title, (value, top), xytext=(-5, -2), textcoords="offset points",
                          ha="right", va="top", color=colour, fontsize=9)
        axes.set(xscale="log", xlim=(low, high), ylim=(0, top), xlabel="clock cycles of a step")
        axes.set_ylabel("steps, %")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        bare(axes)
    return picture.svg


def area(report: Report) -> str:
    """Cells of each block, for each kind of cell of the device."""
    kinds = {kind: KINDS[kind] for kind, cells in report.resources.items() if cells.used}
    with drawn("area", figsize=(WIDTH, 0.75 + 0.52 * len(kinds))) as (picture, axes):
        for y, (kind, title) in enumerate(kinds.items()):
            cells = report.resources[kind]
            axes.barh(y, 100, color=PAPER, height=0.62)
            left = 0.0
            for _, block, _ in BLOCKS:
                share = 100 * report.blocks[block][kind] / cells.available
                axes.barh(y, share, left=left, color=BLOCK_COLOURS[block], height=0.62,
                          edgecolor="white", lw=0.6)
                left += share
            axes.text(101, y, f"{cells.used:,} of {cells.available:,}", va="center", fontsize=9)
            axes.text(-1, y, title, va="center", ha="right")
        axes.set(xlim=(0, 114), ylim=(len(kinds) - 0.5, -0.5), yticks=[],
                 xticks=range(0, 101, 25))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
        bare(axes, keep="")
        axes.tick_params(axis="x", length=0)
        _legend(picture.figure, [block for _, block, _ in BLOCKS])
    return picture.svg


def memory(report: Report) -> str:
    """Every block RAM of the device, and the contents of the weight memory."""
    with drawn("memory", nrows=2, figsize=(WIDTH, 2.2),
               height_ratios=[1, 1.35]) as (picture, (rams, words)):
        blocks = [block for _, block, _ in BLOCKS for _ in range(report.blocks[block]["ebr"])]
        total = report.resources["ebr"].available
        columns = min(total, 32)
        for k in range(total):
            colour = BLOCK_COLOURS[blocks[k]] if k < len(blocks) else "none"
            rams.add_patch(Rectangle((k % columns, k // columns), 0.84, 0.84, fc=colour,
                                     ec=RULE if colour == "none" else colour, lw=0.8))
        rams.set(xlim=(-0.1, columns), ylim=(-(-total // columns), -0.1), aspect="equal",
                 xticks=[], yticks=[])
        bare(rams, keep="")
        for k, part in enumerate(report.memory):
            words.barh(0, part.words, left=part.first_word, height=0.7, lw=1.2,
                       color=(COOL, "#4a86b8", "#9cc3e0")[k % 3], edgecolor="white")
            middle = part.first_word + part.words / 2
            source, target = part.projection.split("->")
            text = f"{source} → {target}\n{part.rows} rows, {part.bits / 8192:.3g} KiB"
            narrow = part.words < report.memory[-1].first_word / 8
            words.annotate(text, (middle, 0.35 if narrow else 0), xytext=(0, 5 if narrow else 0),
                           textcoords="offset points", ha="right" if narrow else "center",
                           va="bottom" if narrow else "center", fontsize=8.5,
                           color=MUTED if narrow else "white")
        words.set(yticks=[], ylim=(-0.4, 1.05), xlabel="weight memory, address in words of "
                  f"{report.lanes} weights")
        words.margins(x=0)
        bare(words)
        used = [block for _, block, _ in BLOCKS if report.blocks[block]["ebr"]]
        _legend(picture.figure, used, free=total > len(blocks))
    return picture.svg


def latency(report: Report) -> str:
    """Time from the end of a step to its velocity: published code, and here with the UART's bits.

    The delay of a USB serial chip depends on the board and the system. It is not included.
    """
    line, decode = report.line, report.microseconds.cycles.mean
    parts = (("request on the line", line.request_us.mean, "#b8aed0"),
             ("decoding", decode, WARM), ("answer on the line", line.answer_us, "#7b6d9c"))
    whole = sum(part[1] for part in parts)
    lead = report.lead_ms
    with drawn("latency", nrows=2, figsize=(WIDTH, 2.7),
               height_ratios=[1.5, 1]) as (picture, (above, below)):
        above.barh(0, lead, color="#c3cad2", height=0.6)
        above.barh(1, whole / 1e3, color=WARM, height=0.6)
        bits = f"{whole / 1e3:.2f} ms, UART bits included, USB chip not"
        for y, end, title in ((0, lead, f"{lead:g} ms"), (1, whole / 1e3, bits)):
            above.annotate(title, (end, y), xytext=(6, 0), textcoords="offset points", va="center")
        above.set(yticks=[0, 1], yticklabels=["published model", "this decoder"],
                  ylim=(1.55, -0.55), xlim=(0, max(lead, whole / 1e3) * 1.15),
                  xlabel="ms from the end of the bin")
        bare(above)
        left = 0.0
        for title, value, colour in parts:
            below.barh(0, value, left=left, color=colour, height=0.6,
                       label=f"{title}, {value:.0f} µs")
            left += value
        below.set(yticks=[0], yticklabels=["enlarged"], xlim=(0, whole * 1.02), xlabel="µs")
        below.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2,
                     handlelength=0.9, fontsize=9)
        bare(below)
        for axes in (above, below):
            axes.tick_params(axis="y", labelsize=9.5, labelcolor=INK)
    return picture.svg


def critical_path(report: Report) -> str:
    """The slowest path between two flip-flops, hop by hop, within a clock period."""
    period = 1e3 / report.clock_mhz
    with drawn("path", figsize=(WIDTH, 1.35)) as (picture, axes):
        axes.barh(0, period, color=PAPER, height=0.6)
        left, seen = 0.0, []
        for hop in report.critical_path.hops:
            axes.barh(0, hop.delay_ns, left=left, height=0.6, edgecolor="white", lw=0.5,
                      color=BLOCK_COLOURS[hop.block],
                      alpha=0.55 if hop.kind == "routing" else 1)
            left += hop.delay_ns
            seen.append(hop.block)
        axes.axvline(period, color=INK, lw=1.4)
        axes.set(yticks=[], xlim=(0, max(period, left) * 1.01), xlabel="ns; the line is the clock "
                 "period, pale parts are wires")
        bare(axes)
        _legend(picture.figure, [block for _, block, _ in BLOCKS if block in seen])
    return picture.svg


def _legend(figure, blocks, free=False):
    handles = [Patch(fc=BLOCK_COLOURS[block], label=block) for block in blocks]
    if free:
        handles.append(Patch(fc="none", ec=RULE, label="free"))
    figure.legend(handles=handles, loc="outside upper left", ncols=10, handlelength=0.9,
                  handleheight=0.9, columnspacing=1.2, fontsize=9)
