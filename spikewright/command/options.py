# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import fields
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.model.model import WIDTH_LIMITS, Widths
from spikewright.plan.config import BAUD, CHOICES, PRESETS, CoreConfig, chosen

from .parser import baud, megahertz, output_file, whole_number

__all__ = ["CHECKPOINTS", "add_answer", "add_baud", "add_board", "add_build", "add_core_options",
           "add_folder", "add_freq", "add_model", "add_recording", "add_seed",
           "add_width_options", "chosen_bits", "chosen_config", "core_choices"]

# Files of a trained network, as `network.tensors` reads them.
CHECKPOINTS = ".safetensors, .pth, .pt or .ckpt"

# Widths that a user chooses; the calibration chooses the fraction bits.
WIDTHS = tuple(name for name in WIDTH_LIMITS if name != "fraction")

_MEANING = {"weight": "a weight", "current": "a synaptic current",
            "membrane": "a membrane potential",
            "decay": "a decay factor of the currents and membrane potentials"}

_HELP = {
    "tables":        "format of the weight tables, see docs/tables.md",
    "weight_memory": "memory of the weights: block RAM, or large RAM, which the host fills",
    "neurons":       "neuron update: one unit shared by all lanes, or one unit in each lane",
    "multiplier":    "multiplier of the decays: one product per clock cycle (parallel), or one "
                     "bit of a product per clock cycle (serial)",
}


def add_core_options(parser: ArgumentParser) -> None:
    """Add ``--preset`` and an option for each field of `CoreConfig`."""
    parser.add_argument("--preset", choices=PRESETS, default="balanced",
                        help="named choice of the core options: small has 1 lane; balanced has 4; "
                        "fast has 8, each with a neuron unit, and keeps the weights in large RAM. "
                        "For a board, options that its chip cannot support are replaced "
                        "(default: %(default)s)")
    parser.add_argument("--lanes", type=whole_number(1, 64), metavar="N",
                        help="synapses processed per clock cycle, 1 to 64 (default: from the "
                        "preset)")
    for name, allowed in CHOICES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", choices=allowed,
                            help=f"{_HELP[name]} (default: from the preset)")


def core_choices(arguments: Namespace) -> dict:
    """Return the options of `add_core_options` that were given, except the preset."""
    return {field.name: getattr(arguments, field.name) for field in fields(CoreConfig)
            if getattr(arguments, field.name) is not None}


def chosen_config(arguments: Namespace, **instead: str | int) -> CoreConfig:
    """Return the configuration that the options of `add_core_options` give.

    ``instead`` replaces options of the preset. It does not replace options of the user.

    Raises
    ------
    InputError
        If the options cannot be combined.
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
    """Add the file of the decoded velocity."""
    parser.add_argument("-o", "--output", type=output_file(".npz"), required=True,
                        metavar="OUT.npz",
                        help="file to write: decoded velocity, clock cycles and more, see "
                        "docs/contracts.md")


def add_build(parser: ArgumentParser) -> None:
    """Add the folder of compiled hardware, for `base.cache.cache_folder`."""
    parser.add_argument("--build", type=Path, metavar="DIR",
                        help="folder for compiled hardware, which is used again (default: "
                        "spikewright/hardware in your cache folder)")


def add_folder(parser: ArgumentParser, title: str) -> None:
    """Add the folder to write; ``title`` names its contents."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR",
                        help=f"folder to write: {title}")


def add_board(parser: ArgumentParser) -> None:
    """Add the board."""
    parser.add_argument("--board", required=True, help="name of the board, see "
                        "'spikewright boards'")


def add_freq(parser: ArgumentParser, title: str, default: float | None = None) -> None:
    """Add the frequency of the clock ``title``."""
    told = "the board's clock" if default is None else "%(default)g"
    parser.add_argument("--freq", type=megahertz, metavar="MHZ", default=default,
                        help=f"{title}, in MHz (default: {told})")


def add_baud(parser: ArgumentParser) -> None:
    """Add the speed of the serial line."""
    parser.add_argument("--baud", type=baud, default=BAUD, metavar="N",
                        help="bits per second on the serial line, 9600 to 12000000 "
                        "(default: %(default)s)")


def add_seed(parser: ArgumentParser, title: str) -> None:
    """Add a random seed; ``title`` says what it changes."""
    parser.add_argument("--seed", type=whole_number(1, 1 << 30), metavar="N", default=1,
                        help=f"{title} (default: %(default)s)")


def add_width_options(parser: ArgumentParser, **defaults: int) -> None:
    """Add an option for each of ``WIDTHS``; ``defaults`` replaces defaults of `Widths`."""
    for name in WIDTHS:
        low, high = WIDTH_LIMITS[name]
        parser.add_argument(f"--{name}-bits", type=whole_number(low, high), metavar="N",
                            default=defaults.get(name, getattr(Widths, name)),
                            help=f"bits of {_MEANING[name]}, {low} to {high} "
                            "(default: %(default)s)")
    parser.add_argument("--projection-bits", type=_projection_bits, nargs="+", default=[],
                        metavar="NAME=N", help="weight bits of one projection (input, recurrent or "
                        "output), such as input=4 (default: --weight-bits for all)")


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
        raise ArgumentTypeError(f"must be NAME=N with a whole number N from {low} to {high}, such "
                                f"as input=4, not {text!r}") from None
