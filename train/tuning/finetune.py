# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning of a rounded model: it runs with integers, which are rounded from trained floats.

See docs/finetuning.md for the equations.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from spikewright.base.errors import InputError
from spikewright.model.model import IntegerModel
from spikewright.network.metrics import r_squared, unit_scale
from spikewright.network.network import INPUT, Network
from spikewright.network.recording import Recording
from spikewright.quantize.bounds import fits, proven_bits
from spikewright.quantize.prune import prune

from ..fitting.recipe import Tuning
from ..recording import target_velocity
from ..threads import one_thread
from .diagnosis import decoded
from .integer import Events, IntegerNetwork
from .streams import Streams

__all__ = ["facts_of", "finetune", "integer_score", "masks_of", "shaken", "told_of", "tune",
           "unit_of"]


def finetune(model: IntegerModel, network: Network, facts: dict, recording: Recording,
             tuning: Tuning, unit: float = 1.0) -> tuple[IntegerModel, dict]:
    """Fine-tune the result of `quantize.compile.compile_network` on a recording with ``velocity``.

    ``unit`` is the unit of the network in units of the recording, see `unit_of`. The tuned model
    has the same unit.

    Weights that are 0 in ``network`` stay 0. Neurons and channels that lose all their weights are
    dropped. The facts of the manifest get one more entry, ``finetuned``.
    """
    tuned   = tune(model, recording, tuning, masks_of(model, network), unit)
    told    = told_of(model, tuned, recording, tuning)
    tuned, dropped = prune(tuned)
    return tuned, {**facts_of(tuned, facts), "finetuned": told, "dropped": {
        **dropped, "channels": int((tuned.channel_row < 0).sum()),
        "neurons": sum(p.size - p.neurons for p in tuned.populations),
        "shared_rows": int((tuned.channel_row >= 0).sum()) - tuned.rows}}


def told_of(before: IntegerModel, after: IntegerModel, recording: Recording, tuning: Tuning
            ) -> dict:
    """What the manifest says of a training of the integers."""
    pairs = zip(before.projections, after.projections, strict=True)
    return {"source": recording.name, "steps": recording.steps, "epochs": tuning.epochs,
            "seed": tuning.seed,
            "changed": sum(int((one.weights != two.weights).sum()) for one, two in pairs)}


def integer_score(model: IntegerModel, recording: Recording, unit: float = 1.0) -> np.ndarray:
    """R2 of the golden model, float64 (axes,), at the time for which the network was trained.

    Its outputs are multiplied by ``unit``, see `unit_of`.
    """
    return r_squared(target_velocity(recording), decoded(model, recording) * unit)


def unit_of(model: IntegerModel, recording: Recording) -> float:
    """Unit of the network's outputs in units of the recording, such as 1000 for m and mm.

    It is 1 unless the factor is about 100 or more: a network may be wrong by a factor of 10.
    """
    unit = unit_scale(target_velocity(recording), decoded(model, recording))
    return unit if abs(np.log10(unit)) > 1.5 else 1.0


def masks_of(model: IntegerModel, network: Network) -> list[np.ndarray]:
    """Weights that may differ from 0, as in the checkpoint: bool (sources, targets)."""
    # Channels may share a row, which may then have the weights of each.
    channels = model.channel_row[:, None] == np.arange(model.rows)
    rows = {INPUT: channels, **{p.name: np.eye(p.size, dtype=bool)[:, p.kept]
                                for p in model.populations}}
    return [rows[p.source].T @ (p.weights != 0) @ rows[p.target] for p in network.projections]


def tune(model: IntegerModel, recording: Recording, tuning: Tuning,
         masks: Sequence[np.ndarray | None], unit: float = 1.0, *, progress: bool = True
         ) -> IntegerModel:
    """Train the weights of ``model`` in ``masks`` to decode ``recording`` better.

    There is a mask for each projection. All weights stay in a projection whose mask is None.

    Minimises the root mean square error of the velocity, each axis scaled by the standard deviation
    of the movement. The offset stays. Runs on one thread, so that a seed gives one result on one
    machine. ``progress`` draws a bar if standard error is a terminal.
    """
    wanted = target_velocity(recording)
    if model.axes != wanted.shape[1]:
        raise InputError(f"{recording.target_title} must have as many axes as the "
                         f"network, {model.axes}, not {wanted.shape[1]}")
    size = wanted.std(0)
    if not (size > 0).all():
        raise InputError(f"{recording.target_title} must change on every axis to train "
                         "on, not be constant throughout")
    streams = Streams(model, replace(recording, velocity=wanted - unit * model.offset),
                      length=max(1, round(tuning.window / recording.dt)), batch=tuning.batch)
    with one_thread():
        trainer = _Trainer(model, masks, tuning, model.readout * unit / size[:, None], size)
        trainer.run(streams, progress)
    return trainer.model()


