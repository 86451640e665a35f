# SPDX-License-Identifier: Apache-2.0
"""The common style of all pictures, and their conversion to text for a page."""

import contextlib
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np

from spikewright.base.files import pictured

from .colours import GROUND, INK, MUTED, RULE

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

__all__ = ["SHEETS", "SIGN", "Picture", "Sheet", "above", "bare", "broken", "listed", "plt"]

_LOOK: Any = {
    "svg.fonttype": "none",             # text stays text: files are small, and a search finds it
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "legend.fontsize": 9,
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


# The box of a text that may be above a line.
SIGN = {"fc": GROUND, "ec": "none", "pad": 1}


def broken(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """``values`` along the first axis with a NaN in front of each start: a line breaks there."""
    return np.insert(values.astype(np.float64), np.flatnonzero(starts), np.nan, axis=0)


@dataclass(frozen=True)
class Sheet:
    """The size of a drawing, for a kind of screen.

    Parameters
    ----------
    name : str
        Class of the drawing in style.css, which shows one of the two.
    width : float
        In inches. A drawing is as wide as the screen, so text is larger on a narrower sheet.
    columns : int
        Entries of a legend in a line.
    """

    name: str
    width: float
    columns: int

    @property
    def narrow(self) -> bool:
        return self is NARROW


WIDE, NARROW = Sheet("wide", 8.6, 10), Sheet("narrow", 3.6, 4)
SHEETS = (WIDE, NARROW)


class Picture:
    """A picture with a drawing for wide screens, and one for phones.

    Parameters
    ----------
    name : str
        Another one for each picture of a page.
    alt : str
        What the picture shows, for readers who cannot see it.
    dots : int
        Dots per inch of ``png``; 0 for no ``png``.

    Members
    -------
    svg : dict of str to str
        SVG text by the name of a sheet. The same data always give the same text.
    png : bytes
        The wide drawing on a white ground.
    """

    def __init__(self, name: str, alt: str, *, dots: int = 0):
        self.name, self.alt, self.dots = name, alt, dots
        self.svg: dict[str, str] = {}
        self.png = b""

    @contextlib.contextmanager
    def drawn(self, sheet: Sheet, height: float, **subplots) -> Iterator[tuple[Figure, Any]]:
        """Give a figure and its axes. At the end of the block, they are kept as text.

        Parameters
        ----------
        sheet : Sheet
        height : float
            In inches.
        **subplots
            Options of `plt.subplots`.
        """
        # Names in a page must be unique; the salt differs from drawing to drawing.
        with plt.rc_context({**_LOOK, "svg.hashsalt": f"{self.name} {sheet.name}"}):
            figure, axes = plt.subplots(layout="constrained", figsize=(sheet.width, height),
                                        **subplots)
            try:
                yield figure, axes
                stream = io.StringIO()
                figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
                self.svg[sheet.name] = self._text(stream.getvalue(), sheet)
                if self.dots and sheet is WIDE:
                    image = io.BytesIO()
                    figure.savefig(image, format="png", dpi=self.dots, facecolor=GROUND,
                                   metadata=pictured(".png"))
                    self.png = image.getvalue()
            finally:
                plt.close(figure)

    def _text(self, svg: str, sheet: Sheet) -> str:
        # Groups have the same names in every picture, and nothing refers to them.
        text = re.sub(r'<g id="[^"]*"', "<g", svg[svg.index("<svg"):])
        text = text.replace("DejaVu Sans", "system-ui")
        return text.replace("<svg", f'<svg class="{sheet.name}" role="img" '
                                    f'aria-label="{html.escape(self.alt)}"', 1)


def bare(axes: Axes, *, keep: str = "bottom") -> None:
    """Remove the frame except for the side ``keep``; remove all of it if ``keep`` is empty."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == keep)
    if keep != "left":
        axes.tick_params(axis="y", length=0)


def above(axes: Axes, x: float, y: float, text: str, ha: str = "left") -> None:
    """Write above the bar ``y``, whose height is 0.5."""
    axes.annotate(text, (x, y - 0.25), xytext=(0, 2), textcoords="offset points", ha=ha,
                  va="bottom")


def listed(words: list[str]) -> str:
    """``words`` with commas, and ``and`` before the last."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
