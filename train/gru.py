# SPDX-License-Identifier: Apache-2.0
"""A recurrent network of gated units (GRU) in torch, to compare a network with."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, mse_loss
from tqdm import tqdm

from spikewright.network.recording import Recording

from .fitting.fit import JUDGED
from .fitting.predict import chunks
from .fitting.recipe import Recipe
from .fitting.windows import Windows
from .recording import check_events, dense, held_out, target_velocity, trials
from .threads import one_thread

__all__ = ["GRU", "fit_gru", "gru_velocity"]


class GRU(nn.Module):
    """``units`` gated units on the counts of each step, and an affine function of them.

    Counts and outputs have a mean of 0 and a standard deviation of 1 in the part that it learns.
    """
    def __init__(self, seen: Recording, units: int):
        super().__init__()
        counts, moved = dense(seen), target_velocity(seen)
        self.mean  = torch.from_numpy(counts.mean(0, dtype=np.float64)).float()
        self.size  = torch.from_numpy(counts.std(0, dtype=np.float64)).float().clamp(min=1e-3)
        self.shift, self.scale = moved.mean(0), moved.std(0) + np.finfo(float).tiny
        self.units = nn.GRU(seen.channels, units)
        self.last  = nn.Linear(units, moved.shape[1])

    def forward(self, counts: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Outputs (steps, batch, axes), and the state for the steps that follow."""
        hidden, state = self.units((counts - self.mean) / self.size, state)
        return self.last(hidden), state


def fit_gru(seen: Recording, *, units: int = 64, batches: int = 1000, rate: float = 3e-3,
            seed: int = 0, progress: bool = True) -> GRU:
    """Train on ``seen``; its last 10 % choose the best of the networks of the last quarter.

    Windows of 2 s, 64 in a batch, whose first 0.25 s do not count, Adam with a rate that falls as
    a half cosine, and 10 % of the counts left out: as for the spiking networks.
    """
    check_events(seen)
    recipe = Recipe(seed=seed)
    learnt, judged = held_out(seen, recipe.validation)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model     = GRU(learnt, units)
        windows   = Windows(replace(learnt, velocity=(target_velocity(learnt) - model.shift)
                                    / model.scale), recipe)
        rng       = np.random.default_rng(seed)
        optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        schedule  = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, batches)
        best, least = model, np.inf
        judge     = max(1, batches // 4 // JUDGED)
        for done in tqdm(range(1, batches + 1), disable=None if progress else True, unit="batch",
                         leave=None, dynamic_ncols=True, desc="GRU"):
            counts, target, mask = windows.draw(rng)
            output, _ = model(dropout(counts, recipe.dropout))
            optimiser.zero_grad()
            mse_loss(output * mask, target * mask).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            if done > 0.75 * batches and (batches - done) % judge == 0:
                wrong = float(np.square((gru_velocity(model, judged) - target_velocity(judged))
                                        / model.scale).mean())
                if wrong < least:
                    best, least = deepcopy(model), wrong
    return best


def gru_velocity(model: GRU, recording: Recording) -> np.ndarray:
    """Velocity of each step once its counts are known, float64 (steps, axes)."""
    velocity = np.empty((recording.steps, len(model.shift)))
    with torch.no_grad():
        for start, stop in trials(recording):
            state = None
            for first, counts in chunks(recording.cut(start, stop)):
                output, state = model(counts, state)
                velocity[start + first:start + first + len(counts)] = output[:, 0].numpy()
    return velocity * model.scale + model.shift
