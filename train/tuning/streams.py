# SPDX-License-Identifier: Apache-2.0
"""A recording cut into pieces that run in parallel, chunk by chunk."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from spikewright.golden.run import stimulus_of
from spikewright.model.model import IntegerModel
from spikewright.network.recording import Recording

from ..recording import target_velocity
from .integer import Events

__all__ = ["Streams", "whole"]


class Streams:
    """Pieces of equal length. Every pass cuts at other steps, so no step is always the first.

    Parameters
    ----------
    model : IntegerModel
        The model that takes the events. The published code gives the same outputs ``lead_steps``
        steps later.
    recording : Recording
        With ``velocity``.
    length : int
        Steps of a chunk.
    batch : int
        Largest number of pieces; there are fewer if they would be shorter than 10 chunks.
    """
    def __init__(self, model: IntegerModel, recording: Recording, *, length: int, batch: int):
        self.stimulus = stimulus_of(model, recording)
        self.steps    = recording.steps
        self.length   = min(length, self.steps)
        pieces        = min(max(self.steps // (10 * self.length), 1), batch)
        self.piece    = -(-self.steps // (pieces * self.length)) * self.length
        self.pieces   = -(-self.steps // self.piece) + 1        # the first and last are partial
        self.chunks   = self.piece // self.length

        trial  = np.cumsum(recording.reset)
        wanted = np.arange(self.steps) + model.lead_steps
        inside = np.minimum(wanted, self.steps - 1)
        self.target = torch.from_numpy(target_velocity(recording)[inside])
        self.useful = torch.from_numpy((wanted < self.steps) & (trial[inside] == trial))

    def one_pass(self, rng: np.random.Generator) -> Iterator[tuple[Events, Tensor, Tensor]]:
        """Chunks in order: events, target (steps, pieces, axes), and mask (steps, pieces, 1)."""
        first = (np.arange(self.pieces) - 1) * self.piece + rng.integers(1, self.piece + 1)
        for chunk in range(self.chunks):
            step   = first + chunk * self.length + np.arange(self.length)[:, None]
            inside = (step >= 0) & (step < self.steps)
            step   = step.clip(0, self.steps - 1)
            mask   = self.useful[step] & torch.from_numpy(inside)
            yield events_at(self.stimulus, step, inside), self.target[step], mask[..., None]


def events_at(stimulus, step: np.ndarray, inside: np.ndarray) -> Events:
    """Events of the steps ``step``, int64 (steps, batch), if ``inside``; none elsewhere."""
    start = stimulus.start[step]
    count = np.where(inside, stimulus.start[step + 1] - start, 0)
    place = np.arange(count.max(initial=0))
    taken = place < count[..., None]
    index = np.where(taken, start[..., None] + place, 0)
    rows  = np.append(stimulus.row, -1)[np.where(taken, index, -1)]
    return Events(torch.from_numpy(rows), torch.from_numpy(stimulus.reset[step] & inside))


def whole(model: IntegerModel, recording: Recording) -> Events:
    """All of a recording as one stream."""
    step = np.arange(recording.steps)[:, None]
    return events_at(stimulus_of(model, recording), step, np.ones_like(step, bool))
