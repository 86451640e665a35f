# SPDX-License-Identifier: Apache-2.0
"""``spikewright reaches``: make the default network and recording again."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.train.recipe import Recipe

from .shared import add_settings, check_output, check_torch, train

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Simulate two sessions of a reaching subject. Train a network on the "
                          "first, default.safetensors, and write the second as a recording, "
                          "default_recording.npz. It takes minutes.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER",
                        help="folder to write to; it must exist")
    add_settings(parser, Recipe, "epochs", "seed")
    parser.set_defaults(hidden=Recipe.hidden)


def run(arguments: Namespace) -> None:
    """Simulate, train, and write both files."""
    from spikewright.train.reaches import default_sessions, save_session
    check_torch()
    checkpoint = arguments.output / "default.safetensors"
    path       = arguments.output / "default_recording.npz"
    check_output(checkpoint)
    check_output(path)
    seen, unseen = default_sessions(arguments.seed)
    train(arguments, checkpoint, checkpoint, seen, unseen)
    save_session(path, unseen)
    print(f"{path}: {unseen.steps} steps, {len(unseen.channel)} events")
