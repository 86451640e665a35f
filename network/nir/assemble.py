# SPDX-License-Identifier: Apache-2.0
"""From the parts of a graph to a network: populations in order, projections, biases."""

import numpy as np

from ..network import CONSTANT, INPUT, START, Network, Population, Projection, constant, start
from .chains import BIASES
from .loops import in_order
from .neurons import Neuron
from .outputs import Parts, find_outputs

__all__ = ["assemble"]


def assemble(parts: Parts) -> Network:
    """The network of a graph.

    Raises
    ------
    ValueError
        If a neuron has no inputs, if a loop takes no step, or if an option for the outputs does
        not go with a neuron.
    """
    outputs = find_outputs(parts)
    spiking = [one.population for one in parts.neurons.values() if one.population.spiking]
    projections: list[Projection] = []
    for name, one in (*parts.neurons.items(), *outputs.copies):
        found = _projections(parts, name, one)
        if not found:
            raise ValueError(f"Node {name} must get a weight that is not 0, not only zeros")
        projections += found
    projections += outputs.projections
    populations = _ordered(spiking, projections)
    sources = {projection.source for projection in projections}
    if START in sources:
        kick, again = start()
        populations, projections = [kick, *populations], [*projections, again]
    if CONSTANT in sources:
        populations = [constant(), *populations]
    return Network(channels=parts.channels, dt=parts.dt, projections=tuple(projections),
                   populations=(*populations, *outputs.populations), readout=outputs.readout)


def _projections(parts: Parts, name: str, one: Neuron) -> list[Projection]:
    """The projections to a population with the inputs of the node ``name``."""
    found = []
    for (source, target), matrices in parts.paths.items():
        if target != name or source == BIASES:
            continue
        later = one.input_delay + parts.closing.get((source, target), 0)
        if source in parts.neurons:
            later += parts.neurons[source].source_delay
        found += [Projection(source=parts.names.get(source, INPUT), target=one.population.name,
                             delay=delay + later, weights=matrix * one.gain)
                  for delay, matrix in sorted(matrices.items())]
    return found + _biases(one, parts.paths.get((BIASES, name), {}))


def _biases(one: Neuron, chain: dict[int, np.ndarray]) -> list[Projection]:
    """What a population gets in every step, and once at the start."""
    rows = {delay + one.input_delay: matrix[0] * one.gain for delay, matrix in chain.items()}
    if one.constant.any():
        rows[0] = rows.get(0, 0.0) + one.constant
    return [Projection(source=source, target=one.population.name, delay=delay, weights=row[None])
            for source, found in ((CONSTANT, rows), (START, one.kick))
            for delay, row in sorted(found.items())]


def _ordered(populations: list[Population], projections: list[Projection]) -> list[Population]:
    """``populations`` in an order in which projections without a delay only go forward."""
    by_name = {population.name: population for population in populations}
    edges = {(p.source, p.target) for p in projections if p.delay == 0}
    return [by_name[name] for name in in_order(list(by_name), edges)]
