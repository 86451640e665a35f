# SPDX-License-Identifier: Apache-2.0
"""``spikewright virtual``: a virtual board at a port, for any serial program."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.plan.config import CLOCK_MHZ

from ..options import add_baud, add_core_options, add_freq, add_model, chosen_config
from ..parser import ended_by_signal, whole_number

__all__ = ["add", "run"]

# Seconds between two looks whether the port is still served.
LOOK = 0.5


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Serve a virtual board at a pseudo-terminal until Ctrl-C. Any serial "
                          "program sees a board there, in real time.")
    add_model(parser)
    parser.add_argument("--link", type=Path, metavar="PATH",
                        help="symbolic link to make, so that the port has a name that stays")
    parser.add_argument("--latency-timer", type=whole_number(0, 255), default=0,
                        metavar="MS", help="milliseconds for which the USB serial chip of a board "
                        "keeps a short answer back (default: %(default)s)")
    add_baud(parser)
    add_freq(parser, "clock of the virtual board", CLOCK_MHZ)
    add_core_options(parser)


def run(arguments: Namespace) -> None:
    """Serve the board, and print the name of its port."""
    from spikewright.host.decoder import virtual_board
    from spikewright.model.saved import Model
    from spikewright.sim.terminal import Terminal, check_link
    if arguments.link:
        check_link(arguments.link)
    model = Model.load(arguments.model)
    board = virtual_board(model, chosen_config(arguments, model.integers),
                          baud=arguments.baud, megahertz=arguments.freq)
    with ended_by_signal(), \
            Terminal(board, arguments.latency_timer / 1e3, arguments.link) as terminal:
        print(f"virtual board at {arguments.link or terminal.port}; Ctrl-C removes it", flush=True)
        while terminal.alive:
            time.sleep(LOOK)
        raise InputError("Virtual board must answer until Ctrl-C, not end with an error: "
                         f"{terminal.error}") from terminal.error
