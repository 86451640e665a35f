# SPDX-License-Identifier: Apache-2.0
"""What has changed between the recordings of a model and a new one; NumPy only.

Nobody needs the old recording. The model itself says what it expects of each axis and channel.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from spikewright.base.errors import InputError
from spikewright.golden.run import run_golden
from spikewright.model.model import IntegerModel
from spikewright.network.metrics import published_time, r_squared
from spikewright.network.recording import Recording
from spikewright.plan.config import CoreConfig

from ..baselines import CHUNK, lagged_counts
from ..recording import target_velocity

__all__ = ["Diagnosis", "affine", "corrected", "decoded", "diagnose"]

# Counts of a channel are summed over as many bins of `baselines.BIN` seconds.
BINS = 5

# A change of the axes is only named if it explains this much more of the variance than no change.
CLEARLY = 0.1

# The channels are as in the model if they agree with it better than all but 1 % of so many random
# orders. Another order is only named if it agrees better than all of them, by this factor.
RANDOM, FACTOR = 500, 1.5

# Random spikes that show what the model makes of each channel.
NOISE_SECONDS, NOISE_STEPS = 200.0, 10_000

SIGNED = {
    "as the model has them": [[1, 0], [0, 1]],
    "with x flipped": [[-1, 0], [0, 1]], "with y flipped": [[1, 0], [0, -1]],
    "rotated by 180 degrees": [[-1, 0], [0, -1]],
    "swapped": [[0, 1], [1, 0]], "swapped and flipped": [[0, -1], [-1, 0]],
    "rotated by 90 degrees": [[0, -1], [1, 0]], "rotated by -90 degrees": [[0, 1], [-1, 0]]}


@dataclass(frozen=True, kw_only=True, eq=False)
class Diagnosis:
    """What has changed.

    Parameters
    ----------
    axes : str
        How the recorded axes are, such as ``swapped``. Empty if they are as the model has them.
    turn : ndarray of float64, shape (axes, axes)
        Recorded velocity = ``turn`` @ velocity of the model, apart from its size.
    order : str
        How the channels are ordered, such as ``reversed``. Empty if they are as in the model.
    channels : ndarray of int64, shape (channels,)
        The channel of the model for each channel of the recording.
    recognised : bool
        Whether the channels carry what the model expects of them, in this order. Without that,
        neither the order nor the axes are known.
    silent : list of int
        Channels that the model uses, and that have no spike.
    """

    axes: str
    turn: np.ndarray
    order: str
    channels: np.ndarray
    recognised: bool
    silent: list[int]


def diagnose(model: IntegerModel, recording: Recording) -> Diagnosis:
    """Find what has changed between the recordings of ``model`` and ``recording``.

    Raises
    ------
    InputError
        If the recording has other channels or another dt than the model, or no velocity.
    """
    wanted = target_velocity(recording)
    if model.axes != wanted.shape[1]:
        raise InputError(f"Model {model.name} must have as many axes as recording "
                         f"{recording.name}, {wanted.shape[1]}, not {model.axes}")
    recording.check_fits(model.channels, model.dt)
    order, channels, recognised = _order(model, recording)
    model = corrected(model, channels=channels)
    axes, turn = _turned(decoded(model, recording), wanted) if recognised else ("", np.eye(2))
    spikes = np.bincount(recording.channel, minlength=recording.channels)
    return Diagnosis(axes=axes, turn=turn, order=order, channels=channels, recognised=recognised,
                     silent=np.flatnonzero((model.channel_row >= 0) & (spikes == 0)).tolist())


def corrected(model: IntegerModel, *, channels: np.ndarray | None = None,
              turn: np.ndarray | None = None) -> IntegerModel:
    """``model`` for other channels and axes. The host applies both: the core stays the same."""
    if channels is not None:
        model = replace(model, channel_row=model.channel_row[channels])
    if turn is not None:
        model = replace(model, readout=turn @ model.readout, offset=turn @ model.offset)
    return model


def decoded(model: IntegerModel, recording: Recording) -> np.ndarray:
    """Velocity of golden at the time of the published code, float64 (steps, axes)."""
    answer = run_golden(model, recording, CoreConfig())
    return published_time(answer.velocity, model.lead_steps, recording.reset)


def affine(given: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``turn`` and ``offset`` with the smallest error of ``turn @ given + offset``.

    Both arrays are float64 of shape (steps, axes).
    """
    columns = np.hstack([given, np.ones((len(given), 1))])
    found   = np.linalg.lstsq(columns, wanted, rcond=None)[0].T
    return found[:, :-1], found[:, -1]


