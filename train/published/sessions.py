# SPDX-License-Identifier: Apache-2.0
"""Public reaching sessions, in the steps and parts of the published training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spikewright.base.errors import InputError
from spikewright.network.constants import DT
from spikewright.network.recording import Recording, recording_of_counts
from spikewright.record.mat import read_mat
from spikewright.record.session import Motion

from ..recording import dense, target_velocity

__all__ = ["ARRAY", "LENGTH", "UNIT", "Parts", "Samples", "read_parts"]

#: Where the sessions are.
PAGE = "https://doi.org/10.5281/zenodo.583331"

#: Unit of the movement: the gradient of the position of the cursor, not divided by the step.
UNIT = "mm per step"

#: Channels of an array of electrodes. Loco has two of them.
ARRAY = 96

#: Steps of a sample, and from the begin of one to that of the next.
LENGTH, STRIDE = 500, 100

# Part of all steps that is for validation.
VALIDATION = 0.1 / 0.75

# Parts of ``DT`` by which two samples, and all of them on average, may be closer or further apart.
JITTER, DRIFT = 0.1, 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """Parts of a session, one after the other: to learn from, for validation, and for the test."""
    learn: Recording
    validation: Recording
    test: Recording
    seen: Recording             # the first two together


def read_parts(path: Path) -> Parts:
    """The parts of the session in the MATLAB file ``path``.

    Raises
    ------
    InputError
        If the file is missing, is no such session or too short, or a position is not known.
    """
    if not path.is_file():
        raise InputError(f"Session {path} must be a .mat file of the public reaching sessions, not "
                         f"missing: download it from {PAGE}, and give its path")
    if path.suffix.lower() != ".mat":
        raise InputError(f"Session {path} must be a .mat file of the public reaching sessions, "
                         f"{PAGE}, for the recipe published, not another file: the recipe default "
                         "takes recordings")
    try:
        session = read_mat(path, "cursor_pos", targets=True)
    except ImportError as error:
        raise InputError(f"Reading {path.name} needs {error.name}: install spikewright[record]"
                         ) from None
    motion, targets = session.motion, session.targets
    assert motion is not None and targets is not None       # as asked for
    recording = _binned(session.spikes, motion, path)
    target_velocity(recording)          # must be known in every step
    learn, test = _split(targets, recording.steps)
    if learn <= LENGTH:
        raise InputError(f"Session {path} must have more than {LENGTH} steps to learn from, before "
                         f"its validation and test part, not {max(learn, 0)}")
    return Parts(learn=recording.cut(0, learn), validation=recording.cut(learn, test),
                 test=recording.cut(test, recording.steps), seen=recording.cut(0, test))


def _binned(spikes: Sequence[np.ndarray], motion: Motion, path: Path) -> Recording:
    """The session in steps of ``DT``: whether a channel had a spike, and how the cursor moved.

    A step has the spikes between the two samples before its own.
    """
    times = motion.times
    apart = np.diff(times)
    wrong = np.flatnonzero(np.abs(apart - DT) > JITTER * DT)
    if len(wrong):
        raise InputError(f"{path} t must have a sample every {1e3 * DT:g} ms, not after "
                         f"{1e3 * apart[wrong[0]]:g} ms at sample {wrong[0] + 1}")
    if abs(apart.mean() - DT) > DRIFT * DT:
        raise InputError(f"{path} t must have a sample every {1e3 * DT:g} ms, not every "
                         f"{1e3 * apart.mean():g} ms on average")
    edges = np.arange(times[0] - DT, times[-1], DT)
    fired = np.zeros((len(times), len(spikes)), np.int8)
    for channel, seconds in enumerate(spikes):
        inside = seconds[(seconds >= edges[0]) & (seconds <= edges[-1])]
        step = np.searchsorted(edges, inside, side="right")     # one after the bin of the spike
        step[inside == edges[-1]] -= 1                          # the last bin has its end, too
        fired[step[step < len(times)], channel] = 1
    moved = np.gradient(motion.values.astype(np.float32), axis=0)
    return replace(recording_of_counts(fired, DT, path.name), velocity=moved.astype(np.float64),
                   unit=UNIT, source=f"{path.name}, {PAGE}")


def _split(targets: np.ndarray, steps: int) -> tuple[int, int]:
    """First steps of the validation and of the test part.

    A segment begins with the last sample before a change of the target. Half of the segments and
    half of the rest, both rounded down, are before the test part.
    """
    changes = np.flatnonzero((np.diff(targets, axis=0) != 0).any(axis=1))
    edges = [0, *changes.tolist(), steps]
    segments = len(edges) - 1
    test = edges[segments // 2 + (segments - segments // 2) // 2]
    return test - round(steps * VALIDATION), test


class Samples:
    """Samples of 2 s of the learning parts of sessions, which overlap.

    A sample that would end with the last step is dropped, as in the published code.

    Members
    -------
    rates : list of float
        Mean rate in Hz of the channels of each array, over all samples.
    """
    def __init__(self, learn: Sequence[Recording]):
        first, begins = 0, []
        for recording in learn:
            for offset in range(0, LENGTH, STRIDE):
                whole = (recording.steps - offset - 1) // LENGTH
                begins.append(first + offset + LENGTH * np.arange(whole))
            first += recording.steps
        self.begins = np.concatenate(begins)
        self.spikes = torch.from_numpy(np.concatenate([dense(each) for each in learn]))
        self.target = torch.from_numpy(np.concatenate(
            [target_velocity(each) for each in learn])).float()
        steps = len(self.spikes) + 1
        often = np.cumsum(np.bincount(self.begins, minlength=steps)         # samples with a step
                          - np.bincount(self.begins + LENGTH, minlength=steps))[:-1]
        arrays = [part.sum(1).numpy() / part.shape[1] for part in self.spikes.split(ARRAY, dim=1)]
        self.rates = [float(often @ array) / (len(self) * LENGTH * DT) for array in arrays]

    def __len__(self) -> int:
        return len(self.begins)

    def batch(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """Spikes (steps, batch, channels) and movement (steps, batch, 2) of the ``chosen`` ones."""
        steps = torch.from_numpy(self.begins[chosen] + np.arange(LENGTH)[:, None])
        return self.spikes[steps].float(), self.target[steps]
