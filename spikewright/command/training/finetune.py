# SPDX-License-Identifier: Apache-2.0
"""``spikewright finetune``: round a network, then train its integers on a recording."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.train.fitting.recipe import Tuning

from ..options import NETWORKS, add_nir_options, add_width_options, chosen_bits, chosen_nir
from .shared import add_recording, add_settings, add_target, check_torch, scored, settings

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Round a network to integers like 'spikewright quantize', train the "
                          "integers on the first 80 % of a recording, and score them on the rest. "
                          "See docs/finetuning.md.")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT",
                        help=f"trained network, {NETWORKS}")
    add_recording(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL",
                        help="folder to write: the model")
    parser.add_argument("--name", help="name of the model (default: file name of the checkpoint)")
    add_width_options(parser, weight=4)
    add_target(parser)
    add_settings(parser, Tuning, "epochs", "seed")
    add_nir_options(parser)


def run(arguments: Namespace) -> None:
    """Quantize, train, write the model folder, and print the scores."""
    check_torch()
    from spikewright.api.models import checked, compose, quantize_options, read
    from spikewright.base.files import check_folder
    from spikewright.model.saved import Model
    from spikewright.model.summary import summary
    from spikewright.network.graded.network import spiking
    from spikewright.network.recording import read_recording
    from spikewright.report.markdown import digits
    from spikewright.report.score import number
    from spikewright.train.recording import held_out, target_velocity
    from spikewright.train.tuning.finetune import finetune, integer_score, unit_of

    from ..costs import cost_rows
    check_folder(arguments.output, "manifest.json")
    recording = read_recording(arguments.recording, arguments.target)
    target_velocity(recording)
    seen, unseen = held_out(recording)
    network = spiking(read(arguments.checkpoint, **chosen_nir(arguments)))
    options = quantize_options(arguments.recording, **chosen_bits(arguments))
    rounded = compose(network, seen, options, arguments.name)
    unit = unit_of(rounded.integers, seen)
    integers, facts = finetune(rounded.integers, spiking(rounded.network), rounded.facts, seen,
                               settings(Tuning, arguments), unit)
    model = checked(Model(integers=integers, network=rounded.network, facts=facts), seen,
                    retrained=True)
    manifest = model.save(arguments.output)
    print(summary({**manifest, "warnings": []}, cost_rows(integers)))
    before, after = (integer_score(each.integers, unseen, unit) for each in (rounded, model))
    print(f"held out, {unseen.steps} steps: {scored(after)}, only rounded "
          f"{digits(number(before.mean()))}")
    print(f"-> {arguments.output}")
    worse = ["rounding alone decodes the held-out part better: use 'spikewright quantize'"]
    for warning in [*model.warnings, *(worse if after.mean() < before.mean() else [])]:
        print(f"warning: {warning}", file=sys.stderr)
