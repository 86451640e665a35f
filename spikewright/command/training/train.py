# SPDX-License-Identifier: Apache-2.0
"""``spikewright train``: train a network on a recording."""

import json
from argparse import ArgumentParser, Namespace

from spikewright.train.recipe import Recipe

from ..options import add_folder
from .shared import add_recording, add_settings, add_target, check_torch, train

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Train a network on the first 80 % of a recording with velocity or "
                          "force, and score it on the rest. The time step of the network is the "
                          "dt of the recording. Its outputs have the unit of the recording.")
    add_recording(parser)
    add_folder(parser, "final.safetensors and metrics.json")
    add_target(parser)
    add_settings(parser, Recipe, "hidden", "epochs", "seed")


def run(arguments: Namespace) -> None:
    """Train, and write the network and its score."""
    from spikewright.base.files import check_folder, written_folder
    from spikewright.network.recording import read_recording
    from spikewright.train.recording import held_out, target_velocity
    check_torch()
    check_folder(arguments.output, "metrics.json")
    recording = read_recording(arguments.recording, arguments.target)
    target_velocity(recording)
    seen, unseen = held_out(recording)
    with written_folder(arguments.output, "metrics.json") as folder:
        scores = train(arguments, folder / "final.safetensors",
                       arguments.output / "final.safetensors", seen, unseen)
        (folder / "metrics.json").write_text(json.dumps(
            {**scores, "steps_held_out": unseen.steps, "hidden": arguments.hidden,
             "epochs": arguments.epochs, "seed": arguments.seed},
            indent=2, allow_nan=False) + "\n", encoding="utf-8")
    print(f"-> {arguments.output}")
