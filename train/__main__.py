# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m train --help``."""

import os
from argparse import Namespace
from pathlib import Path

from quantize.cli import CommandParser, InputError, run_command, whole_number
from quantize.recording import Recording, read_recording

from .reaches import default_sessions, save_session
from .recipe import LIMITS, Recipe
from .recording import held_out, target_velocity

__all__ = ["main"]

SETTINGS = {"hidden": "hidden units", "epochs": "passes over the recording",
            "seed": "seed of every random draw"}


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m train", description="Train spiking decoders: torch "
                           "model, published parametrisation.")
    commands = parser.add_subparsers(dest="command", required=True)

    default = commands.add_parser(
        "default", help="make the default network and recording again, from simulated reaches",
        description="Simulate a subject, train on one session, keep another; takes minutes. Writes "
                    "default.safetensors and default_recording.npz.")
    default.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER",
                         help="existing folder to write to")
    _add_settings(default, "epochs", "seed")

    fit = commands.add_parser(
        "fit", help="train on a recording of your own",
        description="Train on the first 80 % of a recording that holds `velocity`, and score on "
                    "the rest. The decays follow the recording's dt; the network answers in the "
                    "unit of its velocity.")
    fit.add_argument("recording", type=Path, metavar="RECORDING.npz", help="see docs/contracts.md")
    fit.add_argument("-o", "--output", type=Path, required=True, metavar="CHECKPOINT.safetensors",
                     help="file to write, in an existing folder")
    _add_settings(fit, "hidden", "epochs", "seed")
    return parser


def _add_settings(parser: CommandParser, *names: str) -> None:
    for name in names:
        low, high = LIMITS[name]
        parser.add_argument(f"--{name}", type=whole_number(low, high), metavar="N",
                            default=getattr(Recipe, name),
                            help=f"{SETTINGS[name]}, {low} to {high} (default: %(default)s)")


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    {"default": _default, "fit": _fit}[arguments.command](arguments)


def _default(arguments: Namespace) -> None:
    checkpoint = arguments.output / "default.safetensors"
    path       = arguments.output / "default_recording.npz"
    _check_output(checkpoint)
    _check_output(path)
    seen, unseen = default_sessions(arguments.seed)
    _train(arguments, checkpoint, seen, unseen)
    save_session(path, unseen)
    print(f"{path}: {unseen.steps} steps, {len(unseen.channel)} events")


def _fit(arguments: Namespace) -> None:
    if arguments.output.suffix != ".safetensors":
        raise InputError(f"Output must end in .safetensors, not '{arguments.output}'")
    _check_output(arguments.output)
    _train(arguments, arguments.output, *held_out(read_recording(arguments.recording)))


def _check_output(path: Path) -> None:
    """Refuse before the work what could not be written after it."""
    if not os.access(path.parent, os.W_OK | os.X_OK) or not path.parent.is_dir():
        raise InputError(f"Output folder must exist and be writable, not '{path.parent}'")
    if path.is_dir():
        raise InputError(f"Output must be a file, not the folder '{path}'")


def _train(arguments: Namespace, path: Path, seen: Recording, unseen: Recording) -> None:
    """Train on ``seen``, write the checkpoint ``path``, print the score on ``unseen``."""
    try:
        from .fit import fit, predict, r2
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise InputError("Package torch must be installed to train (pip install -e '.[torch]'), "
                         "not missing") from None
    recipe = Recipe(**{name: value for name, value in vars(arguments).items() if name in LIMITS})
    model  = fit(seen, recipe)

    output, hidden = predict(model, unseen)
    x, y    = r2(output, target_velocity(unseen))
    weights = [model.get_parameter(f"con{i}.op.weight") for i in (1, 2, 3)]
    kept    = sum(int(weight.count_nonzero()) for weight in weights)
    every   = sum(weight.numel() for weight in weights)
    model.checkpoint(path)
    print(f"{path}: {seen.channels}-{recipe.hidden}-2, dt {model.dt:g} s, "
          f"{kept} of {every} weights, {1 - kept / every:.1%} pruned")
    print(f"held out, {unseen.steps} steps: R2 {(x + y) / 2:.3f} (x {x:.3f}, y {y:.3f}), "
          f"{hidden.sum(1).mean():.2f} hidden spikes a step, {(~hidden.any(0)).sum()} units silent")


if __name__ == "__main__":
    run_command(main)
