# SPDX-License-Identifier: Apache-2.0
"""A Kalman filter of the velocity, to compare a network with; NumPy only.

Counts are in memory for a part of the recording at a time.

Wu et al., "Bayesian population decoding of motor cortical activity using a Kalman filter", Neural
Computation 18 (2006). The state is the velocity without its mean, and the counts of a step are a
linear function of it with Gaussian noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spikewright.network.recording import Recording

from .recording import dense, target_velocity, trials

__all__ = ["Kalman", "fit_kalman", "kalman_velocity"]

# Added to the variance of each count, in units of the mean variance.
SMALL = 1e-3
CHUNK = 1 << 13                             # steps whose counts are in memory at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Kalman:
    """Parameters of the filter, all float64.

    Parameters
    ----------
    mean : ndarray, shape (axes,)
        Of the velocity.
    spread : ndarray, shape (axes, axes)
        Covariance of the velocity, which is that of the first state.
    move, drift : ndarray, shape (axes, axes)
        The next state is ``move @ state`` and noise with the covariance ``drift``.
    rate : ndarray, shape (channels,)
        Mean counts.
    weight : ndarray, shape (axes, channels)
        ``weight @ (counts - rate - tuning @ state)`` is what counts say of a state in the unit of
        an inverse covariance; ``precision`` is ``weight @ tuning``.
    precision : ndarray, shape (axes, axes)
    """
    mean: np.ndarray
    spread: np.ndarray
    move: np.ndarray
    drift: np.ndarray
    rate: np.ndarray
    weight: np.ndarray
    precision: np.ndarray


def fit_kalman(recording: Recording) -> Kalman:
    """The filter of ``recording``, by least squares. Steps over a reset do not count."""
    velocity = target_velocity(recording)
    mean     = velocity.mean(0)
    state    = velocity - mean
    spread   = state.T @ state / len(state)
    inside   = np.flatnonzero(~recording.reset[1:])
    before, after = state[inside], state[inside + 1]
    move  = np.linalg.lstsq(before, after, rcond=None)[0].T
    left  = after - before @ move.T
    drift = left.T @ left / max(1, len(left))

    rate   = np.zeros(recording.channels)
    square = np.zeros((recording.channels, recording.channels))
    with_state = np.zeros((len(spread), recording.channels))
    for steps, counts in _counts(recording):
        rate   += counts.sum(0, dtype=np.float64)
        square += counts.T @ counts         # whole numbers: float32 loses nothing below 2^24
        with_state += state[steps].T @ counts
    rate  /= len(state)
    tuning = np.linalg.lstsq(spread, with_state / len(state), rcond=None)[0].T
    square = square / len(state) - np.outer(rate, rate)
    noise  = square - tuning @ spread @ tuning.T
    noise += np.eye(len(rate)) * max(SMALL * np.trace(square) / len(rate), np.finfo(float).tiny)
    weight = np.linalg.solve(noise, tuning).T
    return Kalman(mean=mean, spread=spread, move=move, drift=drift, rate=rate, weight=weight,
                  precision=weight @ tuning)


def kalman_velocity(kalman: Kalman, recording: Recording) -> np.ndarray:
    """Velocity of each step after its counts are known, float64 (steps, axes)."""
    said = np.empty((recording.steps, len(kalman.mean)))
    for steps, counts in _counts(recording):
        said[steps] = counts @ kalman.weight.T.astype(np.float32)
    said -= kalman.weight @ kalman.rate
    unit  = np.eye(len(kalman.mean))
    state = np.zeros_like(said)
    for start, stop in trials(recording):
        now, spread = np.zeros(len(unit)), kalman.spread
        for step in range(start, stop):
            if step > start:
                now    = kalman.move @ now
                spread = kalman.move @ spread @ kalman.move.T + kalman.drift
            # The same as the usual gain, with matrices of axes in place of channels.
            spread = np.linalg.solve(unit + spread @ kalman.precision, spread)
            now    = now + spread @ (said[step] - kalman.precision @ now)
            state[step] = now
    return state + kalman.mean


def _counts(recording: Recording) -> Iterator[tuple[slice, np.ndarray]]:
    """Steps, and their counts as float32 (steps, channels)."""
    for first in range(0, recording.steps, CHUNK):
        stop = min(first + CHUNK, recording.steps)
        yield slice(first, stop), dense(recording.cut(first, stop)).astype(np.float32)