class _Trainer:
    """The integer network, its optimiser, and the constants of the training.

    ``gain``, float64 (axes, outputs), converts outputs to velocity. ``size``, float64 (axes,), is
    the unit of each axis.
    """
    def __init__(self, model: IntegerModel, masks: Sequence[np.ndarray | None], tuning: Tuning,
                 gain: np.ndarray, size: np.ndarray):
        self.network = IntegerNetwork(model)
        self.trained = [(shadow, torch.from_numpy(mask), half) for shadow, mask, half in zip(
            self.network.shadow, masks, self.network.halves, strict=True) if mask is not None]
        for shadow, mask in zip(self.network.shadow, masks, strict=True):
            shadow.requires_grad_(mask is not None)
        self.tuning  = tuning
        self.gain, self.size = torch.from_numpy(gain), torch.from_numpy(size)
        self.random  = torch.Generator().manual_seed(tuning.seed)
        self.optimiser = torch.optim.Adam([
            {"params": [shadow], "lr": tuning.learning_rate * half}
            for shadow, _, half in self.trained])

    def run(self, streams: Streams, progress: bool) -> None:
        total    = self.tuning.epochs * streams.chunks
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, total)
        rng      = np.random.default_rng(self.tuning.seed)
        quiet    = None if progress else True       # None: quiet unless on a terminal
        with tqdm(total=total, disable=quiet, unit="batch", leave=None, dynamic_ncols=True,
                  desc="integers") as bar:
            for _ in range(self.tuning.epochs):
                state = self.network.start(streams.pieces)
                for events, target, mask in streams.one_pass(rng):
                    output, hidden, state = self.network(
                        shaken(events, self.tuning.noise, self.random), state)
                    state = state.detach()
                    error = self._step(output, hidden, target, mask)
                    schedule.step()
                    bar.set_postfix(error=f"{error:.3f}", refresh=False)
                    bar.update()

    def model(self) -> IntegerModel:
        """The model with the present integers of the network."""
        model   = self.network.model
        weights = [w.detach().numpy().astype(np.int64) for w in self.network.weights()]
        return replace(model, projections=tuple(
            replace(p, weights=w) for p, w in zip(model.projections, weights, strict=True)))

    def _step(self, output: Tensor, hidden: Tensor, target: Tensor, mask: Tensor) -> float:
        """One update; gives the error, which is 1 for a silent network."""
        useful = mask.sum().clamp(min=1)
        wrong  = (output @ self.gain.T - target / self.size).square()
        error  = ((wrong * mask).sum() / (wrong.shape[-1] * useful) + 1e-12).sqrt()
        rates  = (hidden * mask).sum((0, 1)) / (useful * self.network.model.dt)
        silent = (self.tuning.lowest - rates).relu().square().mean()
        self.optimiser.zero_grad()
        (error + 0.02 * silent).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            for shadow, allowed, half in self.trained:
                shadow.mul_(allowed).clamp_(-half, half - 1)
        return error.item()


def shaken(events: Events, share: float, generator: torch.Generator) -> Events:
    """Leave out a ``share`` of the events, and double as many; their mean stays the same."""
    draw = torch.rand(events.rows.shape, generator=generator)
    once = events.rows.masked_fill(draw < share, -1)
    more = events.rows.masked_fill(draw < 1 - share, -1)
    return replace(events, rows=torch.cat([once, more], -1))


def facts_of(model: IntegerModel, facts: dict) -> dict:
    """Update the manifest entries ``facts`` of a compiled model for its new weights."""
    proof = proven_bits(model)
    calibration = facts["calibration"]
    return {
        **facts, "non_zeros": model.non_zeros,
        "calibration": {
            **calibration, "rule": calibration["rule"].split(";")[0] + "; fine-tuned since",
            "proven": fits(model, proof),
            "proven_bits": {**calibration["proven_bits"], "current": proof[0],
                            "membrane": proof[1]}}}
