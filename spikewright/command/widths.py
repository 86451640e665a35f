# SPDX-License-Identifier: Apache-2.0
"""Options that every command has which makes a model."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from spikewright.base.cli import InputError, whole_number
from spikewright.model.model import WIDTH_LIMITS, Widths

__all__ = ["WIDTHS", "add_width_options", "chosen_projections", "chosen_widths"]

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
    parser.add_argument("--projection-bits", type=_projection_bits, nargs="+", default=[],
                        metavar="NAME=N", help="of a weight of one projection: input, "
                        "recurrent or output (default: those of --weight-bits)")


def chosen_widths(arguments: Namespace) -> Widths:
    """The widths that the options of `add_width_options` give, without fraction bits."""
    return Widths(**{name: getattr(arguments, f"{name}_bits") for name in WIDTHS}, fraction=0)


def chosen_projections(arguments: Namespace) -> dict[str, int]:
    """Weight bits of the projections that ``--projection-bits`` names."""
    chosen: dict[str, int] = {}
    for name, bits in arguments.projection_bits:
        if name in chosen:
            raise InputError(f"--projection-bits must give {name} once, not twice")
        chosen[name] = bits
    return chosen


def _projection_bits(text: str) -> tuple[str, int]:
    name, _, bits = text.partition("=")
    low, high = WIDTH_LIMITS["weight"]
    try:
        return name, whole_number(low, high)(bits)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"must be NAME=N with a whole number N from {low} to {high}, as "
                                f"input=4, not {text!r}") from None
