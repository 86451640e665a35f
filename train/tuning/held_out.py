# SPDX-License-Identifier: Apache-2.0
"""The cost of integers on a part of a recording that no network has seen, for several seeds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from spikewright.base.errors import InputError
from spikewright.model.integers import Widths
from spikewright.network.checkpoint import network_from_tensors
from spikewright.network.graded.network import spiking
from spikewright.network.metrics import r_squared
from spikewright.network.network import Network
from spikewright.network.recording import Recording
from spikewright.quantize.compile import compile_network

from ..fitting.fit import fit
from ..fitting.model import TinyRSNN
from ..fitting.predict import predict
from ..fitting.recipe import Recipe, Tuning
from ..recording import held_out, target_velocity
from .finetune import finetune, integer_score

__all__ = ["compare", "losses"]


def compare(recording: Recording, *, seeds: int, weight_bits: list[int], recipe: Recipe,
            tuning: Tuning, tell: Callable[[str], None] = tqdm.write) -> dict:
    """Train, round and fine-tune with ``seeds`` seeds, beginning with the seed of ``recipe``.

    Training and calibration see the first 80 % of the recording. The rest is scored: the float
    network with `train.fitting.predict`, the integers with golden. ``tell`` gets the head of a
    table, and a line as soon as a seed is done.

    Returns
    -------
    dict
        Contents of the JSON file. ``seeds`` has one entry per seed, with ``seed``, ``float`` and
        ``integers``; ``integers`` has ``bits``, ``rounded`` and ``tuned`` for each width. Scores
        are R2, the mean over the axes.

    Raises
    ------
    InputError
        If the recording has no velocity to learn, or does not move in the part that is scored.
    """
    target_velocity(recording)
    seen, unseen = held_out(recording)
    if not np.ptp(target_velocity(unseen), axis=0).all():
        raise InputError(f"{recording.target_title} must change on both axes in the "
                         f"last {unseen.steps} steps, which are scored, not be constant there")
    results = {"recording": recording.name, "dt": recording.dt, "channels": recording.channels,
               "hidden": recipe.hidden, "epochs": recipe.epochs, "tuning_epochs": tuning.epochs,
               "steps": seen.steps, "held_out_steps": unseen.steps}
    tell(_heading(weight_bits))
    entries = []
    # Bars of training and tuning are drawn below this one, and only on a terminal.
    with tqdm(total=seeds * (1 + len(weight_bits)), disable=None, unit="network",
              dynamic_ncols=True, desc="held-out") as bar:
        for k in range(seeds):
            seed  = recipe.seed + k
            model = fit(seen, replace(recipe, seed=seed))
            score = r_squared(target_velocity(unseen), predict(model, unseen)[0]).mean()
            bar.update()
            network  = _network(model)
            integers = []
            for bits in weight_bits:
                integers.append(_integers(network, bits, seen, unseen, replace(tuning, seed=seed)))
                bar.update()
            entries.append({"seed": seed, "float": score, "integers": integers})
            tell(_line(entries[-1]))
    return {**results, "seeds": entries}


def _network(model: TinyRSNN) -> Network:
    tensors = {key: value.double().numpy() for key, value in model.state_dict().items()}
    return spiking(network_from_tensors(tensors, model.dt, model.time, model.offset))


def _integers(network: Network, bits: int, seen: Recording, unseen: Recording,
              tuning: Tuning) -> dict:
    rounded, network, facts = compile_network(network, name=f"{bits} bits", recording=seen,
                                              widths=Widths(weight=bits, fraction=0))
    tuned, _ = finetune(rounded, network, facts, seen, tuning)
    return {"bits": bits, "rounded": integer_score(rounded, unseen).mean(),
            "tuned": integer_score(tuned, unseen).mean()}


def _scores(entry: dict) -> list[float]:
    return [entry["float"], *(score for integers in entry["integers"]
                              for score in (integers["rounded"], integers["tuned"]))]


def _line(entry: dict) -> str:
    return f"seed {entry['seed']:<4}" + "".join(f"{score:14.4f}" for score in _scores(entry))


def _heading(weight_bits: list[int]) -> str:
    return f"{'R2':9}" + "".join(f"{title:>14}" for title in (
        "float", *(f"{bits}-bit{kind}" for bits in weight_bits for kind in ("", " tuned"))))


def losses(results: dict) -> str:
    """Two lines: means over the seeds, and the loss against the mean of the float networks."""
    mean = np.mean([_scores(entry) for entry in results["seeds"]], axis=0)
    return (f"{'mean':9}" + "".join(f"{score:14.4f}" for score in mean)
            + f"\n{'lost':9}{'':14}" + "".join(f"{lost:14.4f}" for lost in mean[0] - mean[1:]))
