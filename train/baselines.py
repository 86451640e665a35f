# SPDX-License-Identifier: Apache-2.0
"""Linear decoders of lagged spike counts, to compare a network with; NumPy only."""

from collections.abc import Callable

import numpy as np

from spikewright.network.metrics import r_squared
from spikewright.network.recording import Recording

from .recording import dense, held_out, target_velocity, trials

__all__ = ["LAGS", "lagged_counts", "linear_decoders"]

BIN  = 0.05                                 # seconds in which spikes are counted
LAGS = {"wiener": 0.5, "ridge": 1.0}        # seconds of counts that each decoder sees

# Penalties to choose from, in units of the mean variance of a count.
PENALTIES = 10.0 ** np.arange(-4, 4)
MOST_COUNTS = 1 << 12                       # of a step; a decoder sees less if there were more
CHUNK = 1 << 13                             # steps whose counts are in memory at once


def linear_decoders(seen: Recording, unseen: Recording, validation: float
                    ) -> dict[str, np.ndarray]:
    """R2 on ``unseen`` of the decoders in ``LAGS``: float64 (axes,) each.

    The velocity of a step is an affine function of the counts in the last seconds before its end,
    fitted by least squares with a penalty on the weights. The penalty is the best one for the last
    part of ``seen``, ``validation``, of those fitted without that part. A recording of more than
    ``MOST_COUNTS`` channels is not decoded, and has NaN.
    """
    wanted = target_velocity(unseen)
    most   = MOST_COUNTS // seen.channels
    if not most:
        return dict.fromkeys(LAGS, np.full(wanted.shape[1], np.nan))
    return {name: r_squared(wanted, _decode(seen, unseen, validation,
                                            min(round(seconds / BIN), most)))
            for name, seconds in LAGS.items()}


def lagged_counts(recording: Recording, first: int, stop: int, bins: int) -> np.ndarray:
    """Spikes of each channel in the last ``bins`` bins of ``BIN`` seconds before the end of a step.

    A bin has whole steps, at least one. Steps before a reset do not count.

    Returns
    -------
    ndarray of float32, shape (stop - first, bins * channels)
        For the steps from ``first`` to ``stop - 1``; the latest bin comes first.
    """
    width = max(1, round(BIN / recording.dt))
    start = np.concatenate([np.full(end - begin, begin) for begin, end in trials(recording)])
    begin = max(0, first + 1 - bins * width)
    total = np.cumsum(dense(recording.cut(begin, stop)), axis=0, dtype=np.int64)
    total = np.concatenate([np.zeros_like(total[:1]), total])
    edges = np.arange(first, stop)[:, None] + 1 - width * np.arange(bins + 1)
    until = total[np.maximum(edges, np.maximum(start[first:stop, None], begin)) - begin]
    return (until[:, :-1] - until[:, 1:]).reshape(stop - first, -1).astype(np.float32)


def _decode(seen: Recording, unseen: Recording, validation: float, bins: int) -> np.ndarray:
    """Velocity of ``unseen``, float64 (steps, axes)."""
    cut     = held_out(seen, validation)[0].steps
    learnt  = _moments(seen, 0, cut, bins)
    judged  = target_velocity(seen)[cut:]
    spread  = target_velocity(seen).var(axis=0) + np.finfo(float).tiny
    solve   = _solver(learnt)
    errors  = [np.mean(np.square(_apply(seen, cut, seen.steps, bins, solve(penalty)) - judged)
                       / spread) for penalty in PENALTIES]
    every   = learnt + _moments(seen, cut, seen.steps, bins)
    weights = _solver(every)(PENALTIES[int(np.argmin(errors))])
    return _apply(unseen, 0, unseen.steps, bins, weights)


def _moments(recording: Recording, first: int, stop: int, bins: int) -> np.ndarray:
    """Sums of the products of counts, velocity and 1 in each step, float64.

    Columns are counts, a 1 and the velocity. Rows are counts and a 1.
    """
    size = recording.channels * bins + 1
    sums = np.zeros((size, size + target_velocity(recording).shape[1]))
    for begin in range(first, stop, CHUNK):
        end    = min(begin + CHUNK, stop)
        counts = lagged_counts(recording, begin, end, bins)
        counts = np.hstack([counts, np.ones_like(counts[:, :1])])
        moved  = target_velocity(recording)[begin:end]
        # Products of counts are whole numbers, so float32 loses nothing below 2^24.
        sums += np.hstack([(counts.T @ counts).astype(np.float64), counts.T @ moved])
    return sums


def _solver(sums: np.ndarray) -> Callable[[float], np.ndarray]:
    """A function from a penalty to weights, float64 (counts + 1, axes), of the sums of `_moments`.

    The last row of the weights is what silence gives.
    """
    size  = len(sums) - 1
    steps = sums[size, size]
    mean  = sums[size] / steps
    about = sums[:size] / steps - np.outer(mean[:size], mean)       # about the mean
    values, vectors = np.linalg.eigh(about[:, :size])
    turned = vectors.T @ about[:, size + 1:]
    unit   = max(values.mean(), np.finfo(float).tiny)

    def solve(penalty: float) -> np.ndarray:
        weights = vectors @ (turned / (values.clip(0) + penalty * unit)[:, None])
        return np.vstack([weights, mean[size + 1:] - mean[:size] @ weights])
    return solve


def _apply(recording: Recording, first: int, stop: int, bins: int, weights: np.ndarray
           ) -> np.ndarray:
    return np.concatenate([
        lagged_counts(recording, begin, min(begin + CHUNK, stop), bins) @ weights[:-1] + weights[-1]
        for begin in range(first, stop, CHUNK)])
