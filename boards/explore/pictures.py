# SPDX-License-Identifier: Apache-2.0
"""Pictures of an exploration. Each has a drawing for wide screens, and one for phones."""

from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from spikewright.plan.config import CoreConfig
from spikewright.report.colours import GROUND, INK, MUTED, PAPER, RULE, WARM
from spikewright.report.names import title
from spikewright.report.style import SHEETS, SIGN, Picture, bare, plt

__all__ = ["pareto", "seeds"]

DOTS = 160              # per inch of a .png

# Positions of a label beside its mark, in points, the best first.
BESIDE = ((9, 4, "left", "bottom"), (9, -4, "left", "top"), (-9, -4, "right", "top"),
          (-9, 4, "right", "bottom"), (0, 10, "center", "bottom"), (0, -10, "center", "top"))


def pareto(facts: dict, best: list[int]) -> Picture:
    """Mean cycles per step over logic and over block RAM; the colour is the best clock.

    Points whose index is not in ``best`` are faint.
    """
    points = facts["points"]
    built = [k for k, point in enumerate(points) if "best" in point]
    kinds = [next(iter(facts["board"]["resources"])), "ebr"]
    clocks = [points[k]["best"]["fmax_mhz"] for k in built]
    norm = Normalize(min(clocks) - 0.5, max(clocks) + 0.5)
    picture = Picture("pareto", _compared(facts, best), dots=DOTS)
    for sheet in SHEETS:
        grid = {"nrows": 2} if sheet.narrow else {"ncols": 2, "sharey": True}
        with picture.drawn(sheet, 7.4 if sheet.narrow else 4.3, **grid) as (figure, panels):
            for kind, axes in zip(kinds, panels, strict=True):
                place = {k: (points[k]["best"]["used"][kind], points[k]["cycles"]["mean"])
                         for k in built}
                _stairs(axes, list(place.values()))
                for k, (x, y) in place.items():
                    preset = bool(points[k]["presets"])
                    axes.scatter(x, y, s=130 if preset else 70, c=[clocks[built.index(k)]],
                                 norm=norm, cmap="viridis", marker="D" if preset else "o", zorder=3,
                                 alpha=1 if k in best else 0.45, lw=1, edgecolor=MUTED)
                _axes(axes, kind, facts["board"]["resources"][kind])
                if sheet.narrow or axes is panels[0]:
                    axes.set_ylabel("cycles a step, mean")
            bar = figure.colorbar(plt.cm.ScalarMappable(norm, "viridis"), ax=panels, pad=0.02,
                                  aspect=30, location="bottom" if sheet.narrow else "right")
            bar.set_label(f"Fmax, MHz (best of {facts['seeds']})")
            bar.outline.set_visible(False)
            figure.draw_without_rendering()
            for kind, axes in zip(kinds, panels, strict=True):
                _labels(axes, [points[k] for k in built], kind)
    return picture


def _compared(facts: dict, best: list[int]) -> str:
    """The picture of `pareto` in words."""
    logic = next(iter(facts["board"]["resources"]))
    built = [point for point in facts["points"] if "best" in point]
    taken = [_range([point["best"]["used"][kind] for point in built], ",") + f" {kind.upper()}"
             for kind in (logic, "ebr")]
    return (f"Cycles a step over {logic.upper()} and over EBR. {len(built)} configurations take "
            f"{' and '.join(taken)}, and {_range([p['cycles']['mean'] for p in built], ',.0f')} "
            f"cycles, at {_range([p['best']['fmax_mhz'] for p in built], '.1f')} MHz. No other one "
            f"beats {'; '.join(_name(facts['points'][k]) for k in best)}.")


def _range(values: list, form: str) -> str:
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def _name(point: dict) -> str:
    return ", ".join(point["presets"] or [title(CoreConfig(**point["config"]))])


