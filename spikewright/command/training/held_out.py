# SPDX-License-Identifier: Apache-2.0
"""``spikewright held-out``: score exact, rounded and tuned networks on unseen data."""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from spikewright.model.integers import WIDTH_LIMITS
from spikewright.train.fitting.recipe import LIMITS, Recipe, Tuning

from ..parser import output_file, whole_number
from .shared import add_recording, add_settings, add_target, check_torch, settings

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("For each random seed, train a network on the first 80 % of a "
                          "recording, round it to integers, and fine-tune the integers. Score all "
                          "three on the rest of the recording.")
    add_recording(parser)
    parser.add_argument("-o", "--output", type=output_file(".json"), metavar="RESULTS.json",
                        help="file to write: the scores, .json (default: none)")
    parser.add_argument("--seeds", type=whole_number(1, 1000), default=3, metavar="N",
                        help="number of random seeds, from --seed on (default: %(default)s)")
    parser.add_argument("--weight-bits", type=_bit_list, default=[8, 4], metavar="N,N",
                        help="weight bits to compare, 2 to 16 each (default: 8,4)")
    parser.add_argument("--tuning-epochs", type=whole_number(*LIMITS["epochs"]), metavar="N",
                        default=Tuning.epochs,
                        help="passes of the fine-tuning over the recording (default: %(default)s)")
    add_target(parser)
    add_settings(parser, Recipe, "hidden", "epochs", "seed")


def _bit_list(text: str) -> list[int]:
    try:
        return [whole_number(*WIDTH_LIMITS["weight"])(part) for part in text.split(",")]
    except ArgumentTypeError:
        raise ArgumentTypeError("must be whole numbers from 2 to 16 separated by commas, "
                                f"not {text!r}") from None


def run(arguments: Namespace) -> None:
    """Train with each seed, and print the loss of each width."""
    check_torch()
    from spikewright.base.errors import InputError
    from spikewright.base.files import signature, written_file
    from spikewright.network.recording import read_recording
    from spikewright.train.tuning.held_out import compare, losses
    recording = read_recording(arguments.recording, arguments.target)
    recipe    = settings(Recipe, arguments)
    try:
        results = compare(recording, seeds=arguments.seeds, weight_bits=arguments.weight_bits,
                          recipe=recipe, tuning=Tuning(epochs=arguments.tuning_epochs))
    except ValueError as error:
        raise InputError(str(error)) from error
    print(losses(results))
    if arguments.output:
        with written_file(arguments.output) as temporary:
            temporary.write_text(
                json.dumps(results | signature(), indent=2, allow_nan=False) + "\n",
                encoding="utf-8")
