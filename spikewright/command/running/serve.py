# SPDX-License-Identifier: Apache-2.0
"""``spikewright serve``: decode spikes as they come, and show it on a page."""

from argparse import ArgumentParser, Namespace

from .live import add_session, run_session

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Decode spikes as they come, as 'spikewright live' does, and show it on "
                          "a page in the browser. The page has buttons that pause, reset, and load "
                          "one of --models. docs/howto/live.md describes it.")
    add_session(parser)
    parser.add_argument("--listen", default="8765", metavar="[HOST:]PORT",
                        help="address of the page. Only this computer reaches it unless HOST is "
                        "given, which needs --token-file (default: %(default)s)")


def run(arguments: Namespace) -> None:
    """Run the loop, and serve the page."""
    run_session(arguments, "page")