def _turned(given: np.ndarray, wanted: np.ndarray) -> tuple[str, np.ndarray]:
    """Name and matrix of the change of axes between ``given`` and ``wanted``.

    Both are float64 of shape (steps, 2). Each axis may have another size and offset.
    """
    scores = {name: _explained(given @ np.array(turn).T, wanted) for name, turn in SIGNED.items()}
    usual, *others = scores
    best = max(scores, key=lambda name: scores[name])
    turn = np.array(SIGNED[best], float)
    a, b = given - given.mean(0), wanted - wanted.mean(0)
    for flip in (np.diag([1.0, 1.0]), np.diag([1.0, -1.0])):
        both  = (a @ flip).T @ b
        angle = np.arctan2(both[0, 1] - both[1, 0], both[0, 0] + both[1, 1])
        round_ = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ flip
        name  = (f"rotated by {np.degrees(angle):.0f} degrees"
                 + (" after a flip of y" if flip[1, 1] < 0 else ""))
        score = _explained(given @ round_.T, wanted)
        if score > scores[best] + CLEARLY / 2:
            scores[name], best, turn = score, name, round_
    if best == usual or scores[best] < scores[usual] + CLEARLY:
        return "", np.eye(2)
    return best, turn


def _explained(given: np.ndarray, wanted: np.ndarray) -> float:
    """Share of the variance that ``gain * given + offset`` explains with gains of 0 or more."""
    a, b = given - given.mean(0), wanted - wanted.mean(0)
    gain = (a * b).sum(0) / np.maximum((a * a).sum(0), np.finfo(float).tiny)
    return float(np.nan_to_num(r_squared(b, gain.clip(0) * a)).mean())


def _order(model: IntegerModel, recording: Recording) -> tuple[str, np.ndarray, bool]:
    """Name of the order of the channels, the order, and whether the model knows the channels.

    What the model makes of random spikes of a channel is compared with how the velocity depends on
    the channel. The order in which both agree best is the right one.
    """
    noise   = _noise(recording)
    weights = _dependence(noise, decoded(model, noise), 0.01)
    tuning  = _dependence(recording, target_velocity(recording), 3.0)
    usual   = np.arange(recording.channels)
    rng     = np.random.default_rng(1)
    chance  = np.sort([_agreement(weights[rng.permutation(usual)], tuning) for _ in range(RANDOM)])
    if _agreement(weights, tuning) > chance[-RANDOM // 100]:
        return "", usual, True
    scores  = [(_agreement(weights[order], tuning), name, order)
               for name, order in _orders(recording.channels)]
    score, name, order = max(scores, key=lambda entry: entry[0], default=(0.0, "", usual))
    return (name, order, True) if score > FACTOR * chance[-1] else ("", usual, False)


def _noise(recording: Recording) -> Recording:
    """Independent Poisson spikes in all channels, at the mean rate of ``recording``."""
    steps  = max(NOISE_STEPS, round(NOISE_SECONDS / recording.dt))
    mean   = len(recording.channel) / recording.steps / recording.channels
    counts = np.random.default_rng(1).poisson(mean, (steps, recording.channels))
    return replace(
        recording, name="noise", velocity=None, reset=np.arange(steps) == 0,
        channel=np.repeat(np.tile(np.arange(recording.channels), steps), counts.ravel()),
        start=np.concatenate([[0], np.cumsum(counts.sum(1))]))


def _dependence(recording: Recording, wanted: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge regression of ``wanted`` on the counts of channels: float64 (channels, axes).

    ``penalty`` is in units of the mean variance of a count. Axes have a standard deviation of 1.
    """
    wanted = (wanted - wanted.mean(0)) / np.maximum(wanted.std(0), np.finfo(float).tiny)
    counts = np.concatenate([
        lagged_counts(recording, first, min(first + CHUNK, recording.steps), BINS)
        .reshape(-1, BINS, recording.channels).sum(1)
        for first in range(0, recording.steps, CHUNK)]).astype(np.float64)
    counts -= counts.mean(0)
    square  = counts.T @ counts
    size    = penalty * np.trace(square) / recording.channels + np.finfo(float).tiny
    return np.linalg.solve(square + size * np.eye(recording.channels), counts.T @ wanted)


def _agreement(weights: np.ndarray, tuning: np.ndarray) -> float:
    """Share of ``tuning`` that linear functions of ``weights`` explain; both (channels, axes)."""
    left = tuning - weights @ np.linalg.lstsq(weights, tuning, rcond=None)[0]
    return float(1 - np.square(left).sum() / max(np.square(tuning).sum(), np.finfo(float).tiny))


def _orders(channels: int) -> Iterator[tuple[str, np.ndarray]]:
    """Orders in which channels get mixed up: the channel of the model for each recorded channel."""
    usual = np.arange(channels)
    yield "reversed", usual[::-1]
    for shift in range(1, channels):
        yield f"shifted: channel 0 is channel {shift} of the model", np.roll(usual, -shift)
    for size in (size for size in range(2, channels) if channels % size == 0):
        blocks = usual.reshape(-1, size)
        yield f"reversed in each block of {size}", blocks[:, ::-1].ravel()
        yield f"in blocks of {size} whose order is reversed", blocks[::-1].ravel()
        yield f"interleaved: channel 1 is channel {size} of the model", blocks.T.ravel()
