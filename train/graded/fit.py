# SPDX-License-Identifier: Apache-2.0
"""Training of graded networks: NeuroBench's ANN, ANN_Flat and SNN_Flat, and the hybrid network."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn
from tqdm import tqdm

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.network.graded.window import Sum, Window
from spikewright.network.recording import Recording
from spikewright.network.state_dicts.srtnet import KEYPOINT

from ..recording import check_events, dense, held_out, target_velocity, trials
from ..threads import one_thread
from .models import Ann, Hybrid, Leaky, SnnFlat
from .recipe import GradedRecipe

__all__ = ["fit_graded", "save_graded"]

Model = Ann | SnnFlat | Hybrid

MODELS: dict[str, Callable[[int, float], Model]] = {
    "ann": Ann, "ann_flat": lambda channels, dt: Ann(channels, dt, flat=True),
    "snn_flat": SnnFlat, "srtnet": Hybrid}

# A batch of sums, of steps at random.
BATCH = 256

# Fewest and most windows of a batch of the hybrid network, their length in seconds, and the first
# part of a window that begins within a trial. It does not count, because the state is not that of
# the trial.
WINDOWS, WINDOW, SETTLE = (4, 32), 2.0, 0.25

# Fewest batches of an epoch of windows.
FEWEST = 8

# Most steps that the first weights of the hybrid network are scaled on.
LONGEST = 10_000


class _Sums:
    """Sums of the windows that end in each step, with what the subject does in the step."""
    def __init__(self, recording: Recording, window: Sum | Window, target: np.ndarray):
        edges, steps = [], []
        for start, stop in trials(recording):
            own = window.edges(stop - start)
            edges.append(start + own)
            steps.append(np.arange(stop - len(own), stop))
        self.edges = torch.from_numpy(np.concatenate(edges))
        self.target = torch.from_numpy(target[np.concatenate(steps)]).float()
        total = np.cumsum(dense(recording), axis=0, dtype=np.int32)
        self.total = torch.from_numpy(np.concatenate([np.zeros_like(total[:1]), total])).float()

    def __len__(self) -> int:
        return -(-len(self.edges) // BATCH)

    def batches(self, rng: np.random.Generator):
        """Pairs of sums (batch, parts, channels) and targets (batch, 2), each step once."""
        order = torch.from_numpy(rng.permutation(len(self.edges)))
        for chosen in order.split(BATCH):
            yield self.sums(chosen), self.target[chosen]

    def sums(self, chosen: Tensor) -> Tensor:
        found = self.total[self.edges[chosen]]
        return found[:, 1:] - found[:, :-1]

    def step(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Loss of a batch."""
        sums, target = batch
        return (model(sums) - target).square().mean().sqrt()

    @torch.no_grad()
    def error(self, model: nn.Module) -> float:
        """Root mean square error over all steps."""
        wrong = [(model(self.sums(chosen)) - self.target[chosen]).square().sum()
                 for chosen in torch.arange(len(self.edges)).split(32 * BATCH)]
        return float((torch.stack(wrong).sum() / self.target.numel()).sqrt())


