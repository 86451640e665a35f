# SPDX-License-Identifier: Apache-2.0
"""The ladder as a picture: the cost of fewer bits."""

from matplotlib.axes import Axes

from spikewright.report.colours import COOL, INK, MUTED, RULE, WARM
from spikewright.report.markdown import digits
from spikewright.report.score import axes as each_axis
from spikewright.report.style import SHEETS, Picture, bare

from .rungs import mixed, tuned

__all__ = ["picture"]

DOTS = 150              # per inch of the .png
# With a lower limit, the picture would show little but its worst point.
LOWEST = -0.25
DASHED = (0, (5, 3))
DOTTED = (0, (1, 2))


def picture(ladder: dict) -> Picture:
    """Fidelity over weight bits; beside it decoding, or spikes if there is no velocity."""
    drawing = Picture("ladder", _told(ladder), dots=DOTS)
    for sheet in SHEETS:
        panels = {"nrows": 2} if sheet.narrow else {"ncols": 2}
        with drawing.drawn(sheet, 6.6 if sheet.narrow else 3.7, **panels) as (_, (first, second)):
            _fidelity(first, ladder)
            if _decodes(ladder):
                _decoding(second, ladder)
            else:
                _figure(second, ladder, "spike_agreement", "spikes that agree with fp32")
            for axes in (first, second):
                _bits(axes, ladder)
    return drawing


def _decodes(ladder: dict) -> bool:
    return any(row.get("decoding_correlation") for row in ladder["mean"])


def _told(ladder: dict) -> str:
    """The picture in words."""
    second = ("correlation with the true velocity" if _decodes(ladder)
              else "spikes that agree with fp32")
    figures = []
    for row in ladder["mean"]:
        if row["rung"] == "fp16" or _alike(row):
            other = (each_axis(row["decoding_correlation"]) if row.get("decoding_correlation")
                     else digits(row["spike_agreement"]))
            figures.append(f"{row['rung']}: {digits(row['fidelity_r2'])}; {other}")
    return ("Two charts over the bits of a weight: fidelity, which is R² of the outputs with fp32, "
            f"and {second}. {'. '.join(figures)}.")


def _fidelity(axes: Axes, ladder: dict) -> None:
    _figure(axes, ladder, "fidelity_r2", "fidelity: R² of the outputs with fp32")


def _figure(axes: Axes, ladder: dict, key: str, title: str) -> None:
    """A line of integer rungs for each network and for the mean, and fp16 across."""
    networks, lowest = ladder["networks"], 1.0
    if len(networks) > 1:
        for k, network in enumerate(networks):
            bits, values = _line(network["rungs"], key)
            axes.plot(bits, values, color=COOL, alpha=0.45, lw=1, marker="o", ms=2.5,
                      label=None if k else "each network")
            lowest = min([lowest, *values])
    bits, values = _line(ladder["mean"], key)
    axes.plot(bits, values, color=COOL, lw=2, marker="o", ms=6,
              label=f"mean of {len(networks)}" if len(networks) > 1 else "integers")
    half = next((row[key] for row in ladder["mean"] if row["rung"] == "fp16"), None)
    if half is not None:
        axes.axhline(half, color=INK, lw=1.3, ls=DASHED, label=f"fp16: {half:.3f}")
        lowest = min(lowest, half)
    lowest = max(min([lowest, *values]), LOWEST)
    span = max(1 - lowest, 0.01)
    axes.set_ylim(lowest - 0.12 * span, 1 + 0.03 * span)
    axes.set_title(title, fontsize=10.5, color=INK, loc="left")
    axes.legend(loc="best", fontsize=9)


def _decoding(axes: Axes, ladder: dict) -> None:
    """Correlation with the recorded velocity, one line per axis of movement; fp16 across."""
    mean = ladder["mean"]
    count = len(next(row["decoding_correlation"] for row in mean
                     if row.get("decoding_correlation")))
    for k, colour in zip(range(count), (COOL, WARM, MUTED, INK), strict=False):
        name = "xyz"[k] if count <= 3 else str(k)
        rows = [row for row in mean if _alike(row)]
        points = [(row["bits"], row["decoding_correlation"][k]) for row in rows
                  if row.get("decoding_correlation")]
        axes.plot(*zip(*sorted(points), strict=True), color=colour, lw=2, marker="o", ms=6,
                  label=f"{name}, integers")
        points = [(row["bits"], row["decoding_correlation"][k]) for row in mean
                  if tuned(row["rung"]) and not mixed(row["rung"])
                  and row.get("decoding_correlation")]
        if points:
            axes.plot(*zip(*sorted(points), strict=True), color=colour, lw=1.3, marker="o", ms=6,
                      mfc="none", ls=DOTTED, label=f"{name}, tuned")
        half = next((row for row in mean if row["rung"] == "fp16"), None)
        if half and half.get("decoding_correlation"):
            axes.axhline(half["decoding_correlation"][k], color=colour, lw=1.3, ls=DASHED,
                         label=f"{name}, fp16")
    axes.set_ylim(min(0, axes.get_ylim()[0]), 1)
    axes.set_title("decoding: correlation with the true velocity", fontsize=10.5, color=INK,
                   loc="left")
    axes.legend(loc="lower right", fontsize=9, ncols=count)


def _line(rows: list[dict], key: str) -> tuple[list[int], list[float]]:
    points = sorted((row["bits"], row[key]) for row in rows
                    if _alike(row) and row[key] is not None)
    return [bits for bits, _ in points], [value for _, value in points]


def _alike(row: dict) -> bool:
    """Whether a row is a point of the curve: all weights are rounded to the same bits."""
    return row["rung"].startswith("int") and not mixed(row["rung"]) and not tuned(row["rung"])


def _bits(axes: Axes, ladder: dict) -> None:
    bits = sorted(row["bits"] for row in ladder["mean"] if _alike(row))
    axes.set_xticks(bits, [str(count) for count in bits])
    if bits:
        axes.set_xlim(bits[0] - 0.5, bits[-1] + 0.5)
    axes.set_xlabel("bits of a weight")
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    bare(axes)
