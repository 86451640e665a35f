# SPDX-License-Identifier: Apache-2.0
"""``spikewright make``: run a target of the Makefile."""

import os
from argparse import ArgumentParser, Namespace

from spikewright.base.errors import InputError

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    from .targets import TARGETS
    parser.description = ("Run a target of the Makefile, which calls this command. Settings come "
                          "from the command line of make and from the environment. 'make help' "
                          "lists them.")
    parser.add_argument("target", choices=tuple(TARGETS), metavar="TARGET",
                        help="%(choices)s")


def run(arguments: Namespace) -> None:
    """Check all settings, then make the target."""
    from .settings import read_settings
    from .targets import make_target
    try:
        settings = read_settings(os.environ)
    except ValueError as error:
        raise InputError(str(error)) from error
    make_target(arguments.target, settings)
