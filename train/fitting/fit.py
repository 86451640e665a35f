# SPDX-License-Identifier: Apache-2.0
"""The recipe: surrogate gradients on windows of a recording, activity bounds, pruning, rounding.

The network learns to answer at the earliest time: in the step of its last input, as the hardware.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import dropout
from tqdm import tqdm

from spikewright.network.recording import Recording

from ..recording import check_events, held_out, mean_and_scale, target_velocity
from ..threads import one_thread
from .initial import initialise, slow_down, slowness
from .kept_state import KeptState, training_key
from .loop import loop_steps
from .model import TinyRSNN
from .predict import predict
from .pruning import PRUNING, apply_masks, prune, sparsity_at, trimmed
from .recipe import Recipe
from .smorms3 import SMORMS3
from .windows import Windows

__all__ = ["JUDGED", "Point", "Training", "fit", "scaled"]

#: Networks from which the best is kept.
JUDGED = 20


@dataclass(frozen=True)
class Point:
    """A point of the learning curves, after an epoch.

    ``error`` is the mean over the batches of the epoch, and ``hertz`` their mean rate of the hidden
    units. ``validation`` is the error of the last network that was judged on the validation part,
    infinite before the first, and ``pruned`` the part of the weights that is 0.
    """
    epoch: int
    error: float
    validation: float
    hertz: float
    pruned: float


class Training:
    """A training that can stop after any batch, and go on later to the same result.

    Parameters
    ----------
    recording : Recording
        Its velocity has the scale of the outputs.
    recipe : Recipe
    start : TinyRSNN, optional
        The network to begin with. By default, its weights are random.

    Members
    -------
    done, total : int
        Batches.
    best : TinyRSNN
        The network with the least error on the validation part, so far.
    curves : list of Point
        One for each epoch so far.
    """
    def __init__(self, recording: Recording, recipe: Recipe, start: TinyRSNN | None = None):
        seen, self.judged = held_out(recording, recipe.validation)
        self.recipe  = recipe
        self.windows = Windows(seen, recipe)
        self.rng     = np.random.default_rng(recipe.seed)
        self.model   = TinyRSNN(recording.channels, recipe.hidden, 2, recording.dt, "earliest")
        if start is None:
            slow_down(self.model)
            initialise(self.model, float(self.windows.spikes.float().mean()),
                        torch.Generator().manual_seed(recipe.seed))
        else:
            self.model.load_state_dict(start.state_dict())
        self.model.to(recipe.device)
        if not recipe.compiled:
            self.model.run_steps = loop_steps
        self.steps     = (self.model if recipe.device == "cpu" else
                          captured(self.model, self.windows.length, self.windows.batch))
        self.total     = recipe.epochs * self.windows.per_epoch
        self.done      = 0
        self.least     = np.inf
        self.last      = np.inf             # error of the last network that was judged
        self.best      = self.model
        self.sparsity  = 0.0
        self.masks: list[tuple[Tensor, Tensor]] = []
        self.batches: list[tuple[float, float]] = []    # error and rate of those of the epoch
        self.curves: list[Point] = []
        self.optimiser = SMORMS3(self.model.parameters(), lr=recipe.learning_rate)
        self.schedule  = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, self.total)
        torch.manual_seed(recipe.seed)              # of the dropout

    def run(self, progress: bool, kept: KeptState | None = None) -> None:
        """Train until the end."""
        quiet = None if progress else True      # None: quiet unless standard error is a terminal
        with tqdm(total=self.total, initial=self.done, disable=quiet, unit="batch", leave=None,
                  dynamic_ncols=True) as bar:
            while self.done < self.total:
                error, active = self._batch()
                bar.set_postfix(error=f"{error:.3f}", validation=f"{self.least:.3f}",
                                hertz=f"{active:.1f}", refresh=False)
                bar.update()
                if kept:
                    kept.save_now_and_then()

    def _batch(self) -> tuple[float, float]:
        batch = tuple(part.to(self.recipe.device) for part in self.windows.draw(self.rng))
        error, active = _step(self.model, batch, self.recipe, self.optimiser, self.steps)
        self.schedule.step()
        self.done += 1
        wanted = sparsity_at(self.done / self.total, self.recipe.sparsity)
        if wanted > self.sparsity:
            self.masks, self.sparsity = prune(self.model, wanted), wanted
        apply_masks(self.masks)
        judge = max(1, round(self.total * (1 - PRUNING[1]) / JUDGED))
        if self.sparsity == self.recipe.sparsity and (self.total - self.done) % judge == 0:
            now = deepcopy(self.model).cpu()
            self.last = _error(now, self.judged)
            if self.last < self.least:
                self.least, self.best = self.last, now
        self.batches.append((error, active))
        if self.done % self.windows.per_epoch == 0:
            wrong, hertz = np.mean(self.batches, axis=0).tolist()
            self.batches = []
            self.curves.append(Point(epoch=self.done // self.windows.per_epoch, error=wrong,
                                     validation=self.last, hertz=hertz, pruned=self.sparsity))
        return error, active

    def state(self) -> dict:
        """All that a training of the same recipe and recording needs to go on from here."""
        return {"done": self.done, "least": self.least, "last": self.last,
                "batches": self.batches, "sparsity": self.sparsity,
                "masks": [mask for _, mask in self.masks],
                "curves": [list(vars(point).values()) for point in self.curves],
                "model": self.model.state_dict(), "best": self.best.state_dict(),
                "optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict(),
                "rng": self.rng.bit_generator.state, "dropout": self._chance().get_rng_state()}

    def restore(self, state: dict) -> None:
        """Go on from ``state``."""
        self.done, self.sparsity = state["done"], state["sparsity"]
        self.least, self.last, self.batches = state["least"], state["last"], state["batches"]
        self.curves = [Point(*values) for values in state["curves"]]
        self.model.load_state_dict(state["model"])
        self.best = deepcopy(self.model).cpu()
        self.best.load_state_dict(state["best"])
        self.masks = list(zip(self.model.matrices(), state["masks"], strict=False))
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.rng.bit_generator.state = state["rng"]
        self._chance().set_rng_state(state["dropout"])

    def _chance(self):
        """What draws the random numbers of the dropout."""
        return torch if self.recipe.device == "cpu" else torch.cuda


def fit(recording: Recording, recipe: Recipe, *, start: TinyRSNN | None = None,
        state: Path | None = None, curves: list[Point] | None = None, progress: bool = True
        ) -> TinyRSNN:
    """Train a network on a recording that has ``velocity``.

    Minimises the root mean square error of the velocity at the earliest time. Each axis is scaled
    to a mean of 0 and a standard deviation of 1. The scale goes into the readout weights at the
    end, and the mean into the offset, so the network answers in the unit of ``velocity``. Its
    parameters come back rounded to float16. Runs on one thread, so that a seed gives one result on
    one machine. On a GPU, the steps are one CUDA graph.

    The last part of the recording, ``recipe.validation``, is only used to choose among the networks
    of the last quarter of the batches: the one with the smallest error there is kept.

    Parameters
    ----------
    recording : Recording
    recipe : Recipe
    start : TinyRSNN, optional
        The network to begin with, in the unit of ``velocity``. By default, its weights are random.
    state : Path, optional
        File for the state of the training. If it has the state of the same training, this one goes
        on from there, to the same result. The caller removes the file once the network is written.
    curves : list, optional
        Gets a point for each epoch of this training.
    progress : bool
        Draw a bar if standard error is a terminal.
    """
    mean, scale = mean_and_scale(recording)
    check_events(recording)

    gpus = [] if recipe.device == "cpu" else [torch.cuda.current_device()]
    with one_thread(), torch.random.fork_rng(devices=gpus):
        training = Training(
            replace(recording, velocity=(target_velocity(recording) - mean) / scale), recipe,
            scaled(start, 1 / scale) if start else None)
        kept = (KeptState(state, training, training_key(recipe, [recording], start)) if state
                else None)
        training.run(progress, kept)
        if kept:
            kept.save()
    if curves is not None:
        curves += training.curves
    model = scaled(training.best, scale)
    model.offset = mean.tolist()
    return trimmed(model.rounded(), recipe.sparsity)


def scaled(model: TinyRSNN, scale: np.ndarray) -> TinyRSNN:
    """A copy of ``model`` whose outputs, without the offset, are multiplied by ``scale``."""
    model = model.from_state(model.state_dict(), model.dt, model.time, model.offset)
    model.con3.op.weight.data *= torch.from_numpy(scale).float()[:, None]
    return model


def _error(model: TinyRSNN, recording: Recording) -> float:
    """Root mean square error over both axes."""
    wrong = predict(model, recording)[0] - target_velocity(recording)
    return float(np.sqrt(np.square(wrong).mean()))


def captured(model: TinyRSNN, steps: int, batch: int) -> Callable:
    """The steps of ``model``, forward and backward, as a CUDA graph for one shape of spikes.

    It works with the parameters of the model, also after they have changed.
    """
    spikes = torch.zeros(steps, batch, model.con1.op.in_features, device="cuda")
    # The method `forward` of what is captured is replaced. The model keeps its own.
    return torch.cuda.make_graphed_callables(torch.nn.Sequential(model), (spikes,))


def _step(model: TinyRSNN, batch: tuple[Tensor, ...], recipe: Recipe,
          optimiser: torch.optim.Optimizer, steps: Callable | None = None) -> tuple[float, float]:
    """One update; gives the error, 1 for a silent network, and the mean rate of hidden units.

    ``steps`` does what calling ``model`` does, if it is given.
    """
    spikes, target, mask = batch
    output, hidden = (steps or model)(dropout(spikes, recipe.dropout))
    error  = ((output - target).square() * mask).sum() / (2 * mask.sum())
    rates  = (hidden * mask).sum((0, 1)) / (mask.sum() * model.dt)
    silent = (recipe.lowest - rates).relu().square().mean()
    busy   = (rates.mean() - recipe.highest * slowness(model.dt)).relu().square()
    error  = (error + 1e-12).sqrt()             # with a gradient at 0
    optimiser.zero_grad()
    (error + 0.02 * silent + 0.02 * busy).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    return error.item(), rates.mean().item()
