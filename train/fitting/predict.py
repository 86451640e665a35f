# SPDX-License-Identifier: Apache-2.0
"""What a network in torch decodes from a recording."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from spikewright.network.recording import Recording
from spikewright.network.tensors import TIMES

from ..recording import dense, trials
from .model import HIDDEN_LEAD, LEAD, TinyRSNN

__all__ = ["CHUNK", "chunks", "predict"]

CHUNK = 1 << 12             # steps whose states are in memory at once


def predict(model: TinyRSNN, recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Run a recording, with a reset at each trial. Apart from the result, memory does not grow.

    Returns
    -------
    output : float64, (steps, outputs)
        Velocity, in the unit of the network.
    hidden : bool, (steps, hidden)
        Spikes of the hidden units.
    """
    output = np.empty((recording.steps, len(model.offset)))
    hidden = np.empty((recording.steps, len(model.con2.op.weight)), bool)
    with torch.no_grad():
        for first, stop in trials(recording):
            _run(model, recording.cut(first, stop), output[first:stop], hidden[first:stop])
    output += model.offset
    return output, hidden


def _run(model: TinyRSNN, trial: Recording, output: np.ndarray, hidden: np.ndarray) -> None:
    """Fill the outputs without the offset, and the spikes, of a trial from zero state."""
    output_lead, hidden_lead = (0, 0) if model.time == TIMES[0] else (LEAD, HIDDEN_LEAD)
    state = None
    for first, counts in chunks(trial, output_lead):
        said, fired, state = model.further(counts, state)
        _put(output, first - output_lead, said[:, 0].numpy())
        _put(hidden, first - hidden_lead, fired[:, 0].numpy() > 0)


def chunks(trial: Recording, more: int = 0) -> Iterator[tuple[int, Tensor]]:
    """First step and counts (steps, 1, channels) of the chunks of a trial.

    After the trial, there are ``more`` steps without a spike.
    """
    for first in range(0, trial.steps + more, CHUNK):
        seen   = trial.cut(min(first, trial.steps), min(first + CHUNK, trial.steps))
        silent = min(CHUNK, trial.steps + more - first) - seen.steps
        yield first, torch.from_numpy(np.pad(dense(seen), ((0, silent), (0, 0)))).float()[:, None]


def _put(whole: np.ndarray, first: int, part: np.ndarray) -> None:
    """Write ``part`` to ``whole``, from the row ``first`` on, without what is outside."""
    begin, stop = np.clip((first, first + len(part)), 0, len(whole))
    whole[begin:stop] = part[begin - first:stop - first]
