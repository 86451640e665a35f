# SPDX-License-Identifier: Apache-2.0
"""The Outputs of a graph: populations that do not spike, and the readout matrix over them."""

import math
from dataclasses import dataclass

import numpy as np

from ..network import Population, Projection
from .chains import Paths
from .flatten import Flat
from .graph import ANALOG, NEURONS
from .neurons import Neuron, neuron
from .options import Asked

__all__ = ["Outputs", "Parts", "find_outputs"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What is known of a graph before its network is put together.

    Parameters
    ----------
    flat : Flat
    asked : Asked
    dt : float
        Time per step, in the unit of the file.
    channels : int
        Number of channels of all inputs.
    shapes : dict of str to tuple of int
        The shape behind each node.
    neurons : dict of str to Neuron
        The population of each neuron node.
    names : dict of str to str
        Name of the population of each neuron node and Output.
    paths : Paths
        The matrices between them.
    closing : dict of (str, str) to int
        The edges that close a loop, and the steps that are added to each.
    """

    flat: Flat
    asked: Asked
    dt: float
    channels: int
    shapes: dict[str, tuple[int, ...]]
    neurons: dict[str, Neuron]
    names: dict[str, str]
    paths: Paths
    closing: dict[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """What an answer of the network is made of.

    Parameters
    ----------
    populations : list of Population
        In the order of the Outputs.
    projections : list of Projection
        To those populations that stand for spikes. The others have the inputs of their node.
    copies : list of (str, Neuron)
        Populations with the membranes of a node that spikes, as the name of the node says.
    readout : ndarray of float64, shape (axes, outputs)
        Each Output is a sum of populations.
    """

    populations: list[Population]
    projections: list[Projection]
    copies: list[tuple[str, Neuron]]
    readout: np.ndarray


def find_outputs(parts: Parts) -> Outputs:
    """The outputs of a graph.

    Raises
    ------
    ValueError
        If an option for the outputs does not go with a neuron.
    """
    flat, readout = parts.flat, parts.asked.readout
    window = int(readout.partition(":")[2]) if readout and readout.startswith("counts") else 0
    populations: dict[str, Population] = {}
    projections: list[Projection] = []
    copies: list[tuple[str, Neuron]] = []
    sums: list[tuple[int, list[str]]] = []
    for output in flat.outputs:
        size, title = math.prod(parts.shapes[output]), parts.names[output]
        before, summed = _feeders(flat, output), []
        for name in before:
            if flat.nodes[name].kind in ANALOG:
                summed.append(parts.neurons[name].population)
            elif _as_membrane(parts, name, output):
                own = title if len(before) == 1 else f"{title}.{parts.names[name]}"
                copy = neuron(flat.nodes[name], parts.shapes[name], parts.dt, parts.asked,
                              readout=True, name=own)
                copies.append((name, copy))
                summed.append(copy.population)
            else:
                flat.warnings += _lost_readout(parts, name, output)
                projections += _relayed(parts, name, output, window)
                if not any(population.name == title for population in summed):
                    summed.append(_relay(title, size, 1.0 if window else 0.0))
        populations |= {population.name: population for population in summed}
        sums.append((size, [population.name for population in summed]))
    rows = [np.hstack([np.eye(size, one.neurons) * (one.name in names)
                       for one in populations.values()]) for size, names in sums]
    return Outputs(populations=list(populations.values()), projections=projections, copies=copies,
                   readout=np.vstack(rows))


def _feeders(flat: Flat, output: str) -> list[str]:
    """The neurons of an Output."""
    found: list[str] = []
    waiting = [output]
    while waiting:
        for source in flat.sources(waiting.pop()):
            (found if flat.nodes[source].kind in NEURONS else waiting).append(source)
    return [name for name in flat.nodes if name in found]


def _relay(name: str, size: int, decay: float) -> Population:
    """A population whose membrane is the sum of its inputs: of one step, or of all steps."""
    return Population(name=name, spiking=False, threshold=np.ones(size),
                      synaptic_decay=np.zeros(size), membrane_decay=np.full(size, decay))


def _relayed(parts: Parts, name: str, output: str, window: int) -> list[Projection]:
    """The projections from a neuron to an Output. With a window, each spike is taken back."""
    found = []
    for delay, weights in sorted(parts.paths[name, output].items()):
        later = delay + parts.neurons[name].source_delay
        for more, sign in ((0, 1.0), (window, -1.0)) if window else ((0, 1.0),):
            found.append(Projection(source=parts.names[name], target=parts.names[output],
                                    delay=later + more, weights=sign * weights))
    return found


def _lost_readout(parts: Parts, name: str, output: str) -> list[str]:
    """A warning where snnTorch may have written a readout by its membrane like any other neuron."""
    node, options = parts.flat.nodes[name], parts.asked.options
    if (options.framework != "snntorch" or parts.asked.readout or node.kind == "Threshold"
            or parts.asked.by_name("reset", node)):
        return []
    return [(f"Output {output} gets the spikes of {name}. If {name} is a readout without a reset, "
             f"give --node {name}:reset=none, otherwise --readout spikes")]


def _as_membrane(parts: Parts, name: str, output: str) -> bool:
    """Whether the membrane of a neuron that spikes is the output, not its spikes."""
    node, reset = parts.flat.nodes[name], parts.neurons[name].population.reset
    if parts.asked.readout not in (None, "membranes"):
        return False
    plain = (node.kind != "Threshold" and not node.joined
             and set(parts.paths[name, output]) == {0})
    if parts.asked.readout == "membranes" and not (plain and reset == "none"):
        what = (f"reset must be none for the readout membranes, not {reset}" if reset != "none" else
                "must lead to the Output with its membrane, not as a Threshold or behind a Delay")
        raise ValueError(f"Node {name} {what}")
    return plain and reset == "none"