class _Windows:
    """Windows of counts for the hybrid network, at random places that do not cross a reset."""
    def __init__(self, recording: Recording, target: np.ndarray):
        self.counts = torch.from_numpy(dense(recording))
        self.target = torch.from_numpy(target).float()
        self.trials = np.array(trials(recording))
        longest = int(np.ptp(self.trials, axis=1).max())
        self.length = KEYPOINT * (min(round(WINDOW / recording.dt), longest) // KEYPOINT)
        self.settle = round(SETTLE / recording.dt)
        windows = len(self.counts) // max(self.length, 1)
        self.batch = int(np.clip(windows // FEWEST, *WINDOWS))
        self.batches_of_epoch = max(FEWEST, windows // self.batch) if self.length else 0

    def __len__(self) -> int:
        return self.batches_of_epoch

    def batches(self, rng: np.random.Generator):
        """Steps (windows, length), the first step of their trial, and the step after its last."""
        for _ in range(len(self)):
            inside = rng.integers(len(self.counts), size=self.batch)
            first, stop = self.trials[np.searchsorted(self.trials[:, 1], inside, side="right")].T
            start = np.maximum(first, np.minimum(inside, stop - self.length))
            yield start[:, None] + np.arange(self.length), first[:, None], stop[:, None]

    def step(self, model: nn.Module, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Tensor:
        """Loss of a batch: the error of keypoints, and some more for neurons that never fire."""
        steps, first, stop = batch
        inside = torch.from_numpy(steps < stop)[..., None]
        counts = self.counts[torch.from_numpy(np.minimum(steps, stop - 1))].float() * inside
        keys, spikes = model(nn.functional.dropout(counts, 0.1))
        known = steps[:, KEYPOINT - 1::KEYPOINT]
        counted = torch.from_numpy((known < stop) & (
            (known - steps[:, :1] >= self.settle) | (steps[:, :1] == first)))[..., None]
        wrong = (keys - self._reached(known, stop)).square() * counted
        silent = (0.02 - spikes.mean(dim=(0, 1))).relu().square().mean()
        return (wrong.sum() / (2 * counted.sum()).clamp(min=1)).sqrt() + 10 * silent

    def _reached(self, known: np.ndarray, stop: np.ndarray) -> Tensor:
        """Targets of the keypoints of steps ``known``: the line reaches one 3 steps later."""
        return self.target[torch.from_numpy(np.minimum(known + KEYPOINT - 1, stop - 1))]

    @torch.no_grad()
    def error(self, model: nn.Module) -> float:
        """Root mean square error over all keypoints."""
        wrong = []
        for first, stop in self.trials:
            keys, _ = model(self.counts[None, first:stop].float())
            known = np.arange(first + KEYPOINT - 1, stop, KEYPOINT)
            wrong.append((keys[0] - self._reached(known, np.array(stop))).square())
        return float(torch.cat(wrong).mean().sqrt())


def fit_graded(recording: Recording, recipe: GradedRecipe, *,
               progress: bool = True) -> dict[str, np.ndarray]:
    """Train ``recipe.network`` on a recording that has ``velocity``.

    Minimises the root mean square error of the velocity, each axis less its mean and over its
    deviation, in the step in which the hardware answers. Adam, with a rate that falls as a half
    cosine. The last part of the recording, ``recipe.validation``, only chooses the best epoch. Runs
    on one thread, so that a seed gives one result on one machine.

    Returns
    -------
    dict of str to ndarray
        The state dict. The network answers in the unit of ``velocity``.
    """
    velocity = target_velocity(recording)
    mean, deviation = velocity.mean(axis=0), velocity.std(axis=0)
    if not (deviation > 0).all():
        raise InputError(f"{recording.target_title} must change on both axes to train "
                         "on, not be constant")
    check_events(recording)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = MODELS[recipe.network](recording.channels, recording.dt)
        model = _train(model, recording, (velocity - mean) / deviation, recipe, progress)
    model.scale(torch.from_numpy(mean).float(), torch.from_numpy(deviation).float())
    return {key: value.numpy() for key, value in model.state_dict().items()}


def _train(model: Model, recording: Recording, target: np.ndarray, recipe: GradedRecipe,
           progress: bool) -> Model:
    seen, judged = held_out(recording, recipe.validation)
    learnt, validation = (
        _Windows(part, own) if isinstance(model, Hybrid) else _Sums(part, model.window, own)
        for part, own in ((seen, target[:seen.steps]), (judged, target[seen.steps:])))
    if not (len(learnt) and len(validation)):
        raise InputError(f"Recording {recording.name} trials, also in the part that validates, "
                         "must be as long as the window of the network to train on, not shorter")
    rng = np.random.default_rng(recipe.seed)
    if isinstance(model, Hybrid) and isinstance(learnt, _Windows):
        model.begin(learnt.counts[None, :LONGEST].float())
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, weight_decay=1e-5)
    total = recipe.epochs * len(learnt)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, total)
    leaky = [part for part in model.modules() if isinstance(part, Leaky)]
    least, best = np.inf, model
    quiet = None if progress else True          # None: quiet unless standard error is a terminal
    with tqdm(total=total, disable=quiet, unit="batch", leave=None, dynamic_ncols=True) as bar:
        for _ in range(recipe.epochs):
            model.train()
            for batch in learnt.batches(rng):
                error = learnt.step(model, batch)
                optimiser.zero_grad()
                error.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                for neurons in leaky:
                    neurons.keep()
                schedule.step()
                bar.update()
            model.eval()
            wrong = validation.error(model)
            if wrong < least:
                least, best = wrong, deepcopy(model)
            bar.set_postfix(error=f"{error.item():.3f}", validation=f"{least:.3f}")
    return best.eval()


def save_graded(path: Path, tensors: dict[str, np.ndarray], dt: float) -> None:
    """Write a state dict to a .safetensors file, with ``dt`` in its metadata."""
    with written_file(path) as temporary:
        save_file(tensors, temporary, {"dt": f"{dt:.17g}"})
