# SPDX-License-Identifier: Apache-2.0
"""A session as laboratories keep it: spike times, and samples of what the subject did."""

from dataclasses import dataclass

import numpy as np

from spikewright.base.errors import InputError
from spikewright.network.recording import MOST_COUNT, MOST_STEPS

__all__ = ["Motion", "Session", "arrays_of_counts", "arrays_of_session"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """What the subject did, in samples.

    Parameters
    ----------
    times : ndarray of float64, shape (samples,)
        Seconds, ascending.
    values : ndarray of float64, shape (samples, axes)
        Positions, or velocities; NaN where they are not known.
    is_velocity : bool
        Velocities. Positions are differentiated.
    unit : str
        Of a velocity, such as ``mm/s``; empty where the file does not say it.
    """

    times: np.ndarray
    values: np.ndarray
    is_velocity: bool
    unit: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """Spike times of every channel, and what the subject did.

    Parameters
    ----------
    spikes : list of ndarray of float64
        Seconds of the spikes of each channel.
    start, stop : float
        Seconds between which the session was recorded.
    motion : Motion, optional
    trials : ndarray of float64, optional
        Seconds at which trials begin.
    targets : ndarray of float64, shape (samples, axes), optional
        Where the subject should move to, at the times of the motion.
    source : str
        Where the session comes from.
    """

    spikes: list[np.ndarray]
    start: float
    stop: float
    motion: Motion | None = None
    trials: np.ndarray | None = None
    targets: np.ndarray | None = None
    source: str = ""


def arrays_of_session(session: Session, dt: float, name: str) -> dict[str, np.ndarray]:
    """Arrays of the recording of ``session`` in steps of ``dt`` seconds; see docs/contracts.md.

    A spike belongs to the step in which it falls. Spikes before the start and after the last whole
    step are left out. A velocity is the mean slope of the position over a step, or the velocity at
    the middle of the step; it is NaN where a sample that it needs is not known.

    Raises
    ------
    InputError
        If the session is shorter than a step, or longer than a recording may be. Also if a time or
        a sample cannot be one.
    """
    _check(session, name)
    steps = int(np.floor((session.stop - session.start) / dt + 1e-6))
    if not 1 <= steps <= MOST_STEPS:
        raise InputError(f"{name} must last between 1 and {MOST_STEPS} steps of {dt:g} s, not "
                         f"{session.stop - session.start:g} s")
    arrays = _events([_steps(times, session.start, dt, steps) for times in session.spikes], steps)
    arrays |= {"n_bins": np.array(steps), "n_channels": np.array(len(session.spikes)),
               "dt": np.array(dt)}
    if session.motion is not None:
        edges = session.start + dt * np.arange(steps + 1)
        arrays["velocity"] = _velocity(session.motion, edges)
        arrays["unit"] = np.array(session.motion.unit)
    if session.trials is not None:
        arrays["trial_start_bin"] = np.unique(_steps(session.trials, session.start, dt, steps))
    return arrays | {"source": np.array(session.source)}


def arrays_of_counts(counts: np.ndarray, velocity: np.ndarray | None, dt: float,
                     name: str) -> dict[str, np.ndarray]:
    """Arrays of the recording with ``counts`` (steps, channels) in steps of ``dt`` seconds.

    ``velocity`` (steps, axes) may hold NaN.

    Raises
    ------
    InputError
        If a count is no whole number of spikes, or the lengths differ.
    """
    if counts.ndim != 2 or 0 in counts.shape:
        raise InputError(f"{name} must hold counts of shape (steps, channels), not of shape "
                         f"{counts.shape}")
    wrong = np.argwhere(~((counts >= 0) & (counts <= MOST_COUNT) & (counts == np.floor(counts))))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise InputError(f"{name} must hold whole numbers of spikes from 0 to {MOST_COUNT}, not "
                         f"{counts[place]} in step {place[0]} of channel {place[1]}")
    step, channel = np.nonzero(counts)
    arrays = {"bin": step, "channel": channel, "count": counts[step, channel].astype(np.int64),
              "n_bins": np.array(len(counts)), "n_channels": np.array(counts.shape[1]),
              "dt": np.array(dt)}
    if velocity is not None:
        if velocity.ndim != 2 or len(velocity) != len(counts):
            raise InputError(f"Velocity must have shape ({len(counts)}, axes), as {name} has "
                             f"steps, not {velocity.shape}")
        _check_known(velocity, "Velocity")
        arrays["velocity"] = velocity.astype(np.float64)
    return arrays


def _check(session: Session, name: str) -> None:
    """Check times and samples.

    Raises
    ------
    InputError
        If a spike time is not finite, or the samples of the motion are not a table with times that
        ascend.
    """
    for channel, spikes in enumerate(session.spikes):
        wrong = spikes[~np.isfinite(spikes)]
        if len(wrong):
            raise InputError(f"{name} spike times must be finite, not {wrong[0]} in channel "
                             f"{channel}")
    if session.motion is None:
        return
    times, values = session.motion.times, session.motion.values
    if values.ndim != 2 or not values.size or times.shape != values.shape[:1]:
        raise InputError(f"{name} series must have a time and a row of values for each sample, not "
                         f"{times.size} times and values of shape {values.shape}")
    after = np.flatnonzero(~(np.diff(times, prepend=-np.inf) >= 0) | ~np.isfinite(times))
    if len(after):
        raise InputError(f"{name} series must have times that ascend, not {times[after[0]]} s in "
                         f"sample {after[0]}")
    _check_known(values, f"{name} series")


def _check_known(values: np.ndarray, title: str) -> None:
    """Check that ``values`` (rows, axes) has no infinite number; InputError with ``title``."""
    rows = np.flatnonzero(np.isinf(values).any(axis=1))
    if len(rows):
        raise InputError(f"{title} must be finite, or NaN where it is not known, not "
                         f"{values[rows[0]].tolist()} in row {rows[0]}")


def _steps(times: np.ndarray, start: float, dt: float, steps: int) -> np.ndarray:
    """Step of each of ``times`` that lies within the recording, ascending."""
    # A time on an edge, but for rounding, is in the step that begins there.
    step = np.floor((np.sort(times) - start) / dt + 1e-6)
    return step[(step >= 0) & (step < steps)].astype(np.int64)


def _events(steps_of: list[np.ndarray], steps: int) -> dict[str, np.ndarray]:
    place = np.concatenate([step * len(steps_of) + channel
                            for channel, step in enumerate(steps_of)] or [np.zeros(0, np.int64)])
    place, count = np.unique(place, return_counts=True)
    most = int(count.max(initial=0))
    if most > MOST_COUNT:
        raise InputError(f"Spikes of a channel in a step must be {MOST_COUNT} or fewer, not {most}")
    return {"bin": place // max(len(steps_of), 1), "channel": place % max(len(steps_of), 1),
            "count": count}


def _velocity(motion: Motion, edges: np.ndarray) -> np.ndarray:
    at = (edges[:-1] + edges[1:]) / 2 if motion.is_velocity else edges
    known = ~np.isnan(motion.values).any(axis=1)
    if not known.any():
        return np.full((len(edges) - 1, motion.values.shape[1]), np.nan)
    values = np.stack([np.interp(at, motion.times[known], axis[known])
                       for axis in motion.values.T], axis=1)
    # Between samples of which one is not known, and outside all of them, nothing is known.
    left = np.searchsorted(motion.times, at + 1e-9, side="right") - 1
    right = np.searchsorted(motion.times, at - 1e-9)
    inside = (left >= 0) & (right < len(motion.times))
    inside[inside] &= known[left[inside]] & known[right[inside]]
    values[~inside] = np.nan
    return values if motion.is_velocity else np.diff(values, axis=0) / np.diff(edges)[:, None]
