# SPDX-License-Identifier: Apache-2.0
"""``spikewright verilog``: write the core as Verilog, for your own designs."""

from argparse import ArgumentParser, Namespace

from spikewright.plan.config import CLOCK_MHZ

from ..options import (
    add_baud,
    add_core_options,
    add_folder,
    add_freq,
    add_model,
    chosen_config,
)

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Write the core as one Verilog file for your own designs, with an "
                          "example of its use and a FuseSoC core file.")
    add_model(parser)
    add_folder(parser, "the Verilog, the example and the FuseSoC core file")
    add_core_options(parser)
    parser.add_argument("--name", help="name of the Verilog module (default: spikewright_core, or "
                        "spikewright_decoder with --with-link)")
    parser.add_argument("--with-link", action="store_true",
                        help="write the whole decoder, with its serial line")
    add_freq(parser, "with --with-link: clock of your design", CLOCK_MHZ)
    add_baud(parser)


def run(arguments: Namespace) -> None:
    """Write the files."""
    from spikewright.base.errors import InputError
    from spikewright.hw.export.design import NAMES, export_verilog
    from spikewright.hw.params import link_params
    from spikewright.model.artefact import load_artefact
    from spikewright.plan.plan import Plan
    model, manifest = load_artefact(arguments.model)
    plan = Plan(model=model, config=chosen_config(arguments, model))
    try:
        link = link_params(plan, model_hash=manifest["model_hash"], baud=arguments.baud,
                           clock_hz=round(1e6 * arguments.freq)) if arguments.with_link else None
    except ValueError as error:
        raise InputError(str(error)) from error
    name = NAMES[arguments.with_link] if arguments.name is None else arguments.name
    files = export_verilog(arguments.output, plan, link, manifest, name=name)
    print(f"-> {arguments.output}: {', '.join(files)}")
