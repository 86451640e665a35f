# SPDX-License-Identifier: Apache-2.0
"""A picture of decoded velocities over time, and of the paths that result from them."""

from pathlib import Path

import numpy as np

from spikewright.base.files import pictured, written_file
from spikewright.network.metrics import published_time, unit_scale
from spikewright.network.recording import Recording
from spikewright.report.style import broken, plt

__all__ = ["draw", "round_length"]

SECONDS = 8.0
TRUTH, DECODED = "#9aa5b1", "#d97b29"


def draw(path: Path, velocity: np.ndarray, recording: Recording, lead_steps: int,
         title: str) -> None:
    """Draw the first seconds of ``velocity``, and write ``path``.

    A velocity is drawn ``lead_steps`` after its answer: at the time for which the network was
    trained. Outputs are multiplied by a power of ten, so that they have the unit of the
    recording. A line breaks where a trial starts, and where the recorded velocity is NaN.

    Parameters
    ----------
    path : Path
        Ends in one of `base.files.PICTURES`.
    velocity : ndarray of float64, shape (steps, outputs)
    recording : Recording
        Its velocity is drawn as well, if it has one.
    lead_steps : int
    title : str
    """
    steps = min(recording.steps, round(SECONDS / recording.dt))
    shown = published_time(velocity, lead_steps, recording.reset)[:steps]
    truth = recording.velocity
    if truth is not None:
        truth = truth[:steps]
        shown = shown * unit_scale(truth, shown)
    starts = recording.reset[:steps]
    time = broken(np.arange(steps) * recording.dt, starts)
    unit = f" ({recording.unit})" if recording.unit and truth is not None else ""
    axes = shown.shape[1]
    figure = plt.figure(figsize=(10, 1.9 * axes + 0.6), layout="constrained")
    grid = figure.add_gridspec(axes, 2, width_ratios=[2.6, 1])
    for k in range(axes):
        part = figure.add_subplot(grid[k, 0])
        if truth is not None:
            part.plot(time, broken(truth[:, k], starts), color=TRUTH, linewidth=2.2,
                      label="recorded")
        part.plot(time, broken(shown[:, k], starts), color=DECODED, linewidth=1.1, label="decoded")
        part.set(ylabel=f"velocity {'xyz'[k] if axes <= 3 else k}{unit}",
                 xlim=(0, steps * recording.dt))
        part.spines[["top", "right"]].set_visible(False)
        if k == 0:
            part.legend(frameon=False, ncols=2, loc="upper right")
    part.set(xlabel="s")
    if axes == 2:
        _paths(figure.add_subplot(grid[:, 1]), shown, truth, recording, starts)
    figure.suptitle(title, fontsize=11)
    with written_file(path) as temporary:
        figure.savefig(temporary, dpi=110, metadata=pictured(path.suffix))
    plt.close(figure)


def _paths(part, shown, truth, recording, starts):
    """Draw the path of each trial from its start, and a bar for scale."""
    drawn = []
    for curve, colour in ((truth, TRUTH), (shown, DECODED)):
        if curve is not None:
            steps = np.nan_to_num(curve) * recording.dt
            places = np.concatenate([np.cumsum(trial, axis=0) for trial in
                                     np.split(steps, np.flatnonzero(starts))])
            places[np.isnan(curve).any(axis=1)] = np.nan
            part.plot(*broken(places, starts).T, color=colour, linewidth=1.4)
            drawn.append(places)
    part.set(aspect="equal", xticks=[], yticks=[],
             title="path of each trial" if starts[1:].any() else "path")
    part.spines[:].set_visible(False)
    low, high = (edge(np.concatenate(drawn), axis=0) for edge in (np.nanmin, np.nanmax))
    extent = float((high - low).max())
    if recording.unit.endswith("/s") and truth is not None and extent > 0:
        length, left, below = round_length(extent / 3), low[0], low[1] - 0.1 * extent
        part.plot([left, left + length], [below, below], color="black", linewidth=2)
        part.text(left, below - 0.02 * extent, f"{length:g} {recording.unit.removesuffix('/s')}",
                  va="top")


def round_length(length: float) -> float:
    """The largest of 1, 2, 5, 10, 20, 50, .. and of 0.5, 0.2, 0.1, .. that is at most ``length``.

    ``length`` is positive.
    """
    unit = 10.0 ** np.floor(np.log10(length))
    return float(f"{next(factor for factor in (5, 2, 1) if factor * unit <= length) * unit:g}")
