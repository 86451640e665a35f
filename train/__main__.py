# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m train --help``."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from .recording import Recording, load_recording, save_recording

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(_fail(f"{message} (see '{self.prog} --help')"))


def _fail(message: object) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m train",
                     description="Train spiking decoders: torch model, published parametrisation.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    default = commands.add_parser(
        "default", help="make the default network and recording again, from simulated reaches",
        description="Simulate a subject, train on one session, keep another; takes minutes. Writes "
                    "default.safetensors and default_recording.npz.")
    default.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER",
                         help="existing folder to write to")
    default.set_defaults(command=_default)

    fit = commands.add_parser(
        "fit", help="train on a recording of your own",
        description="Train on the first 80 % of a recording that holds `velocity`, and score on "
                    "the rest. The decays follow the recording's dt; the network answers in the "
                    "unit of its velocity.")
    fit.add_argument("recording", type=Path, metavar="RECORDING.npz", help="see docs/contracts.md")
    fit.add_argument("-o", "--output", type=Path, required=True, metavar="CHECKPOINT.safetensors",
                     help="file to write")
    fit.add_argument("--hidden", type=_whole, help="hidden units (64)")
    fit.set_defaults(command=_fit)

    for command in (default, fit):
        command.add_argument("--epochs", type=_whole, help="passes over the recording (150)")
        command.add_argument("--seed", type=_whole, help="seed of every random draw (0)")
    return parser


def _check_output(path: Path) -> None:
    """Refuse before the work what could not be written after it."""
    if not os.access(path.parent, os.W_OK | os.X_OK) or not path.parent.is_dir():
        raise ValueError(f"Output folder must exist and be writable, not '{path.parent}'")
    if path.is_dir():
        raise ValueError(f"Output must be a file, not the folder '{path}'")


def _train(args: argparse.Namespace, path: Path, sessions: Callable[[int], tuple]) -> Recording:
    """Train on the first of ``sessions(seed)``, write ``path``, print the score on the second."""
    try:
        from .fit import Recipe, fit, predict, r2
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ValueError("Package torch must be installed to train (pip install -e '.[torch]'), "
                         "not missing") from None
    given  = {key: getattr(args, key, None) for key in ("hidden", "epochs", "seed")}
    recipe = Recipe(**{key: value for key, value in given.items() if value is not None})
    seen, unseen = sessions(recipe.seed)
    model  = fit(seen, recipe)

    output, hidden = predict(model, unseen)
    x, y    = r2(output, unseen.velocity)
    weights = [model.get_parameter(f"con{i}.op.weight") for i in (1, 2, 3)]
    kept    = sum(int(weight.count_nonzero()) for weight in weights)
    every   = sum(weight.numel() for weight in weights)
    model.checkpoint(path)
    print(f"{path}: {seen.n_channels}-{recipe.hidden}-2, dt {model.dt:g} s, "
          f"{kept} of {every} weights, {1 - kept / every:.1%} pruned")
    print(f"held out, {unseen.n_bins} steps: R2 {(x + y) / 2:.3f} (x {x:.3f}, y {y:.3f}), "
          f"{hidden.sum(1).mean():.2f} hidden spikes a step, {(~hidden.any(0)).sum()} units silent")
    return unseen


def _default(args: argparse.Namespace) -> None:
    from .reaches import default_sessions

    path = args.output / "default_recording.npz"
    _check_output(path)
    kept = _train(args, args.output / "default.safetensors", default_sessions)
    save_recording(path, kept)
    print(f"{path}: {kept.n_bins} steps, {kept.bin.size} events")


def _fit(args: argparse.Namespace) -> None:
    if args.output.suffix != ".safetensors":
        raise ValueError(f"Output must end in .safetensors, not '{args.output}'")
    _check_output(args.output)
    if not args.recording.is_file():
        raise ValueError(f"Recording must be an existing file, not '{args.recording}'")
    recording = load_recording(args.recording)

    def sessions(seed: int) -> tuple[Recording, Recording]:
        from .fit import held_out
        return held_out(recording)

    _train(args, args.output, sessions)


def main(argv: list[str] | None = None) -> int:
    """Run a command; gives its exit status: 0, 2 after a wrong argument or file, 130 if stopped."""
    args = _parser().parse_args(argv)
    try:
        args.command(args)
    except OSError as error:
        return _fail(f"{error.filename or 'File'} must be accessible, not {error.strerror!r}")
    except (TypeError, ValueError) as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("stopped; nothing written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
