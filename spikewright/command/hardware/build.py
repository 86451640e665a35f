# SPDX-License-Identifier: Apache-2.0
"""``spikewright build``: make the bitstream and the report of a model."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..options import (
    add_baud,
    add_board,
    add_core_options,
    add_folder,
    add_freq,
    add_model,
    add_seed,
    core_choices,
)

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    add_model(parser)
    add_board(parser)
    add_folder(parser, "the bitstream, report.html, report.json and logs")
    add_core_options(parser)
    add_freq(parser, "clock of the decoder")
    add_baud(parser)
    add_seed(parser, "random seed of place and route: another seed gives another layout, and may "
             "reach another clock frequency")
    parser.add_argument("--recording", type=Path, metavar="RECORDING.npz",
                        help="recording for the figures of the report: clock cycles, accuracy "
                        "(default: simulated spikes)")


def run(arguments: Namespace) -> None:
    """Build, and print the report."""
    from spikewright import api
    report = api.build(api.load(arguments.model), board=arguments.board, out=arguments.output,
                       preset=arguments.preset, megahertz=arguments.freq, baud=arguments.baud,
                       seed=arguments.seed, recording=arguments.recording,
                       **core_choices(arguments))
    print(report)
    board = report.board
    print(f"-> {arguments.output}/report.html, and {board.bitstream} for '{board.program}'")
