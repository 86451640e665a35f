# SPDX-License-Identifier: Apache-2.0
"""``spikewright train``: train a network on a recording."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.train.fitting.recipe import Recipe
from spikewright.train.graded.recipe import GRADED

from ..options import add_folder
from .graded import train_graded
from .published import train_published
from .shared import (
    add_device,
    add_recording,
    add_settings,
    add_target,
    check_device,
    check_torch,
    gru_scores,
    state_file,
    train,
)

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Train a network on the first 80 % of a recording with velocity or "
                          "force, and score it on the rest. The time step of the network is the "
                          "dt of the recording. Its outputs have the unit of the recording.")
    add_recording(parser)
    add_folder(parser, "final.safetensors and metrics.json; a tinyrsnn or bigrsnn also gives "
               "config.json and curves.png")
    add_target(parser)
    parser.add_argument("--network", choices=("tinyrsnn", "bigrsnn", *GRADED), default="tinyrsnn",
                        help="network to train; docs/training.md has a table of them (default: "
                        "%(default)s)")
    parser.add_argument("--recipe", choices=("default", "published"), default="default",
                        help="published: exactly as the published tinyRSNN and bigRSNN were "
                        "trained, on a .mat file of the public reaching sessions in place of a "
                        "recording; see docs/training.md (default: %(default)s)")
    parser.add_argument("--pretrain", type=Path, nargs="+", default=[], metavar="SESSION.mat",
                        help="with the recipe published: train on these sessions first")
    add_settings(parser, Recipe, "hidden", "epochs", "seed")
    parser.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights "
                        "of this network (default: random weights)")
    parser.add_argument("--gru", action="store_true", help="also train a recurrent network of 64 "
                        "gated units in floating point, to compare with")
    add_device(parser)
    parser.set_defaults(hidden=None, epochs=None)


def run(arguments: Namespace) -> None:
    """Train, and write the network and its score."""
    from spikewright.base.files import check_folder, written_folder
    from spikewright.network.recording import read_recording
    from spikewright.train.recording import (
        check_events,
        held_out,
        mean_and_scale,
        target_velocity,
    )
    if arguments.recipe == "published":
        check_torch()
        check_folder(arguments.output, "metrics.json")
        train_published(arguments)
        return
    if arguments.pretrain or arguments.network == "bigrsnn":
        option = "--pretrain" if arguments.pretrain else "--network bigrsnn"
        raise InputError(f"Option {option} must come with the recipe published, not with default")
    if arguments.network == "tinyrsnn":
        training = train
    else:
        for name in ("hidden", "start", "device"):
            if getattr(arguments, name) is not None:
                raise InputError(f"Option --{name} must come with the network tinyrsnn, not with "
                                 f"{arguments.network}")
        training = train_graded
    check_torch()
    check_device(arguments)
    check_folder(arguments.output, "metrics.json")
    recording = read_recording(arguments.recording, arguments.target)
    target_velocity(recording)
    seen, unseen = held_out(recording)
    check_events(seen)
    mean_and_scale(seen)
    with written_folder(arguments.output, "metrics.json") as folder:
        scores = training(arguments, folder / "final.safetensors",
                          arguments.output / "final.safetensors", seen, unseen)
        if arguments.gru:
            scores["baselines"]["gru"] = gru_scores(seen, unseen, arguments.seed)
        (folder / "metrics.json").write_text(json.dumps(
            {"network": arguments.network, **scores, "steps_held_out": unseen.steps},
            indent=2, allow_nan=False) + "\n", encoding="utf-8")
    if training is train:
        state_file(arguments.output).unlink(missing_ok=True)
    print(f"-> {arguments.output}")
