# SPDX-License-Identifier: Apache-2.0
"""Pictures of the outputs and of time. Each has a drawing for wide screens, and one for phones."""

import numpy as np

from .colours import ALARM, COOL, INK, LILAC, PAPER, PEBBLE, RULE, SLATE, VIOLET, WARM
from .markdown import digits
from .report import Report
from .score import axes as each_axis
from .style import SHEETS, SIGN, Picture, above, bare, broken, listed

__all__ = ["cycles", "latency", "velocity"]

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
    alt = (f"Lines over {seconds[-1] - seconds[0]:.1f} seconds: {listed(lines)}, for each of "
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
    low = max(min(int(seen.min()), budget), 1) / 1.6
    high = max(int(seen.max()), worst, budget) * 1.25
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
            top = counts.max() * 1.9        # the two texts have room one below the other
            axes.axvspan(budget, high, color=PAPER, lw=0)
            for k, (value, colour, title) in enumerate(marks):
                axes.axvline(value, color=colour, lw=1.4)
                axes.annotate(f"{title}\n{value:,} cycles\n{value / per_us:,.0f} µs", (value, top),
                              xytext=(-5, -2 - 42 * k), textcoords="offset points", ha="right",
                              va="top", color=colour, fontsize=9, bbox=SIGN)
            axes.set(xscale="log", xlim=(low, high), ylim=(0, top), xlabel="clock cycles of a step")
            axes.set_ylabel("steps, %")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            bare(axes)
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
    bars = [(ours, WARM, f"this decoder, {ours:.2f} ms with the bits on the UART")]
    if lead:
        bars.insert(0, (lead, SLATE, f"published model, {lead:g} ms"))
    picture = Picture("latency", (
        f"Time from the end of the bin to its velocity: {listed([bar[2] for bar in bars])}. Below, "
        f"the time of this decoder enlarged: {'; '.join(titles)}."))
    for sheet in SHEETS:
        with picture.drawn(sheet, 1.9 + 0.5 * len(bars) + 0.3 * sheet.narrow, nrows=2,
                           height_ratios=[0.1 + len(bars), 1]) as (_, (beside, parted)):
            for y, (end, colour, title) in enumerate(bars):
                beside.barh(y, end, color=colour, height=0.5)
                above(beside, 0, y, title)
            beside.set(yticks=[], ylim=(len(bars) - 0.7, -0.75), xlim=(0, max(lead, ours) * 1.02),
                       xlabel="ms from the end of the bin")
            bare(beside)
            left = 0.0
            for (_, value, colour), title in zip(parts, titles, strict=True):
                parted.barh(0, value, left=left, color=colour, height=0.6, label=title)
                left += value
            parted.set(yticks=[], xlim=(0, whole * 1.02), xlabel="µs, this decoder enlarged")
            parted.legend(ncols=1 if sheet.narrow else 3, loc="lower left", bbox_to_anchor=(0, 1),
                          borderaxespad=0.2, handlelength=0.9)
            bare(parted)
    return picture
