# SPDX-License-Identifier: Apache-2.0
"""Windows of a recording at random positions, in batches."""

import numpy as np
import torch
from torch import Tensor

from spikewright.network.recording import Recording

from ..recording import dense, target_velocity, trials
from .recipe import Recipe

__all__ = ["Windows"]


class Windows:
    """Batches of windows that never cross a reset; shorter windows are padded and masked."""
    def __init__(self, recording: Recording, recipe: Recipe):
        self.spikes    = torch.from_numpy(dense(recording))
        self.velocity  = torch.from_numpy(target_velocity(recording)).float()
        self.trials    = np.array(trials(recording))
        self.length    = max(1, min(round(recipe.window / recording.dt),
                                    int(np.ptp(self.trials, 1).max())))
        self.batch     = recipe.batch
        self.settle    = round(recipe.settle / recording.dt)
        # A trial is drawn as often as it is long, and a window has no more steps than its trial.
        lengths = np.ptp(self.trials, 1)
        drawn   = int((lengths * np.minimum(lengths, self.length)).sum())
        self.per_epoch = -(-recording.steps**2 // (drawn * self.batch))

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Spikes (steps, batch, channels), target (steps, batch, 2), mask (steps, batch, 1).

        The state of a window begins at 0. Within a trial it would not, so the first steps of such a
        window do not count.
        """
        inside = rng.integers(self.trials[-1, 1], size=self.batch)
        trial, stop = self.trials[np.searchsorted(self.trials[:, 1], inside, side="right")].T
        start = np.maximum(trial, np.minimum(inside, stop - self.length))
        place = np.arange(self.length)[:, None]
        steps = torch.from_numpy(start + place)
        known = (steps < torch.from_numpy(stop))[..., None]
        mask  = known & torch.from_numpy((place >= self.settle) | (start == trial))[..., None]
        steps = steps.clamp(max=len(self.spikes) - 1)
        return self.spikes[steps].float() * known, self.velocity[steps], mask
