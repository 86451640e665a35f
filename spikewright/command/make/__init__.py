# SPDX-License-Identifier: Apache-2.0
"""``spikewright make``: what the targets of the Makefile do."""

import os
from argparse import ArgumentParser, Namespace

from spikewright.base.errors import InputError

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    from .targets import TARGETS
    parser.description = ("What the Makefile calls. The settings come from make's command line, "
                          "and from the environment; 'make help' lists them.")
    parser.add_argument("target", choices=tuple(TARGETS), help="(%(choices)s)", metavar="TARGET")


def run(arguments: Namespace) -> None:
    """Check all settings, then make the target."""
    from .settings import read_settings
    from .targets import TARGETS
    try:
        settings = read_settings(os.environ)
    except ValueError as error:
        raise InputError(str(error)) from error
    TARGETS[arguments.target](settings)
