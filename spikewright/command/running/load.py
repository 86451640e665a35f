# SPDX-License-Identifier: Apache-2.0
"""``spikewright load``: bring another model into a running board."""

import time
from argparse import ArgumentParser, Namespace

from spikewright.base.errors import InputError

from ..options import add_baud, add_model

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Load a model into a board that was built with --load model for a model "
                          "of the same form. The board decodes with the new model from then on, "
                          "until it restarts.")
    add_model(parser)
    parser.add_argument("--port", required=True, help="serial port of the board")
    add_baud(parser)


def run(arguments: Namespace) -> None:
    """Load the model, unless the board has it already."""
    if arguments.port == "virtual":
        raise InputError("Port must be that of a running board, not 'virtual'")
    from spikewright.host.decoder import Decoder
    from spikewright.model.saved import Model
    model, began = Model.load(arguments.model), time.perf_counter()
    if model.integers.graded:
        raise InputError(f"Model {model.name} must have spiking populations to be loaded into a "
                         "board, not graded ones")
    with Decoder.open(f"serial:{arguments.port}", model, baud=arguments.baud, load=True):
        took = time.perf_counter() - began
    print(f"the board at {arguments.port} has model {model.hash[:16]}, after {took:.2f} s")
