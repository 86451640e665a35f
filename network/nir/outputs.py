# SPDX-License-Identifier: Apache-2.0
"""The Outputs of a graph: populations that do not spike, and the readout matrix over them."""

import math
from dataclasses import dataclass, field

import numpy as np

from ..network import Population, Projection
from .chains import Paths
from .flatten import Flat
from .graph import ANALOG, NEURONS, Node
from .neurons import Neuron, neuron
from .options import Asked

__all__ = ["Outputs", "find_outputs"]


@dataclass(eq=False)
class Outputs:
    """What an answer of the network is made of.

    Parameters
    ----------
    populations : list of Population
        Those that stand for spikes. They have no other inputs than ``projections``.
    projections : list of Projection
    copies : list of (Node, Neuron)
        Neurons without a reset whose membranes are an output. They have the inputs of their node.
    columns : list of (str, list of str)
        For each Output, the populations whose membranes it adds up, and its number of values.
    """

    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    copies: list[tuple[Node, Neuron]] = field(default_factory=list)
    sums: list[tuple[int, list[str]]] = field(default_factory=list)

    def readout(self, sizes: dict[str, int]) -> np.ndarray:
        """The matrix from the membranes of the populations ``sizes``, in order, to the Outputs."""
        rows = []
        for size, names in self.sums:
            rows.append(np.hstack([np.eye(size) * (name in names) if count == size
                                   else np.zeros((size, count)) for name, count in sizes.items()]))
        return np.vstack(rows)


def find_outputs(flat: Flat, shapes: dict[str, tuple[int, ...]], paths: Paths, dt: float,
                 asked: Asked, neurons: dict[str, Neuron], names: dict[str, str]) -> Outputs:
    """The outputs of a graph.

    ``names`` has the name of a population for each node.

    Raises
    ------
    ValueError
        If an option for the outputs does not go with a neuron.
    """
    found = Outputs()
    for output in flat.outputs:
        size = math.prod(shapes[output])
        before = _feeders(flat, output)
        summed = [names[name] for name in before if flat.nodes[name].kind in ANALOG]
        spiking = [name for name in before if flat.nodes[name].kind not in ANALOG]
        membranes = [name for name in spiking if _as_membrane(
            flat, name, asked, neurons[name], paths.get((name, output), {}))]
        for name in membranes:
            title = names[output] if len(before) == 1 else f"{names[output]}.{names[name]}"
            copy = neuron(flat.nodes[name], shapes[name], dt, asked, readout=True, name=title)
            found.copies.append((flat.nodes[name], copy))
            summed.append(title)
        spiking = [name for name in spiking if name not in membranes]
        if spiking:
            window = _window(asked.readout)
            found.populations.append(_relay(names[output], size, 1.0 if window else 0.0))
            summed.append(names[output])
            for name in spiking:
                for delay, weights in sorted(paths[name, output].items()):
                    later = delay + neurons[name].source_delay
                    ends = {"source": names[name], "target": names[output]}
                    found.projections.append(Projection(**ends, delay=later, weights=weights))
                    if window:
                        found.projections.append(Projection(**ends, delay=later + window,
                                                            weights=-weights))
        found.sums.append((size, summed))
    return found


def _relay(name: str, size: int, decay: float) -> Population:
    """A population whose membrane is the sum of its inputs: of one step, or of all steps."""
    return Population(name=name, spiking=False, threshold=np.ones(size),
                      synaptic_decay=np.zeros(size), membrane_decay=np.full(size, decay))


def _window(readout: str | None) -> int:
    """Steps over which spikes are counted, or 0."""
    return int(readout.partition(":")[2]) if readout and readout.startswith("counts") else 0


def _feeders(flat: Flat, output: str) -> list[str]:
    """The neurons of an Output."""
    found: list[str] = []
    waiting = [output]
    while waiting:
        for source in flat.sources(waiting.pop()):
            (found if flat.nodes[source].kind in NEURONS else waiting).append(source)
    return [name for name in flat.nodes if name in found]


def _as_membrane(flat: Flat, name: str, asked: Asked, one: Neuron,
                 delays: dict[int, np.ndarray]) -> bool:
    """Whether the membrane of a neuron that spikes is the output, not its spikes."""
    node, wanted = flat.nodes[name], asked.readout
    free = (one.population.reset == "none" and not node.joined and node.kind != "Threshold")
    if wanted not in (None, "membranes"):
        return False
    if free and set(delays) <= {0}:
        return True
    if wanted == "membranes":
        what = (f"reset must be none for the readout membranes, not {one.population.reset}"
                if one.population.reset != "none" else
                "must lead to the Output with its membrane, not as a Threshold or behind a Delay")
        raise ValueError(f"Node {name} {what}")
    return False
