# SPDX-License-Identifier: Apache-2.0
"""The common style of all pictures, and their conversion to text for a page."""

import contextlib
import io
import re
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np

from spikewright.base.files import pictured

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

__all__ = ["BLOCK_COLOURS", "INK", "MUTED", "PAPER", "RULE", "WARM", "COOL", "ALARM", "bare",
           "broken", "drawn", "plt"]

INK, MUTED, RULE, PAPER = "#1f2933", "#6b7785", "#d5dae0", "#eef1f4"
COOL, WARM, ALARM = "#2f6690", "#d97b29", "#b23a48"

BLOCK_COLOURS = {
    "weights":   "#1d4e79",
    "rows":      "#4a86b8",
    "currents":  "#9cc3e0",
    "neurons":   "#d97b29",
    "spikes":    "#f2bd7e",
    "sequencer": "#5b8c5a",
    "core":      "#a9c6a0",
    "link":      "#7b6d9c",
    "board":     "#9aa5b1",
}

_LOOK: Any = {
    "svg.fonttype": "none",             # text stays text: files are small, and a search finds it
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def broken(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """``values`` along the first axis with a NaN in front of each start: a line breaks there."""
    return np.insert(values.astype(np.float64), np.flatnonzero(starts), np.nan, axis=0)


class Picture:
    """A picture: ``svg`` and ``png`` are set when drawing is done."""

    figure: Figure
    svg: str
    png: bytes


@contextlib.contextmanager
def drawn(name: str, *, dots: int = 0, **subplots) -> Iterator[tuple[Picture, Any]]:
    """Give a picture and its axes. At the end of the block, ``svg`` of the picture is set.

    The same data always give the same text. With ``dots`` per inch, ``png`` is set as well: the
    picture on a white ground.
    """
    picture = Picture()
    # Names in a page must be unique; the salt differs from picture to picture.
    with plt.rc_context({**_LOOK, "svg.hashsalt": name}):
        picture.figure, axes = plt.subplots(layout="constrained", **subplots)
        try:
            yield picture, axes
            stream = io.StringIO()
            picture.figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
            if dots:
                image = io.BytesIO()
                picture.figure.savefig(image, format="png", dpi=dots, facecolor="white",
                                       metadata=pictured(".png"))
                picture.png = image.getvalue()
        finally:
            plt.close(picture.figure)
    text = stream.getvalue()
    # Groups have the same names in every picture, and nothing refers to them.
    text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg"):])
    picture.svg = text.replace("DejaVu Sans", "system-ui")


def bare(axes: Axes, *, keep: str = "bottom") -> None:
    """Remove the frame except for the side ``keep``; remove all of it if ``keep`` is empty."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == keep)
    if keep != "left":
        axes.tick_params(axis="y", length=0)
