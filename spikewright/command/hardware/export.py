# SPDX-License-Identifier: Apache-2.0
"""``spikewright export``: write the weights of a model as memory images."""

from argparse import ArgumentParser, Namespace

from ..options import add_core_options, add_folder, add_model, chosen_config

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Write the weights of a model as memory images for your own hardware: "
                          ".npz, .mem, .svh and .h, and rom.json, a list of them. The images are "
                          "dense tables, laid out for the lanes of the core.")
    add_model(parser)
    add_folder(parser, "the memory images")
    add_core_options(parser)


def run(arguments: Namespace) -> None:
    """Write the images, and print a line about each file."""
    from spikewright.base.errors import InputError
    from spikewright.model.artefact import load_artefact
    from spikewright.plan.export import export_rom
    model, manifest = load_artefact(arguments.model)
    config = chosen_config(arguments)
    if config.tables != "dense":
        raise InputError(f"Core tables must be dense to be exported, not {config.tables!r}")
    index = export_rom(arguments.output, model, manifest["model_hash"], config.lanes)
    for name, text in index["files"].items():
        print(f"{name:12} {text}")
    print(f"{'rom.json':12} this list, with the hash of the model and the size of each memory")
    print(f"-> {arguments.output}")
