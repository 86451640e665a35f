# SPDX-License-Identifier: Apache-2.0
"""Results of an exploration: a table, pictures, and a page with the best configurations."""

import json
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from spikewright.base.files import pictured, written_file
from spikewright.plan.config import CoreConfig
from spikewright.report.html import render_page
from spikewright.report.names import title
from spikewright.report.style import INK, MUTED, PAPER, RULE, WARM, bare, drawn, plt

__all__ = ["front", "page", "table", "write_exploration"]

WIDTH = 8.6             # inches
DOTS = 160              # per inch, where a picture has any

# Positions of a label beside its mark, in points, the best first.
BESIDE = ((9, 4, "left", "bottom"), (9, -4, "left", "top"), (-9, -4, "right", "top"),
          (-9, 4, "right", "bottom"), (0, 10, "center", "bottom"), (0, -10, "center", "top"))


def front(points: list[dict]) -> list[int]:
    """Indices of the points that no other beats in logic, block RAM, clock and cycles at once."""
    def costs(point):
        used = list(point["best"]["used"].values())
        return np.array([*used, -point["best"]["fmax_mhz"], point["cycles"]["mean"]])

    built = {k: costs(point) for k, point in enumerate(points) if "best" in point}
    return [k for k, mine in built.items()
            if not any((other <= mine).all() and (other < mine).any() for other in built.values())]


def table(facts: dict) -> str:
    """The exploration in a few lines of text; ``*`` marks points that no other beats."""
    best = front(facts["points"])
    kinds = [kind for kind in facts["board"]["resources"]
             if any(point["best"]["used"][kind] for point in facts["points"] if "best" in point)]
    rows = [("", "configuration", *(kind.upper() for kind in kinds), "Fmax, MHz", "median",
             "cycles", "worst", "us a step")]
    notes = []
    for k, point in enumerate(facts["points"]):
        name = title(CoreConfig(**point["config"]))
        if point["presets"]:
            name += f" ({', '.join(point['presets'])})"
        if "best" not in point:
            why = point["reason"] or point["failures"][0]["reason"]
            notes.append(f"{name}: {why}")
            continue
        used, cycles = point["best"]["used"], point["cycles"]
        rows.append(("*" if k in best else "", name, *(f"{used[kind]:,}" for kind in kinds),
                     f"{point['best']['fmax_mhz']:.1f}", f"{point['median_mhz']:.1f}",
                     f"{cycles['mean']:.0f}", f"{cycles['worst']:,}", f"{step_us(point):.2f}"))
        notes += [f"{name}, seed {failure['seed']}: {failure['reason']}"
                  for failure in point["failures"]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) if place < 2 else cell.rjust(width)
                       for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
             for row in rows if len(rows) > 1]
    return "\n".join([*(line.rstrip() for line in lines), *notes])


def step_us(point: dict) -> float:
    """Time of a mean step at the highest clock."""
    return point["cycles"]["mean"] / point["best"]["fmax_mhz"]


