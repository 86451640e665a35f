# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import fields
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.model.model import WIDTH_LIMITS, Widths
from spikewright.plan.config import BAUD, CHOICES, PRESETS, CoreConfig, chosen

from .parser import baud, megahertz, output_file, whole_number

__all__ = ["add_answer", "add_baud", "add_board", "add_core_options", "add_folder", "add_freq",
           "add_model", "add_recording", "add_seed", "add_width_options", "chosen_bits",
           "chosen_config", "core_choices"]

# Widths that a user chooses; the calibration chooses the fraction bits.
WIDTHS = tuple(name for name in WIDTH_LIMITS if name != "fraction")

# What has these bits, in words.
OF = {"weight": "a weight", "current": "a synaptic current", "membrane": "a membrane",
      "decay": "the factor by which these decay"}

_HELP = {
    "tables":        "format of the weight tables, see docs/tables.md",
    "weight_memory": "where the weights lie: block RAM, or the large RAMs that the host fills",
    "neurons":       "one neuron pipeline, or a unit in every lane",
    "multiplier":    "a product per cycle, or a bit of it",
}


def add_core_options(parser: ArgumentParser) -> None:
    """Add ``--preset`` and an option for each field of `CoreConfig`."""
    parser.add_argument("--preset", choices=PRESETS, default="balanced",
                        help="named choice of the options below: small has 1 lane, balanced 4, "
                        "fast 8 with a neuron unit in each and the weights in large RAM; for a "
                        "board, what its chip cannot hold is replaced (default: %(default)s)")
    parser.add_argument("--lanes", type=whole_number(1, 64), metavar="N",
                        help="synapses a cycle, 1 to 64 (default: the preset's)")
    for name, allowed in CHOICES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", choices=allowed,
                            help=f"{_HELP[name]} (default: the preset's)")


def core_choices(arguments: Namespace) -> dict:
    """What the options of `add_core_options` give, the preset aside; by the name of the field."""
    return {field.name: getattr(arguments, field.name) for field in fields(CoreConfig)
            if getattr(arguments, field.name) is not None}


def chosen_config(arguments: Namespace, **instead: str) -> CoreConfig:
    """The configuration that the options of `add_core_options` give.

    ``instead`` takes the place of what the preset chooses, not of what the user does.

    Raises
    ------
    InputError
        If they do not go together.
    """
    return chosen(arguments.preset, core_choices(arguments), instead)


def add_model(parser: ArgumentParser) -> None:
    """Add the folder of a model."""
    parser.add_argument("model", type=Path, metavar="MODEL",
                        help="folder made by 'spikewright quantize'")


def add_recording(parser: ArgumentParser) -> None:
    """Add the recording to decode."""
    parser.add_argument("recording", type=Path, metavar="RECORDING.npz",
                        help=".npz with bin, channel, n_bins, n_channels, dt; see "
                        "docs/contracts.md")


def add_answer(parser: ArgumentParser) -> None:
    """Add the file of an answer."""
    parser.add_argument("-o", "--output", type=output_file, required=True, metavar="OUT.npz",
                        help="file of the answer")


def add_folder(parser: ArgumentParser, title: str) -> None:
    """Add the folder to write, which is one of ``title``."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR",
                        help=f"folder of {title}")


def add_board(parser: ArgumentParser) -> None:
    """Add the board."""
    parser.add_argument("--board", required=True, help="as 'spikewright boards' names it")


def add_freq(parser: ArgumentParser, title: str, default: float | None = None) -> None:
    """Add the clock, ``title``."""
    told = "the board's" if default is None else "%(default)g"
    parser.add_argument("--freq", type=megahertz, metavar="MHZ", default=default,
                        help=f"{title} (default: {told})")


def add_baud(parser: ArgumentParser) -> None:
    """Add the speed of the serial line."""
    parser.add_argument("--baud", type=baud, default=BAUD, metavar="N",
                        help="bits a second on the serial line (default: %(default)s)")


def add_seed(parser: ArgumentParser, title: str) -> None:
    """Add the seed of ``title``."""
    parser.add_argument("--seed", type=whole_number(1, 1 << 30), metavar="N", default=1,
                        help=f"of the {title} (default: %(default)s)")


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


def chosen_bits(arguments: Namespace) -> dict:
    """Return what the options of `add_width_options` give, as arguments of `api.quantize`."""
    projections: dict[str, int] = {}
    for name, bits in arguments.projection_bits:
        if name in projections:
            raise InputError(f"--projection-bits must give {name} once, not twice")
        projections[name] = bits
    return {"projection_bits": projections,
            **{f"{name}_bits": getattr(arguments, f"{name}_bits") for name in WIDTHS}}


def _projection_bits(text: str) -> tuple[str, int]:
    name, _, bits = text.partition("=")
    low, high = WIDTH_LIMITS["weight"]
    try:
        return name, whole_number(low, high)(bits)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"must be NAME=N with a whole number N from {low} to {high}, as "
                                f"input=4, not {text!r}") from None
