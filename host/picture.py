# SPDX-License-Identifier: Apache-2.0
"""A picture of decoded velocities: over time, and as the paths that they add up to."""

from pathlib import Path

import matplotlib
import numpy as np

from spikewright.base.files import written_file
from spikewright.network.metrics import published_time, unit_scale
from spikewright.network.recording import Recording

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

__all__ = ["SUFFIXES", "draw"]

SUFFIXES = (".png", ".svg", ".pdf")

SECONDS = 8.0
TRUTH, DECODED = "#9aa5b1", "#d97b29"


def draw(path: Path, velocity: np.ndarray, recording: Recording, lead_steps: int,
         title: str) -> None:
    """Draw the first seconds of ``velocity``, and write ``path``.

    A velocity is drawn ``lead_steps`` after its answer: at the time for which the network was
    trained. Its unit is that of the recording, times a power of ten.

    Parameters
    ----------
    path : Path
        Ends in one of ``SUFFIXES``.
    velocity : ndarray of float64, shape (steps, outputs)
    recording : Recording
        Its velocity is drawn as well, if it has as many axes.
    lead_steps : int
    title : str
    """
    steps = min(recording.steps, round(SECONDS / recording.dt))
    shown = published_time(velocity, lead_steps, recording.reset)[:steps]
    truth = recording.velocity
    if truth is not None and truth.shape == velocity.shape:
        truth = truth[:steps]
        shown = shown * unit_scale(truth, shown)
    else:
        truth = None
    time = np.arange(steps) * recording.dt
    axes = shown.shape[1]
    figure = plt.figure(figsize=(10, 1.9 * axes + 0.6), layout="constrained")
    grid = figure.add_gridspec(axes, 2, width_ratios=[2.6, 1])
    for k in range(axes):
        part = figure.add_subplot(grid[k, 0])
        if truth is not None:
            part.plot(time, truth[:, k], color=TRUTH, linewidth=2.2, label="recorded")
        part.plot(time, shown[:, k], color=DECODED, linewidth=1.1, label="decoded")
        part.set(ylabel=f"velocity {'xyz'[k] if axes <= 3 else k}", xlim=(0, steps * recording.dt))
        part.spines[["top", "right"]].set_visible(False)
        if k == 0:
            part.legend(frameon=False, ncols=2, loc="upper right")
    part.set(xlabel="s")
    if axes == 2:
        _paths(figure.add_subplot(grid[:, 1]), shown, truth, recording.dt)
    figure.suptitle(title, fontsize=11)
    with written_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)


def _paths(part, shown, truth, dt):
    for curve, colour in ((truth, TRUTH), (shown, DECODED)):
        if curve is not None:
            place = np.cumsum(curve, axis=0) * dt
            part.plot(*place.T, color=colour, linewidth=1.4)
    part.set(aspect="equal", xticks=[], yticks=[], title="path")
    part.spines[:].set_visible(False)