def write_exploration(facts: dict, folder: Path) -> None:
    """Write explore.json, explore.html, and the pictures as .svg and .png."""
    built = sum("best" in point for point in facts["points"])
    svg: dict[str, str] = {}
    # A single point gets no picture; pictures of an earlier call are removed.
    for name, draw, least in (("pareto", pareto, 2), ("seeds", seeds, 1)):
        if built >= least:
            svg[name] = draw(facts, folder / f"{name}.png")
        else:
            for ending in (".png", ".svg"):
                (folder / f"{name}{ending}").unlink(missing_ok=True)
    files = {"explore.json": json.dumps(facts, indent=1, allow_nan=False) + "\n",
             "explore.html": page(facts, svg)}
    files |= {f"{name}.svg": text + "\n" for name, text in svg.items()}
    for name, text in files.items():
        with written_file(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def page(facts: dict, svg: dict[str, str]) -> str:
    """The exploration as HTML. The page needs no other file and no network."""
    return render_page("spikewright.boards.explore", "explore.html", pictures=svg, facts=facts,
                       front=front(facts["points"]), step_us=step_us,
                       title=lambda config: title(CoreConfig(**config)))


def pareto(facts: dict, png: Path) -> str:
    """Mean cycles per step over logic and over block RAM; the colour is the best clock."""
    points = facts["points"]
    built = [k for k, point in enumerate(points) if "best" in point]
    kinds = [next(iter(facts["board"]["resources"])), "ebr"]
    clocks = [points[k]["best"]["fmax_mhz"] for k in built]
    norm = Normalize(min(clocks) - 0.5, max(clocks) + 0.5)
    best = front(points)
    with drawn("pareto", ncols=2, sharey=True, figsize=(WIDTH, 4.3)) as (picture, panels):
        for kind, axes in zip(kinds, panels, strict=True):
            place = {k: (points[k]["best"]["used"][kind], points[k]["cycles"]["mean"])
                     for k in built}
            _stairs(axes, list(place.values()))
            for k, (x, y) in place.items():
                preset = bool(points[k]["presets"])
                axes.scatter(x, y, s=130 if preset else 70, c=[clocks[built.index(k)]], norm=norm,
                             cmap="viridis", marker="D" if preset else "o", zorder=3,
                             alpha=1 if k in best else 0.45, lw=1.2, edgecolor="white")
            available = facts["board"]["resources"][kind]
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
        panels[0].set_ylabel("cycles a step, mean")
        bar = picture.figure.colorbar(plt.cm.ScalarMappable(norm, "viridis"), ax=panels, pad=0.02,
                                      aspect=30)
        bar.set_label(f"Fmax, MHz (best of {facts['seeds']})")
        bar.outline.set_visible(False)
        picture.figure.draw_without_rendering()
        for kind, axes in zip(kinds, panels, strict=True):
            _labels(axes, [points[k] for k in built], kind)
        _save(picture.figure, png)
    return picture.svg


def _labels(axes, points, kind):
    """Label each mark with its presets, or with its title if that covers no label or mark."""
    points = sorted(points, key=lambda point: not point["presets"])
    marks = axes.transData.transform([(point["best"]["used"][kind], point["cycles"]["mean"])
                                      for point in points])
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in marks]
    for point, mark in zip(points, taken[:], strict=True):
        text = "\n".join(point["presets"] or title(CoreConfig(**point["config"])).split(", "))
        note = axes.annotate(text, (point["best"]["used"][kind], point["cycles"]["mean"]),
                             textcoords="offset points", xytext=(0, 0), fontsize=7.5,
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


def seeds(facts: dict, png: Path) -> str:
    """The clock of every seed, with a line for each configuration."""
    rows = [point for point in facts["points"] if "best" in point]
    with drawn("seeds", figsize=(WIDTH, 0.8 + 0.42 * len(rows))) as (picture, axes):
        for y, point in enumerate(rows):
            clocks = [run["fmax_mhz"] for run in point["runs"]]
            axes.plot([min(clocks), max(clocks)], [y, y], color=RULE, lw=5, zorder=1,
                      solid_capstyle="round")
            axes.scatter(clocks, [y] * len(clocks), s=34, color=MUTED, alpha=0.6, lw=0, zorder=2)
            axes.scatter(max(clocks), y, s=60, color=WARM, zorder=3, lw=1, edgecolor="white")
            axes.annotate(f"{max(clocks):.1f}", (max(clocks), y), xytext=(8, 0), va="center",
                          textcoords="offset points", fontsize=9, color=INK)
        axes.set(yticks=range(len(rows)), ylim=(len(rows) - 0.4, -0.6),
                 yticklabels=[", ".join(point["presets"] or [title(CoreConfig(**point["config"]))])
                              for point in rows],
                 xlabel="Fmax, MHz, as placed with each seed; the best in orange")
        axes.axvline(facts["clock_mhz"], color=INK, lw=1.2, zorder=0)
        axes.margins(x=0.08)
        bare(axes)
        axes.tick_params(axis="y", labelcolor=INK)
        _save(picture.figure, png)
    return picture.svg


def _save(figure, png: Path) -> None:
    with written_file(png) as temporary:
        figure.savefig(temporary, dpi=DOTS, facecolor="white", metadata=pictured(".png"))
