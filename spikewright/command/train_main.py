# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m train --help``."""

import json
import os
import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import check_file, check_folder, written_file
from spikewright.model.artefact import save_artefact
from spikewright.model.model import WIDTH_LIMITS
from spikewright.model.summary import summary
from spikewright.network.recording import TARGETS, Recording, read_recording
from spikewright.quantize.compile import build_model
from spikewright.train.reaches import default_sessions, save_session
from spikewright.train.recipe import LIMITS, Recipe, Tuning
from spikewright.train.recording import held_out, target_velocity

from .costs import cost_rows
from .options import add_width_options, chosen_projections, chosen_widths
from .parser import CommandParser, run_command, whole_number

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
    _add_settings(default, Recipe, "epochs", "seed")

    fit = commands.add_parser(
        "fit", help="train on a recording of your own",
        description="Train on the first 80 % of a recording that holds `velocity`, and score on "
                    "the rest. The decays follow the recording's dt; the network answers in the "
                    "unit of its velocity.")
    fit.add_argument("recording", type=Path, metavar="RECORDING.npz", help="see docs/contracts.md")
    fit.add_argument("-o", "--output", type=Path, required=True, metavar="CHECKPOINT.safetensors",
                     help="file to write, in an existing folder")
    _add_target(fit)
    _add_settings(fit, Recipe, "hidden", "epochs", "seed")

    finetune = commands.add_parser(
        "finetune", help="checkpoint to model, its integers trained on a recording of your own",
        description="Quantize a checkpoint as 'python -m quantize build' does, then train the "
                    "integers on the first 80 % of a recording, and score on the rest. Writes a "
                    "model folder. See docs/finetuning.md.")
    finetune.add_argument("checkpoint", type=Path, metavar="CHECKPOINT",
                          help=".safetensors or .pth")
    finetune.add_argument("recording", type=Path, metavar="RECORDING.npz",
                          help="see docs/contracts.md")
    finetune.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER",
                          help="folder of the model")
    finetune.add_argument("--name", help="of the model (default: as the checkpoint)")
    add_width_options(finetune, weight=4)
    _add_target(finetune)
    _add_settings(finetune, Tuning, "epochs", "seed")

    compare = commands.add_parser(
        "held-out", help="what integers cost on a recording's last part, over several seeds",
        description="For each seed, train on the first 80 % of a recording, quantize, fine-tune, "
                    "and score all three on the rest.")
    compare.add_argument("recording", type=Path, metavar="RECORDING.npz",
                         help="see docs/contracts.md")
    compare.add_argument("-o", "--output", type=Path, metavar="RESULTS.json",
                         help="file to write, in an existing folder (default: none)")
    compare.add_argument("--seeds", type=whole_number(1, 1000), default=3, metavar="N",
                         help="how many, from --seed on (default: %(default)s)")
    compare.add_argument("--weight-bits", type=_bit_list, default=[8, 4], metavar="N,N",
                         help="2 to 16 each (default: 8,4)")
    compare.add_argument("--tuning-epochs", type=whole_number(*LIMITS["epochs"]), metavar="N",
                         default=Tuning.epochs,
                         help="passes of the fine-tuning (default: %(default)s)")
    _add_target(compare)
    _add_settings(compare, Recipe, "hidden", "epochs", "seed")
    return parser


def _add_target(parser: CommandParser) -> None:
    parser.add_argument("--target", choices=TARGETS, default=None,
                        help="key of the recording to decode (default: the first that it has)")


def _add_settings(parser: CommandParser, recipe: type, *names: str) -> None:
    for name in names:
        low, high = LIMITS[name]
        parser.add_argument(f"--{name}", type=whole_number(low, high), metavar="N",
                            default=getattr(recipe, name),
                            help=f"{SETTINGS[name]}, {low} to {high} (default: %(default)s)")


def _bit_list(text: str) -> list[int]:
    try:
        bits = [whole_number(*WIDTH_LIMITS["weight"])(part) for part in text.split(",")]
    except ArgumentTypeError:
        raise ArgumentTypeError("must be whole numbers from 2 to 16 with commas between, "
                                f"not {text!r}") from None
    return bits


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    {"default": _default, "fit": _fit, "finetune": _finetune,
     "held-out": _held_out}[arguments.command](arguments)


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
    _train(arguments, arguments.output,
           *held_out(read_recording(arguments.recording, arguments.target)))


def _finetune(arguments: Namespace) -> None:
    _check_torch()
    from spikewright.train.finetune import finetune, integer_score, unit_of
    check_folder(arguments.output, "manifest.json")
    seen, unseen = held_out(read_recording(arguments.recording, arguments.target))
    target_velocity(seen)
    try:
        rounded, network, facts = build_model(
            arguments.checkpoint, name=arguments.name, widths=chosen_widths(arguments),
            projection_bits=chosen_projections(arguments), recording=seen)
        unit = unit_of(rounded, seen)
        model, facts = finetune(rounded, network, facts, seen, _settings(Tuning, arguments), unit)
    except ValueError as error:
        raise InputError(str(error)) from error
    manifest = save_artefact(arguments.output, model, network, facts)
    print(summary({**manifest, "warnings": []}, cost_rows(model)))
    before, after = (integer_score(each, unseen, unit) for each in (rounded, model))
    print(f"held out, {unseen.steps} steps: R2 {after.mean():.3f} (x {after[0]:.3f}, "
          f"y {after[1]:.3f}), only rounded {before.mean():.3f}")
    print(f"-> {arguments.output}")
    worse = ["rounding alone decodes the held-out part better: take 'python -m quantize build'"]
    for warning in [*facts["warnings"], *(worse if after.mean() < before.mean() else [])]:
        print(f"warning: {warning}", file=sys.stderr)


def _held_out(arguments: Namespace) -> None:
    _check_torch()
    from spikewright.train.held_out import compare, heading, losses
    if arguments.output:
        _check_output(arguments.output)
    recording = read_recording(arguments.recording, arguments.target)
    recipe    = _settings(Recipe, arguments)
    print(heading(arguments.weight_bits), flush=True)
    try:
        results = compare(recording, seeds=arguments.seeds, weight_bits=arguments.weight_bits,
                          recipe=recipe, tuning=Tuning(epochs=arguments.tuning_epochs))
    except ValueError as error:
        raise InputError(str(error)) from error
    print(losses(results))
    if arguments.output:
        with written_file(arguments.output) as temporary:
            temporary.write_text(json.dumps(results, indent=2) + "\n")


def _settings(recipe: type, arguments: Namespace):
    return recipe(**{name: value for name, value in vars(arguments).items() if name in LIMITS})


def _check_torch() -> None:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise InputError("Package torch must be installed to train (pip install -e '.[torch]'), "
                         "not missing") from None


def _check_output(path: Path) -> None:
    """Refuse before the work what could not be written after it."""
    if not os.access(path.parent, os.W_OK | os.X_OK) or not path.parent.is_dir():
        raise InputError(f"Output folder must exist and be writable, not '{path.parent}'")
    check_file(path)


def _train(arguments: Namespace, path: Path, seen: Recording, unseen: Recording) -> None:
    """Train on ``seen``, write the checkpoint ``path``, print the score on ``unseen``."""
    _check_torch()
    from spikewright.train.fit import fit, predict, r2
    recipe = _settings(Recipe, arguments)
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
