# SPDX-License-Identifier: Apache-2.0
"""``spikewright reaches``: make the default network and recording again."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.train.fitting.recipe import Recipe

from .shared import add_device, add_settings, check_device, check_torch, state_file, train

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Simulate two sessions of a reaching subject. Train a network on the "
                          "first, default.safetensors, and write the second as a recording, "
                          "default_recording.npz. It takes minutes.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER",
                        help="folder to write to; it must exist")
    add_settings(parser, Recipe, "epochs", "seed")
    add_device(parser)
    # The kept network was trained with the steps in torch: with them, it is made again bit by bit.
    parser.set_defaults(hidden=Recipe.hidden, compiled=False)


def run(arguments: Namespace) -> None:
    """Simulate, train, and write both files."""
    from spikewright.base.errors import InputError
    from spikewright.base.files import check_file, check_output
    from spikewright.train.reaches import default_sessions, save_session
    check_torch()
    check_device(arguments)
    checkpoint = arguments.output / "default.safetensors"
    path       = arguments.output / "default_recording.npz"
    if not arguments.output.is_dir():
        raise InputError(f"Output folder must exist, not '{arguments.output}'")
    check_file(checkpoint)
    check_output(path, (".npz",), simulated=True)
    if not path.exists():       # this mark of the program counts for both files
        check_output(checkpoint, (".safetensors",))
    seen, unseen = default_sessions(arguments.seed)
    save_session(path, unseen)
    train(arguments, checkpoint, checkpoint, seen, unseen)
    state_file(checkpoint).unlink(missing_ok=True)
    print(f"{path}: {unseen.steps} steps, {len(unseen.channel)} events")
