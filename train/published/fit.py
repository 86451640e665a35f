# SPDX-License-Identifier: Apache-2.0
"""The published training: pre-training on sessions, fine-tuning on one, pruning in rounds."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from spikewright.network.constants import DT
from spikewright.network.recording import Recording

from ..fitting.fit import Point
from ..fitting.kept_state import KeptState, training_key
from ..fitting.model import BigRSNN, TinyRSNN
from ..fitting.predict import predict
from ..fitting.pruning import apply_masks, prune
from ..fitting.smorms3 import SMORMS3
from ..recording import check_events, mean_and_scale, target_velocity
from ..threads import one_thread
from .initial import initialise
from .pruning import prune_in_rounds
from .recipe import PublishedRecipe
from .sessions import Parts, Samples
from .step import bounds, r2, run_noisy

__all__ = ["NETWORKS", "Published", "Round", "fit_published"]

NETWORKS = {"tinyrsnn": TinyRSNN, "bigrsnn": BigRSNN}


@dataclass(frozen=True)
class Round:
    """A round of pruning: percent of each matrix, and R2 of the last epoch of the training."""
    percent: int
    r2: float


class _Epochs:
    """Epochs with an optimiser of their own; they can stop after any batch, and go on later."""
    def __init__(self, model: TinyRSNN, samples: Samples, judged: Sequence[Recording],
                 recipe: PublishedRecipe, *, number: int, epochs: int, period: int,
                 percent: int = 0):
        self.model, self.samples, self.judged, self.recipe = model, samples, judged, recipe
        self.number, self.percent = number, percent
        self.masks     = prune(model, percent / 100) if percent else []
        self.optimiser = SMORMS3(model.parameters(), lr=recipe.learning_rate)
        self.schedule  = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, period)
        self.per_epoch = -(-len(samples) // recipe.batch)
        self.total     = epochs * self.per_epoch
        self.done      = 0
        self.batches: list[list[float]] = []        # error, R2 and rate of those of the epoch
        apply_masks(self.masks)
        torch.manual_seed(recipe.seed + number)     # of the dropout

    def batch(self) -> list[float]:
        """Error, R2 and rate of the hidden neurons of the next batch."""
        epoch, place = divmod(self.done, self.per_epoch)
        if not place:
            self.batches = []
        order = np.random.default_rng([self.recipe.seed, self.number, epoch]).permutation(
            len(self.samples))
        spikes, target = self.samples.batch(
            order[place * self.recipe.batch:(place + 1) * self.recipe.batch])
        output, hidden = run_noisy(self.model, spikes, self.recipe)
        error = (output - target).square().mean().sqrt()
        self.optimiser.zero_grad()
        (error + bounds(hidden, self.recipe)).backward()
        for weight, mask in self.masks:
            weight.grad *= mask                     # type: ignore[operator]
        self.optimiser.step()
        self.done += 1
        if self.done % self.per_epoch == 0:
            self.schedule.step()
        self.batches.append([error.item(), r2(output.detach(), target), hidden.mean().item() / DT])
        return self.batches[-1]

    def point(self, epoch: int) -> Point:
        """The point of the learning curves after an epoch."""
        wrong = [predict(self.model, each)[0] - target_velocity(each) for each in self.judged]
        error, _, hertz = np.mean(self.batches, axis=0).tolist()
        return Point(epoch=epoch, error=error, hertz=hertz, pruned=self.percent / 100,
                     validation=float(np.sqrt(np.square(np.concatenate(wrong)).mean())))

    def r2(self) -> float:
        """Mean R2 of the batches of the epoch in which something moves; NaN if there is none."""
        scores = [score for _, score, _ in self.batches if not np.isnan(score)]
        return sum(scores) / len(scores) if scores else np.nan

    def state(self) -> dict:
        return {"done": self.done, "batches": self.batches, "model": self.model.state_dict(),
                "optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict(),
                "dropout": torch.get_rng_state()}

    def restore(self, state: dict) -> None:
        self.done, self.batches = state["done"], state["batches"]
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["dropout"])


class Published:
    """A published training that can stop after any batch, and go on later to the same result.

    Parameters
    ----------
    session : Parts
        The session to fine-tune on.
    recipe : PublishedRecipe
    pretraining : sequence of Parts
        Sessions to pre-train on. Without one, there is no pre-training.
    start : TinyRSNN, optional
        The network to fine-tune, in place of one that was pre-trained.

    Members
    -------
    model : TinyRSNN
        In the end, the network, pruned but not rounded.
    pretrained : TinyRSNN or None
        The network after the pre-training.
    r2 : float
        Mean over the batches of the last epoch of the fine-tuning, with dropout.
    rounds : list of Round
    percent : int
        Of each matrix that is pruned in the end.
    curves : list of Point
        One for each epoch so far, of all parts of the training.
    """
    def __init__(self, session: Parts, recipe: PublishedRecipe, pretraining: Sequence[Parts] = (),
                 start: TinyRSNN | None = None):
        self.recipe, self.session, self.pretraining = recipe, session, pretraining
        self.model   = NETWORKS[recipe.network](session.seen.channels, recipe.hidden, 2, DT)
        self.start   = start
        self.pretrained: TinyRSNN | None = None
        self.r2      = 0.0
        self.rounds: list[Round] = []
        self.percent = 0
        self.curves: list[Point] = []
        self.over: list[dict] = []          # networks and R2 after each part of the training
        self.now: _Epochs | None = None     # the part under way
        self.stopped: dict | None = None    # its state, after a stop

    def run(self, progress: bool, kept: KeptState | None = None) -> None:
        """Train until the end."""
        recipe  = self.recipe
        self.progress, self.kept, self.number = progress, kept, 0
        session = Samples([self.session.learn])
        every   = session
        if self.pretraining:
            every = Samples([each.learn for each in self.pretraining])
        if self.start is not None:
            self.model.load_state_dict(self.start.state_dict())
        else:
            initialise(self.model, recipe, every.rates, torch.Generator().manual_seed(recipe.seed))
        if self.pretraining:
            self._epochs("pre-training", every, self.pretraining, recipe.pretraining, recipe.period)
            self.pretrained = deepcopy(self.model)
        self.r2 = self._epochs("fine-tuning", session, [self.session], recipe.tuning, recipe.period)
        if not recipe.prunes:
            return
        found = {0: deepcopy(self.model.state_dict())}

        def retrain(percent: int) -> float:
            self.model.load_state_dict(found[0])
            score = self._epochs(f"pruned {percent} %", session, [self.session], recipe.retraining,
                                 recipe.retraining, percent)
            found[percent] = deepcopy(self.model.state_dict())
            self.rounds.append(Round(percent, score))
            return score
        self.percent = prune_in_rounds(retrain, self.r2, recipe) or 0
        self.model.load_state_dict(found[self.percent])

    def _epochs(self, title: str, samples: Samples, parts: Sequence[Parts], epochs: int,
                period: int, percent: int = 0) -> float:
        """Train the network for a number of epochs, and give the R2 of the last one."""
        number, self.number = self.number, self.number + 1
        if number < len(self.over):
            self.model.load_state_dict(self.over[number]["model"])
            return self.over[number]["r2"]
        now = self.now = _Epochs(self.model, samples, [each.validation for each in parts],
                                 self.recipe, number=number, epochs=epochs, period=period,
                                 percent=percent)
        if self.stopped:
            now.restore(self.stopped)
            self.stopped = None
        quiet = None if self.progress else True     # None: quiet unless stderr is a terminal
        with tqdm(total=now.total, initial=now.done, disable=quiet, unit="batch", leave=None,
                  dynamic_ncols=True, desc=title) as bar:
            while now.done < now.total:
                error, score, hertz = now.batch()
                if now.done % now.per_epoch == 0:
                    self.curves.append(now.point(len(self.curves) + 1))
                bar.set_postfix(error=f"{error:.3f}", r2=f"{score:.3f}", hertz=f"{hertz:.1f}",
                                refresh=False)
                bar.update()
                if self.kept:
                    self.kept.save_now_and_then()
        score = now.r2()
        self.over.append({"model": deepcopy(self.model.state_dict()), "r2": score})
        self.now = None
        return score

    def state(self) -> dict:
        """All that a training of the same recipe and sessions needs to go on from here."""
        return {"over": self.over, "now": self.now and self.now.state(),
                "curves": [list(vars(point).values()) for point in self.curves]}

    def restore(self, state: dict) -> None:
        """Go on from ``state``."""
        self.over, self.stopped = state["over"], state["now"]
        self.curves = [Point(*values) for values in state["curves"]]


def fit_published(session: Parts, recipe: PublishedRecipe, *, pretraining: Sequence[Parts] = (),
                  start: TinyRSNN | None = None, state: Path | None = None, progress: bool = True
                  ) -> Published:
    """Train a network as the published ones were, with the values of ``recipe``.

    It answers at the published time, and its outputs are movements per step. Runs on one thread,
    so that a seed gives one result on one machine.

    Parameters
    ----------
    session, recipe, pretraining, start
        See `Published`.
    state : Path, optional
        As for `train.fitting.fit.fit`.
    progress : bool
        Draw a bar if standard error is a terminal.
    """
    sessions = session, *pretraining
    for each in sessions:
        check_events(each.learn)
        mean_and_scale(each.learn)
    every = [part for each in sessions for part in (each.learn, each.validation)]
    with one_thread(), torch.random.fork_rng(devices=[]):
        training = Published(session, recipe, pretraining, start)
        kept = (KeptState(state, training, training_key(recipe, every, start)) if state else None)
        training.run(progress, kept)
        if kept:
            kept.save()
    return training
