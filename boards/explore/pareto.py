# SPDX-License-Identifier: Apache-2.0
"""Results of an exploration: a table, and a page with the best configurations."""

import json
from pathlib import Path

import numpy as np

from spikewright.base.files import written_file
from spikewright.plan.config import CoreConfig
from spikewright.report.html import render_page
from spikewright.report.names import title
from spikewright.report.style import Picture

from .pictures import pareto, seeds

__all__ = ["front", "page", "table", "write_exploration"]


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
    best = front(facts["points"])
    pictures: dict[str, Picture] = {}
    if best:
        pictures["seeds"] = seeds(facts)
    if sum("best" in point for point in facts["points"]) > 1:
        pictures["pareto"] = pareto(facts, best)
    # Pictures of an earlier call, with other configurations.
    for name in {"pareto", "seeds"} - set(pictures):
        for ending in (".png", ".svg"):
            (folder / f"{name}{ending}").unlink(missing_ok=True)
    files = {"explore.json": json.dumps(facts, indent=1, allow_nan=False) + "\n",
             "explore.html": page(facts, pictures)}
    files |= {f"{name}.svg": picture.svg["wide"] + "\n" for name, picture in pictures.items()}
    contents = {name: text.encode() for name, text in files.items()}
    contents |= {f"{name}.png": picture.png for name, picture in pictures.items()}
    for name, content in contents.items():
        with written_file(folder / name) as temporary:
            temporary.write_bytes(content)


def page(facts: dict, pictures: dict[str, Picture]) -> str:
    """The exploration as HTML. The page needs no other file and no network."""
    def used(point):
        return [f"{point['best']['used'][kind]:,}" for kind in facts["board"]["resources"]]

    return render_page("spikewright.boards.explore", "explore.html", pictures=pictures, facts=facts,
                       front=front(facts["points"]), step_us=step_us, used=used,
                       title=lambda config: title(CoreConfig(**config)))
