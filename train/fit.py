# SPDX-License-Identifier: Apache-2.0
"""The recipe: surrogate gradients on windows of a recording, activity bounds, pruning, rounding.

The network learns to answer at the earliest time: in the step of its last input, as the hardware.
"""

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import dropout
from tqdm import tqdm

from spikewright.base.errors import InputError
from spikewright.network.constants import DT
from spikewright.network.recording import Recording
from spikewright.network.state_dicts.rsnn import KEYS

from .model import TinyRSNN
from .recipe import Recipe
from .recording import dense, held_out, target_velocity, trials
from .smorms3 import SMORMS3

__all__ = ["fit", "predict"]

PRUNING = 0.4, 0.75         # parts of the batches between which the network is pruned
JUDGED  = 20                # networks from which the best is kept


class _Windows:
    """Batches of windows that never cross a reset; shorter windows are padded and masked."""
    def __init__(self, recording: Recording, recipe: Recipe):
        self.spikes    = torch.from_numpy(dense(recording))
        self.velocity  = torch.from_numpy(target_velocity(recording)).float()
        self.trials    = np.array(trials(recording))
        self.length    = max(1, min(round(recipe.window / recording.dt),
                                    int(np.ptp(self.trials, 1).max())))
        self.batch     = recipe.batch
        self.settle    = round(recipe.settle / recording.dt)
        self.per_epoch = -(-recording.steps // (self.length * self.batch))

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


def _slow_down(model: TinyRSNN) -> None:
    """Begin with longer time constants than the published ones if steps are longer than 4 ms.

    Otherwise, a synapse would keep exp(-5) of its current after a step of 50 ms.
    """
    factor = max(1.0, (model.dt / DT) ** 0.5)
    for key in KEYS:
        if "_param" in key:
            model.get_parameter(key).data.fill_(np.log(np.expm1(factor)))   # softplus gives it back


def _energy(a: Tensor, b: Tensor) -> Tensor:
    """Sum of squares of the membrane of a unit after one spike of weight 1."""
    return (1 - b).square() * (1 + a * b) / ((1 - a * b) * (1 - a.square()) * (1 - b.square()))


def _initialise(model: TinyRSNN, rate: float, generator: torch.Generator) -> None:
    """Draw weights such that membranes spread by 1 threshold, most of it from the input.

    This is the fluctuation-driven regime of Rossbroich et al., Neuromorph. Comput. Eng. 2 (2022).
    ``rate`` is in spikes per channel and step. Hidden units are assumed to fire 10 times a second.
    """
    a, b, ra, rb = model.decays()
    hidden = 10 * model.dt
    with torch.no_grad():
        for con, spikes, energy, variance in (
            (model.con1, rate,   _energy(a, b),   0.9),
            (model.con2, hidden, _energy(a, b),   0.1),
            (model.con3, hidden, _energy(ra, rb), 0.25),
        ):
            weight = con.op.weight
            weight.normal_(generator=generator)
            weight *= (variance / (weight.shape[1] * spikes * energy)).sqrt()[:, None]


def _prune(model: TinyRSNN, sparsity: float) -> list[tuple[Tensor, Tensor]]:
    """Weight matrices and the masks that keep their largest weights."""
    pruned = []
    for con in (model.con1, model.con2, model.con3):
        size  = con.op.weight.detach().abs()
        least = size.flatten().sort().values[int(sparsity * size.numel())]
        pruned.append((con.op.weight, size >= least))
    return pruned


def _sparsity(done: float, final: float) -> float:
    """Part of the weights that is pruned when a part ``done`` of the batches is done.

    It grows in tenths, fast at first, as the weights that matter least go first (Zhu and Gupta,
    "To prune, or not to prune", 2017).
    """
    steps = np.floor(np.clip((done - PRUNING[0]) / (PRUNING[1] - PRUNING[0]), 0, 1) * 10)
    return final * (1 - (1 - steps / 10) ** 3)


def fit(recording: Recording, recipe: Recipe, *, progress: bool = True) -> TinyRSNN:
    """Train a network on a recording that has ``velocity``.

    Minimises the root mean square error of the velocity at the earliest time. Each axis is scaled
    to a mean of 0 and a standard deviation of 1. The scale goes into the readout weights at the
    end, and the mean into the offset, so the network answers in the unit of ``velocity``. Its
    parameters come back rounded to float16. Runs on one thread, so that a seed gives one result on
    one machine. ``progress`` draws a bar if standard error is a terminal.

    The last part of the recording, ``recipe.validation``, is only used to choose among the networks
    of the last quarter of the batches: the one with the smallest error there is kept.
    """
    mean, scale = target_velocity(recording).mean(0), target_velocity(recording).std(0)
    if not ((1e-4 <= scale) & (scale <= 1e4)).all():
        raise InputError(f"Recording {recording.name} velocity must have a standard deviation "
                         "between 1e-4 and 1e4 on both axes, for float16 weights, "
                         f"not {scale.tolist()}")
    if not len(recording.channel):
        raise InputError(f"Recording {recording.name} must hold at least 1 event to train on, "
                         "not 0")

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = _train(replace(recording, velocity=(target_velocity(recording) - mean) / scale),
                       recipe, progress)
    finally:
        torch.set_num_threads(threads)
    model.offset = mean.tolist()
    model.con3.op.weight.data *= torch.from_numpy(scale).float()[:, None]
    return _trimmed(model.rounded(), recipe.sparsity)


def _trimmed(model: TinyRSNN, sparsity: float) -> TinyRSNN:
    """``model`` with zeros in at least the part ``sparsity`` of each matrix: training rounds it down."""
    for con in (model.con1, model.con2, model.con3):
        weight = con.op.weight.data
        weight.flatten()[weight.abs().flatten().argsort(stable=True)[
            :math.ceil(sparsity * weight.numel())]] = 0
    return model


def _train(recording: Recording, recipe: Recipe, progress: bool) -> TinyRSNN:
    """Train on a ``recording`` whose velocity has the scale that the network gives."""
    seen, judged = held_out(recording, recipe.validation)
    windows   = _Windows(seen, recipe)
    rng       = np.random.default_rng(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    model     = TinyRSNN(recording.channels, recipe.hidden, 2, recording.dt, "earliest")
    _slow_down(model)
    _initialise(model, float(windows.spikes.float().mean()), generator)

    total     = recipe.epochs * windows.per_epoch
    judge     = max(1, round(total * (1 - PRUNING[1]) / JUDGED))
    least     = np.inf
    best      = model
    optimiser = SMORMS3(model.parameters(), lr=recipe.learning_rate)
    schedule  = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, total)
    masks, sparsity = [], 0.0
    quiet = None if progress else True          # None: quiet unless standard error is a terminal
    with tqdm(total=total, disable=quiet, unit="batch", leave=None, dynamic_ncols=True) as bar, \
            torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        for done in range(1, total + 1):
            error, active = _step(model, windows.draw(rng), recipe, optimiser)
            schedule.step()
            wanted = _sparsity(done / total, recipe.sparsity)
            if wanted > sparsity:
                masks, sparsity = _prune(model, wanted), wanted
            _apply(masks)
            if sparsity == recipe.sparsity and (total - done) % judge == 0:
                wrong = _error(model, judged)
                if wrong < least:
                    least, best = wrong, deepcopy(model)
            bar.set_postfix(error=f"{error:.3f}", validation=f"{least:.3f}",
                            hertz=f"{active:.1f}", refresh=False)
            bar.update()
    return best


def _error(model: TinyRSNN, recording: Recording) -> float:
    """Root mean square error over both axes."""
    wrong = predict(model, recording)[0] - target_velocity(recording)
    return float(np.sqrt(np.square(wrong).mean()))


def _apply(masks: list[tuple[Tensor, Tensor]]) -> None:
    for weight, mask in masks:
        weight.data *= mask


def _step(model: TinyRSNN, batch: tuple[Tensor, Tensor, Tensor], recipe: Recipe,
          optimiser: torch.optim.Optimizer) -> tuple[float, float]:
    """One update; gives the error, 1 for a silent network, and the mean rate of hidden units."""
    spikes, target, mask = batch
    output, hidden = model(dropout(spikes, recipe.dropout))
    error  = ((output - target).square() * mask).sum() / (2 * mask.sum())
    rates  = (hidden * mask).sum((0, 1)) / (mask.sum() * model.dt)
    silent = (recipe.lowest - rates).relu().square().mean()
    busy   = (rates.mean() - recipe.highest).relu().square()
    error  = (error + 1e-12).sqrt()             # with a gradient at 0
    optimiser.zero_grad()
    (error + 0.02 * silent + 0.02 * busy).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    return error.item(), rates.mean().item()


def predict(model: TinyRSNN, recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Run a recording, with a reset at each trial.

    Returns
    -------
    output : float64, (steps, 2)
        Velocity, in the unit of the network.
    hidden : bool, (steps, hidden)
        Spikes of the hidden units.
    """
    spikes = dense(recording)
    with torch.no_grad():
        runs = [model(torch.from_numpy(spikes[start:stop, None]).float())
                for start, stop in trials(recording)]
    output, hidden = (torch.cat(parts)[:, 0].numpy() for parts in zip(*runs, strict=True))
    return output.astype(np.float64) + model.offset, hidden > 0
