# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import fields
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.model.integers import WIDTH_LIMITS, Widths
from spikewright.model.model import IntegerModel
from spikewright.plan.config import CHOICES, PRESETS, CoreConfig, chosen

from .parser import baud, megahertz, output_file, whole_number

__all__ = ["NETWORKS", "add_answer", "add_baud", "add_board", "add_build",
           "add_core_options", "add_folder", "add_freq", "add_model", "add_nir_options",
           "add_recording", "add_seed", "add_width_options", "chosen_bits", "chosen_config",
           "chosen_nir", "core_choices"]

# Files of a trained network, as `api.read` reads them.
NETWORKS = (".safetensors, .pth, .pt or .ckpt, a description of a state dict, .json, or a NIR "
            "graph, .nir")

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
    "load":          "whether a host may load another model of the same form into the running "
                     "device",
    "staging":       "memory in which a model that is loaded waits until it is whole; none: the "
                     "old model is gone from the first word on",
}

_NIR_HELP = {
    "decay":        "decay of a step: euler 1 - dt/tau, or exp(-dt/tau)",
    "gain":         "factor of the input to a membrane: nir (1 - decay) r, unit 1, or decay",
    "syn_gain":     "factor of the input to a current: nir (1 - decay) w_in, unit 1, or decay",
    "order":        "current that a membrane takes: this step's (syn_first), or the last step's",
    "reset":        "what a spike does to the membrane",
    "compare":      "a neuron fires if its membrane is above, or at least, the threshold",
    "v_reset":      "membrane after a spike, if the file lost it",
    "v0":           "membrane at the start",
    "back_delay":   "steps that are added to an edge that closes a loop",
    "source_delay": "steps from a spike to its arrival at the next neuron",
}


def add_core_options(parser: ArgumentParser, **notes: str) -> None:
    """Add ``--preset`` and an option for each field of `CoreConfig`.

    ``notes`` has more to say about some fields, by their name.
    """
    parser.add_argument("--preset", choices=PRESETS, default="balanced",
                        help="named choice of the core options: small has 1 lane; balanced has 4; "
                        "fast has 8, each with a neuron unit, and keeps the weights in large RAM. "
                        "For a board, options that its chip cannot support are replaced "
                        "(default: %(default)s)")
    parser.add_argument("--lanes", type=whole_number(1, 64), metavar="N",
                        help="synapses processed per clock cycle, 1 to 64 (default: from the "
                        "preset)")
    for name, allowed in CHOICES.items():
        default = ("where there is room, with --load model" if name == "staging" else
                   "from the preset")
        parser.add_argument(f"--{name.replace('_', '-')}", choices=allowed,
                            help=f"{notes.get(name, '')}{_HELP[name]} (default: {default})")


def core_choices(arguments: Namespace) -> dict:
    """Return the options of `add_core_options` that were given, except the preset."""
    return {field.name: getattr(arguments, field.name) for field in fields(CoreConfig)
            if getattr(arguments, field.name) is not None}


def chosen_config(arguments: Namespace, model: IntegerModel | None = None,
                  **instead: str | int) -> CoreConfig:
    """Return the configuration that the options of `add_core_options` give.

    ``instead``, and what ``model`` needs, replace options of the preset. They do not replace
    options of the user.

    Raises
    ------
    InputError
        If the options cannot be combined.
    """
    if model:
        from spikewright.plan.plan import suited
        instead |= suited(model)
    return chosen(arguments.preset, core_choices(arguments), instead)


def add_nir_options(parser: ArgumentParser) -> None:
    """Add what the file of a network may not have, above all that of a NIR graph."""
    from spikewright.network.nir.options import ANSWERS, DEFAULTS, FRAMEWORKS, READOUTS, flag
    parser.add_argument("--step", type=float, metavar="SECONDS",
                        help="time per step, as recordings have it, if the network's file does not "
                        "have it (default: 0.004; for a NIR graph, --dt)")
    group = parser.add_argument_group(
        "NIR graphs", "What a .nir file does not say. docs/howto/nir.md explains each option.")
    group.add_argument("--from", dest="framework", choices=FRAMEWORKS,
                       help="framework that wrote the file: what it does, as far as that is known")
    group.add_argument("--dt", type=float, metavar="TIME",
                       help="time per step, in the unit of the file, such as 0.001")
    defaults = {**DEFAULTS, "reset": "none, it must be given", "v_reset": "as in the file"}
    for key, allowed in ANSWERS.items():
        kind: dict = ({"choices": allowed} if isinstance(allowed, tuple)
                      else {"type": allowed, "metavar": "STEPS" if allowed is int else "VALUE"})
        group.add_argument(flag(key), help=f"{_NIR_HELP[key]} (default: {defaults[key]})", **kind)
    group.add_argument("--readout", metavar="KIND", help="what leaves the network where neurons "
                       f"that spike feed an Output: {READOUTS} (default: spikes, but membranes of "
                       "neurons without a reset)")
    group.add_argument("--inputs", type=lambda text: tuple(text.split(",")), default=(),
                       metavar="NAMES", help="if there are several Input nodes: their names in the "
                       "order of the channels, separated by commas")
    group.add_argument("--node", action="append", type=_node_options, default=[],
                       metavar="NAME:KEY=VALUE", help="options of one neuron node, such as "
                       "lif2:reset=none,gain=unit. It may be repeated")


def chosen_nir(arguments: Namespace) -> dict:
    """Return what the options of `add_nir_options` give, as arguments of `api.read`."""
    from spikewright.network.nir.options import ANSWERS
    nodes: dict[str, dict] = {}
    for name, answers in arguments.node:
        found = nodes.setdefault(name, {})
        for key, value in answers.items():
            if found.setdefault(key, value) != value:
                raise InputError(f"Option --node must give {key} of {name} once, not as "
                                 f"{found[key]} and as {value}")
    return {"step": arguments.step, "framework": arguments.framework, "dt": arguments.dt,
            "readout": arguments.readout, "inputs": arguments.inputs, "nodes": nodes,
            **{key: getattr(arguments, key) for key in ANSWERS
               if getattr(arguments, key) is not None}}


def _node_options(text: str) -> tuple[str, dict]:
    from spikewright.network.nir.options import ANSWERS
    name, _, pairs = text.rpartition(":")
    answers: dict = {}
    for pair in pairs.split(","):
        key, equals, value = pair.partition("=")
        kind = ANSWERS.get(key := key.replace("-", "_"), str)
        if not name or not equals:
            raise ArgumentTypeError("must be NAME:KEY=VALUE, such as lif2:reset=none,gain=unit, "
                                    f"not {text!r}")
        try:
            answers[key] = value if isinstance(kind, tuple) else kind(value)
        except ValueError:
            raise ArgumentTypeError(f"must have a number as the {key}, not {value!r}") from None
    return name, answers


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
    parser.add_argument("--baud", type=baud, metavar="N",
                        help="bits per second on the serial line, 9600 to 12000000 (default: "
                        "1000000, or an eighth of --freq where that is less)")


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
