# SPDX-License-Identifier: Apache-2.0
"""Recordings in the form for training: dense, cut at resets, a part held out; NumPy only."""

import numpy as np

from spikewright.base.errors import InputError
from spikewright.network.recording import TARGETS, Recording

__all__ = ["check_events", "dense", "held_out", "mean_and_scale", "target_velocity", "trials"]

MOST_PLACES = 2**31             # steps times channels: a byte each in memory


def dense(recording: Recording) -> np.ndarray:
    """Spikes of each channel in each step: uint8, (steps, channels); at most 255."""
    shape = recording.steps, recording.channels
    if recording.steps * recording.channels > MOST_PLACES:
        raise InputError(f"Recording {recording.name} n_bins x n_channels must be at most "
                         f"{MOST_PLACES} to train on, not {recording.steps * recording.channels}")
    step   = np.repeat(np.arange(recording.steps), np.diff(recording.start))
    place, count = np.unique(step * recording.channels + recording.channel, return_counts=True)
    spikes = np.zeros(shape, np.uint8)
    spikes.ravel()[place] = np.minimum(count, 255)
    return spikes


def check_events(recording: Recording) -> None:
    """Check that there is an event to learn from; InputError if there is none."""
    if not len(recording.channel):
        raise InputError(f"Recording {recording.name} must hold at least 1 event to train on, "
                         "not 0")


def target_velocity(recording: Recording) -> np.ndarray:
    """Velocity to learn: float64, (steps, 2); InputError if a step has none."""
    if recording.velocity is None:
        raise InputError(f"Recording {recording.name} must hold {' or '.join(TARGETS)} to train "
                         "on, not only spikes")
    if recording.velocity.shape[1] != 2:
        raise InputError(f"{recording.target_title} must have 2 axes to train on, "
                         f"not {recording.velocity.shape[1]}")
    unknown = np.flatnonzero(np.isnan(recording.velocity).any(axis=1))
    if len(unknown):
        raise InputError(f"{recording.target_title} must be known in every step to "
                         f"train on, not NaN in {len(unknown)} of {recording.steps} steps (first: "
                         f"step {unknown[0]}): cut these steps out")
    return recording.velocity


def mean_and_scale(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each axis; InputError where weights cannot have the latter."""
    moved = target_velocity(recording)
    if not np.ptp(moved, axis=0).all():
        raise InputError(f"{recording.target_title} must change on both axes to train "
                         "on, not be constant throughout")
    with np.errstate(over="ignore", invalid="ignore"):
        scale = moved.std(0)
    if not ((1e-4 <= scale) & (scale <= 1e4)).all():
        raise InputError(f"{recording.target_title} must have a standard deviation "
                         "between 1e-4 and 1e4 on both axes, for float16 weights, not "
                         f"{' and '.join(f'{value:.3g}' for value in scale)}: give it in another "
                         "unit")
    return moved.mean(0), scale


def trials(recording: Recording) -> list[tuple[int, int]]:
    """Steps ``[start, stop)`` of each run between two resets; together, the whole recording."""
    edges = sorted({0, *np.flatnonzero(recording.reset).tolist(), recording.steps})
    return list(zip(edges, edges[1:], strict=False))


def held_out(recording: Recording, part: float = 0.2) -> tuple[Recording, Recording]:
    """Cut a recording in two: what to train on, and the last ``part`` of it to score on."""
    cut = round(recording.steps * (1 - part))
    if not 0 < cut < recording.steps:
        raise InputError(f"Recording {recording.name} n_bins must be enough to hold out "
                         f"{part:.0%}, not {recording.steps}")
    return recording.cut(0, cut), recording.cut(cut, recording.steps)
