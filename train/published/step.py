# SPDX-License-Identifier: Apache-2.0
"""A batch of the published training: dropout, loss and bounds of activity."""

import torch
from torch import Tensor
from torch.nn.functional import dropout

from ..fitting.kernel import run_steps
from ..fitting.model import TinyRSNN
from .recipe import PublishedRecipe

__all__ = ["bounds", "r2", "run_noisy"]


def run_noisy(model: TinyRSNN, spikes: Tensor, recipe: PublishedRecipe) -> tuple[Tensor, Tensor]:
    """Outputs and hidden spikes of samples with dropout.

    Each spike of the input, and each that a hidden neuron sends, is left out by chance. Those that
    stay are larger, so that the mean stays. The hidden spikes that come back are those before
    dropout.

    Parameters
    ----------
    model : TinyRSNN
    spikes : float32, (steps, batch, channels)
    recipe : PublishedRecipe
    """
    shape = *spikes.shape[:2], recipe.hidden
    stay  = 1 - recipe.dropout
    into, recurrent, *_ = model.matrices()
    decays = model.decays()
    heads, hidden = run_steps(dropout(spikes, recipe.dropout) @ into.T, recurrent / stay,
                              model.readout() / stay, decays, steep=recipe.steep,
                              sent=torch.rand(shape) < stay)
    # Readouts are linear: their first membrane is added, as it decays.
    steps = torch.arange(1, len(spikes) + 1)[:, None, None]
    return model.mean(heads + recipe.readout * decays[3] ** steps), hidden


def bounds(hidden: Tensor, recipe: PublishedRecipe) -> Tensor:
    """Penalty for silent neurons, and for samples in which the mean of the neurons is too busy.

    ``hidden`` has the spikes, (steps, batch, hidden).
    """
    count = hidden.sum(0)
    silent = (recipe.fewest - count).relu().square().mean()
    busy = (count.mean(1) - recipe.most).relu().square().mean()
    return recipe.fewest_strength * silent + recipe.most_strength * busy


def r2(output: Tensor, target: Tensor) -> float:
    """R2 over the samples and steps of a batch, mean of the axes that move; NaN if none does."""
    wrong  = (target - output).square().sum((0, 1))
    spread = (target - target.mean((0, 1))).square().sum((0, 1))
    return float((1 - wrong / spread)[spread > 0].mean())
