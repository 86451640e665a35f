# SPDX-License-Identifier: Apache-2.0
"""The learning curves of a training as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spikewright.base.files import pictured, written_file
from spikewright.report.style import bare, plt

if TYPE_CHECKING:
    from .fit import Point

__all__ = ["draw_curves"]


def draw_curves(path: Path, curves: Sequence["Point"]) -> None:
    """Draw the error, the rate and the share of pruned weights over the epochs, as a .png file."""
    epochs = [point.epoch for point in curves]
    panels = (("error", {"training": "error", "validation": "validation"}),
              ("Hz of a hidden unit", {"": "hertz"}), ("share of weights pruned", {"": "pruned"}))
    figure, rows = plt.subplots(len(panels), sharex=True, figsize=(8, 6), layout="constrained")
    for axes, (title, lines) in zip(rows, panels, strict=True):
        for label, key in lines.items():
            axes.plot(epochs, [getattr(point, key) for point in curves], label=label, lw=1)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_ylim(bottom=0)
        bare(axes)
    rows[0].legend(frameon=False)
    rows[-1].set_xlabel("epoch")
    try:
        with written_file(path) as temporary:
            figure.savefig(temporary, dpi=100, metadata=pictured(path.suffix))
    finally:
        plt.close(figure)
