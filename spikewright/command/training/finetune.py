# SPDX-License-Identifier: Apache-2.0
"""``spikewright finetune``: checkpoint to model, its integers trained on a recording."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.train.recipe import Tuning

from ..options import add_width_options, chosen_projections, chosen_widths
from .shared import add_recording, add_settings, add_target, check_torch, settings

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Quantize a checkpoint as 'spikewright quantize' does, then train the "
                          "integers on the first 80 % of a recording, and score on the rest. "
                          "Writes a model folder. See docs/finetuning.md.")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT",
                        help=".safetensors or .pth")
    add_recording(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL",
                        help="folder of the model")
    parser.add_argument("--name", help="of the model (default: as the checkpoint)")
    add_width_options(parser, weight=4)
    add_target(parser)
    add_settings(parser, Tuning, "epochs", "seed")


def run(arguments: Namespace) -> None:
    """Quantize, train, write the model folder, and print the scores."""
    check_torch()
    from spikewright.base.errors import InputError
    from spikewright.base.files import check_folder
    from spikewright.base.version import maker
    from spikewright.model.artefact import save_artefact
    from spikewright.model.summary import summary
    from spikewright.network.recording import read_recording
    from spikewright.quantize.compile import build_model
    from spikewright.train.finetune import finetune, integer_score, unit_of
    from spikewright.train.recording import held_out, target_velocity

    from ..costs import cost_rows
    check_folder(arguments.output, "manifest.json")
    seen, unseen = held_out(read_recording(arguments.recording, arguments.target))
    target_velocity(seen)
    try:
        rounded, network, facts = build_model(
            arguments.checkpoint, name=arguments.name, widths=chosen_widths(arguments),
            projection_bits=chosen_projections(arguments), recording=seen)
        unit = unit_of(rounded, seen)
        model, facts = finetune(rounded, network, facts, seen, settings(Tuning, arguments), unit)
    except ValueError as error:
        raise InputError(str(error)) from error
    manifest = save_artefact(arguments.output, model, network, {"made_by": maker(), **facts})
    print(summary({**manifest, "warnings": []}, cost_rows(model)))
    before, after = (integer_score(each, unseen, unit) for each in (rounded, model))
    print(f"held out, {unseen.steps} steps: R2 {after.mean():.3f} (x {after[0]:.3f}, "
          f"y {after[1]:.3f}), only rounded {before.mean():.3f}")
    print(f"-> {arguments.output}")
    worse = ["rounding alone decodes the held-out part better: take 'spikewright quantize'"]
    for warning in [*facts["warnings"], *(worse if after.mean() < before.mean() else [])]:
        print(f"warning: {warning}", file=sys.stderr)
