# SPDX-License-Identifier: Apache-2.0
"""``spikewright export-nir``: write a network as a NIR graph."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..options import NETWORKS, add_nir_options, chosen_nir
from ..parser import output_file

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Write a network as a NIR graph, for other frameworks. From a model, its "
                          "float network is written, retimed as the model is. Its metadata has "
                          "what NIR cannot say, so that this program reads the same network.")
    parser.add_argument("network", type=Path, metavar="NETWORK",
                        help=f"folder made by 'spikewright quantize', or {NETWORKS}")
    parser.add_argument("-o", "--output", type=output_file(".nir"), required=True,
                        metavar="OUT.nir", help="file to write")
    add_nir_options(parser)


def run(arguments: Namespace) -> None:
    """Write the graph, and print its parts."""
    from spikewright.api.models import load, read
    from spikewright.network.graded.network import spiking
    from spikewright.network.nir.export import write_nir

    from .read import describe
    if arguments.network.is_dir():
        network = spiking(load(arguments.network).network)
    else:
        network = spiking(read(arguments.network, **chosen_nir(arguments)))
    write_nir(network, arguments.output)
    describe(network)
    print(f"-> {arguments.output}")
