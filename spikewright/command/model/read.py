# SPDX-License-Identifier: Apache-2.0
"""``spikewright read``: print the contents of a network file."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spikewright.network.graded.network import AnyNetwork, GradedNetwork
from spikewright.network.network import CONSTANT, INPUT, Network, Population, inner, role

from ..options import NETWORKS, add_nir_options, chosen_nir
from .stages import stage_rows

__all__ = ["add", "describe", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("network", type=Path, metavar="FILE", help=NETWORKS)
    add_nir_options(parser)


def run(arguments: Namespace) -> None:
    """Print populations and projections, or stages."""
    from spikewright.api import read
    network = read(arguments.network, **chosen_nir(arguments))
    describe(network, [("file", str(arguments.network))])


def describe(network: AnyNetwork, rows: Sequence[tuple[str, str]] = ()) -> None:
    """Print ``rows``, the parts of the network, and the warnings of the reader."""
    from spikewright.api.models import reading_warnings
    rows = [*rows, ("step", f"{1e3 * network.dt:g} ms"), (INPUT, f"{network.channels} channels")]
    rows += stage_rows(network) if isinstance(network, GradedNetwork) else _spiking_rows(network)
    width = max(len(key) for key, _ in rows)
    print("\n".join(f"{key:{width}}  {value}" for key, value in rows))
    for warning in reading_warnings(network):
        print(f"warning: {warning}", file=sys.stderr)


def _spiking_rows(network: Network) -> list[tuple[str, str]]:
    """Title and text of each population and projection."""
    spiking = {p.name: p.spiking for p in network.populations}
    rows = [(p.name, _told(p)) for p in network.populations]
    for projection in network.projections:
        sources, targets = projection.weights.shape
        kind = role(projection.source, projection.target, spiking[projection.target])
        told = (f"{kind}, {sources} x {targets}, {np.count_nonzero(projection.weights)} weights "
                f"not 0, delay {projection.delay}")
        rows.append((f"{projection.source}->{projection.target}", told))
    return rows


def _told(population: Population) -> str:
    """What a population is, in a few words."""
    if inner(population.name):
        return f"fires in {'every' if population.name == CONSTANT else 'the first'} step"
    kind = "spiking" if population.spiking else "output"
    reset = population.spiking and population.reset != Population.reset
    return f"{population.neurons} neurons, {kind}{f', reset {population.reset}' if reset else ''}"
