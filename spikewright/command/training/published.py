# SPDX-License-Identifier: Apache-2.0
"""``spikewright train --recipe published``."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from spikewright.base.errors import InputError
from spikewright.network.recording import Recording

from .shared import (
    beside_linear,
    gru_scores,
    network_scores,
    one_training,
    start_network,
    state_file,
    write_run,
)

if TYPE_CHECKING:
    from spikewright.train.fitting.model import TinyRSNN
    from spikewright.train.published.recipe import PublishedRecipe
    from spikewright.train.published.sessions import Parts

__all__ = ["train_published"]


def train_published(arguments: Namespace) -> None:
    """Train as the published networks were, and write the networks and their scores."""
    from spikewright.network.tensors import TIMES
    from spikewright.train.published.fit import NETWORKS
    from spikewright.train.published.recipe import PUBLISHED
    from spikewright.train.published.sessions import read_parts
    if arguments.network not in PUBLISHED:
        raise InputError(f"Option --network must be {' or '.join(PUBLISHED)} with the recipe "
                         f"published, not {arguments.network}")
    for name in ("hidden", "epochs", "target", "device"):
        if getattr(arguments, name) is not None:
            raise InputError(f"Option --{name} must come with the recipe default, not with "
                             "published")
    if arguments.start and arguments.pretrain:
        raise InputError("Option --start must come without --pretrain, not with it: each gives the "
                         "network to fine-tune")
    recipe = replace(PUBLISHED[arguments.network], seed=arguments.seed)
    session = read_parts(arguments.recording)
    pretraining = [read_parts(path) for path in arguments.pretrain]
    for parts in pretraining:
        if parts.seen.channels != session.seen.channels:
            raise InputError(f"Session {parts.seen.name} must have {session.seen.channels} "
                             f"channels, as {session.seen.name} has, not {parts.seen.channels}: "
                             "all sessions of a training must have the same channels")
    start = None
    if arguments.start:
        start = start_network(NETWORKS[recipe.network], arguments.start, session.seen,
                              recipe.hidden, TIMES[0])
    with one_training(state_file(arguments.output)):
        _train(arguments, recipe, session, pretraining, start)


def _train(arguments: Namespace, recipe: "PublishedRecipe", session: "Parts",
           pretraining: Sequence["Parts"], start: "TinyRSNN | None") -> None:
    from spikewright.base.arrays import write_arrays
    from spikewright.base.files import written_folder
    from spikewright.report.markdown import digits
    from spikewright.report.score import number
    from spikewright.train.published.fit import fit_published
    seen, unseen = session.seen, session.test
    training = fit_published(session, recipe, pretraining=pretraining, start=start,
                             state=state_file(arguments.output))
    model = training.model.rounded() if recipe.half else training.model
    with written_folder(arguments.output, "metrics.json") as folder:
        model.checkpoint(folder / "final.safetensors", half=recipe.half)
        if training.pretrained:
            training.pretrained.checkpoint(folder / "pretrained.safetensors", half=False)
        for name, part in (("seen", seen), ("held_out", unseen)):
            write_arrays(folder / f"{name}.npz", _arrays(part))
        write_run(folder, seen, training.curves, {
            "recipe": asdict(recipe), "start": arguments.start and str(arguments.start),
            "pretrain": [parts.seen.name for parts in pretraining]})
        scores = network_scores(model, unseen)
        for each in training.rounds:
            print(f"pruned {each.percent} %: R2 of the training {digits(number(each.r2))}, "
                  f"{digits(number(training.r2))} before")
        found = beside_linear(scores, seen, unseen, session.validation.steps / seen.steps,
                              "sessions of --pretrain")
        if arguments.gru:
            found["baselines"]["gru"] = gru_scores(seen, unseen, recipe.seed)
        (folder / "metrics.json").write_text(json.dumps(
            {"network": arguments.network, **found, "hidden": recipe.hidden, "seed": recipe.seed,
             "r2_training": number(training.r2), "pruned": training.percent / 100,
             "rounds": [{"pruned": each.percent / 100, "r2_training": number(each.r2)}
                        for each in training.rounds],
             "steps_held_out": unseen.steps}, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    state_file(arguments.output).unlink(missing_ok=True)
    print(f"-> {arguments.output}")


def _arrays(recording: Recording) -> dict:
    """What an .npz of ``recording`` has; see docs/contracts.md."""
    return {**recording.arrays(), "velocity": recording.velocity, "unit": recording.unit,
            "source": recording.source}