def _axes(axes, kind, available):
    axes.set(xlabel=f"{kind.upper()} of {available:,}", yscale="log")
    axes.margins(x=0.25, y=0.16)
    left, right = axes.get_xlim()
    # Wide enough for three whole numbers.
    axes.set_xlim(max(min(left, (left + right) / 2 - 1.5), 0),
                  max(right, (left + right) / 2 + 1.5))
    if right > available:
        axes.axvspan(available, right, color=PAPER, lw=0, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(which="both", color=RULE, lw=0.6, zorder=0)
    numbers = FuncFormatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_major_formatter(numbers)
    axes.yaxis.set_major_formatter(numbers)
    axes.yaxis.set_minor_formatter(numbers)
    bare(axes)
    axes.tick_params(axis="y", which="minor", length=0)


def _labels(axes, points, kind):
    """Label each mark with its presets, or with its title if that covers no label or mark."""
    points = sorted(points, key=lambda point: not point["presets"])
    marks = axes.transData.transform([(point["best"]["used"][kind], point["cycles"]["mean"])
                                      for point in points])
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in marks]
    for point, mark in zip(points, taken[:], strict=True):
        text = "\n".join(point["presets"] or title(CoreConfig(**point["config"])).split(", "))
        note = axes.annotate(text, (point["best"]["used"][kind], point["cycles"]["mean"]),
                             textcoords="offset points", xytext=(0, 0), fontsize=9,
                             color=INK if point["presets"] else MUTED,
                             fontweight="bold" if point["presets"] else "normal")
        note.set_in_layout(False)
        boxes = []
        for x, y, *alignment in BESIDE:
            note.xyann = x, y
            note.set(ha=alignment[0], va=alignment[1])
            box = note.get_window_extent().padded(4)
            inside = (axes.bbox.x0 < box.x0 and box.x1 < axes.bbox.x1
                      and axes.bbox.y0 < box.y0 and box.y1 < axes.bbox.y1)
            boxes.append((box.count_overlaps([other for other in taken if other is not mark])
                          + (not inside), (x, y, alignment), box))
        covers, (x, y, alignment), box = min(boxes, key=lambda item: item[0])
        if covers and not point["presets"]:
            note.remove()
            continue
        note.xyann = x, y
        note.set(ha=alignment[0], va=alignment[1])
        taken.append(box)


def _stairs(axes, places):
    """The line of the best points: fewer cycles cost more of the resource."""
    edge: list[tuple[float, float]] = []
    for x, y in sorted(places):
        if not edge or y < edge[-1][1]:
            edge.append((x, y))
    x, y = zip(*edge, strict=True)
    axes.step(x, y, where="post", color=WARM, lw=1.4, zorder=2)


def seeds(facts: dict) -> Picture:
    """The clock of every seed, with a line for each configuration."""
    rows = [(_name(point), [run["fmax_mhz"] for run in point["runs"]])
            for point in facts["points"] if "best" in point]
    spread = _range([clock for _, clocks in rows for clock in clocks], ".1f")
    picture = Picture("seeds", (
        f"A dot for each seed, over Fmax: {spread} MHz, for {len(rows)} "
        f"configuration{'s' if rows[1:] else ''}. A line is at {facts['clock_mhz']:g} MHz, the "
        "clock that was aimed at."), dots=DOTS)
    for sheet in SHEETS:
        with picture.drawn(sheet, 0.8 + 0.45 * len(rows)) as (_, axes):
            for y, (name, clocks) in enumerate(rows):
                axes.plot([min(clocks), max(clocks)], [y, y], color=RULE, lw=5, zorder=1,
                          solid_capstyle="round")
                axes.scatter(clocks, [y] * len(clocks), s=34, color=MUTED, alpha=0.6, lw=0,
                             zorder=2)
                axes.scatter(max(clocks), y, s=60, color=WARM, zorder=3, lw=1, edgecolor=GROUND)
                axes.annotate(f"{max(clocks):.1f}", (max(clocks), y), xytext=(8, 0), va="center",
                              textcoords="offset points", fontsize=9, color=INK)
                # On a narrow sheet, names are above the lines.
                if sheet.narrow:
                    axes.annotate(name, (0, y), xycoords=axes.get_yaxis_transform(),
                                  xytext=(0, 6), textcoords="offset points", fontsize=9,
                                  bbox=SIGN)
            axes.set(yticks=[] if sheet.narrow else range(len(rows)),
                     ylim=(len(rows) - 0.4, -0.8 if sheet.narrow else -0.6), xlabel="Fmax, MHz")
            if not sheet.narrow:
                axes.set_yticklabels([name for name, _ in rows])
            axes.axvline(facts["clock_mhz"], color=INK, lw=1.2, zorder=0)
            axes.margins(x=0.1)
            bare(axes)
            axes.tick_params(axis="y", labelcolor=INK)
    return picture
