# SPDX-License-Identifier: Apache-2.0
"""Options that every command has which makes a model."""

from argparse import ArgumentParser, Namespace

from .cli import whole_number
from .model import WIDTH_LIMITS, Widths

__all__ = ["WIDTHS", "add_width_options", "chosen_widths"]

# Widths that a user chooses; the calibration chooses the fraction bits.
WIDTHS = tuple(name for name in WIDTH_LIMITS if name != "fraction")

# What has these bits, in words.
OF = {"weight": "a weight", "current": "a synaptic current", "membrane": "a membrane",
      "decay": "the factor by which these decay"}


def add_width_options(parser: ArgumentParser, **defaults: int) -> None:
    """Add an option for each of ``WIDTHS``; ``defaults`` takes the place of that of `Widths`."""
    for name in WIDTHS:
        low, high = WIDTH_LIMITS[name]
        parser.add_argument(f"--{name}-bits", type=whole_number(low, high), metavar="N",
                            default=defaults.get(name, getattr(Widths, name)),
                            help=f"of {OF[name]}, {low} to {high} (default: %(default)s)")


def chosen_widths(arguments: Namespace) -> Widths:
    """The widths that the options of `add_width_options` give, without fraction bits."""
    return Widths(**{name: getattr(arguments, f"{name}_bits") for name in WIDTHS}, fraction=0)
