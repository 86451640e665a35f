# SPDX-License-Identifier: Apache-2.0
"""One flat graph from graphs inside graphs, with repairs of what older exporters wrote."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from spikewright.base.errors import did_you_mean

from .graph import ANALOG, NEURONS, SPIKING, Graph, Node

__all__ = ["Flat", "flatten"]


@dataclass(eq=False)
class Flat:
    """Nodes without inner graphs, and edges between them.

    Parameters
    ----------
    nodes : dict of str to Node
        In natural order of their names: 2 before 10.
    edges : list of (str, str)
    inputs, outputs : list of str
        The Input nodes that no edge leads to, and the Output nodes that no edge leaves.
    warnings : list of str
    """

    nodes: dict[str, Node]
    edges: list[tuple[str, str]]
    warnings: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[str]:
        targets = {target for _, target in self.edges}
        return [name for name, node in self.nodes.items()
                if node.kind == "Input" and name not in targets]

    @property
    def outputs(self) -> list[str]:
        sources = {source for source, _ in self.edges}
        return [name for name, node in self.nodes.items()
                if node.kind == "Output" and name not in sources]

    def sources(self, name: str) -> list[str]:
        """The nodes before ``name``. One that has two edges to it comes twice."""
        return [source for source, target in self.edges if target == name]

    def targets(self, name: str) -> list[str]:
        """The nodes after ``name``."""
        return [target for source, target in self.edges if source == name]


def flatten(graph: Graph) -> Flat:
    """Flatten ``graph``, and check its structure.

    An edge to an inner graph leads to its Input, and an edge from it leaves its Output. A node of
    an inner graph may also be named from outside, as ``graph.node``.

    Raises
    ------
    ValueError
        If an edge names a node that is not there, if there is no Input or Output, or if a node
        cannot be reached from the Input.
    """
    flat = Flat({}, [])
    _collect(graph, "", flat)
    flat.nodes = dict(sorted(flat.nodes.items(), key=lambda item: natural(item[0])))
    for edge, count in Counter(flat.edges).items():
        if count > 1:
            flat.warnings.append(f"Edge {edge[0]} -> {edge[1]} is there {count} times. Its values "
                                 "add up")
    if not flat.inputs:
        raise ValueError("Graph must have an Input, not none")
    if not flat.outputs:
        raise ValueError("Graph must have an Output, not none")
    _check_reached(flat)
    _join_thresholds(flat)
    _without_ends(flat)
    return flat


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts names with numbers as a reader would: 2 before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part)
            for part in re.findall("[0-9]+|[^0-9]+", name)]


def _collect(graph: Graph, prefix: str, flat: Flat) -> None:
    """Add the nodes and edges of ``graph`` and of the graphs inside it."""
    for name, node in graph.nodes.items():
        if isinstance(node, Graph):
            _collect(_spyx_loop(node, name, prefix, flat), f"{prefix}{name}.", flat)
            continue
        if prefix + name in flat.nodes:
            raise ValueError(f"Node {prefix}{name} must be there once, not twice")
        flat.nodes[prefix + name] = node
    for source, target in graph.edges:
        flat.edges.append((_end(source, graph, prefix, flat, "Output", f"{source} -> {target}"),
                           _end(target, graph, prefix, flat, "Input", f"{source} -> {target}")))


def _end(name: str, graph: Graph, prefix: str, flat: Flat, gate: str, edge: str) -> str:
    """The flat name of an end of an edge. ``gate`` is the type at which an inner graph is met."""
    node = graph.nodes.get(name)
    if isinstance(node, Graph):
        return _gate(node, f"{prefix}{name}.", gate, edge)
    if prefix + name in flat.nodes:
        return prefix + name
    repaired = f"{prefix}{name}.{gate.lower()}"
    if repaired in flat.nodes:
        flat.warnings.append(f"Edge {edge} names {name}, which is not there: {repaired} is meant")
        return repaired
    raise ValueError(f"Edge {edge} must join nodes of the graph, not {name!r}, which is not there"
                     f"{did_you_mean(prefix + name, flat.nodes)}")


def _gate(graph: Graph, prefix: str, gate: str, edge: str) -> str:
    """The flat name of the Input or Output of an inner graph, whose nodes begin with ``prefix``."""
    found = [prefix + name for name, node in graph.nodes.items()
             if isinstance(node, Node) and node.kind == gate]
    if len(found) != 1:
        raise ValueError(f"Graph {prefix[:-1]} must have one {gate} for the edge {edge}, not "
                         f"{', '.join(found) or 'none'}")
    return found[0]


def _spyx_loop(graph: Graph, name: str, prefix: str, flat: Flat) -> Graph:
    """The inner graph ``name``. One of Spyx has its input before the recurrent weights: moved."""
    wrong, right = ((f"{name}.input", f"{name}.{end}") for end in ("w_rec", "lif"))
    if wrong not in graph.edges or right[1] not in graph.nodes:
        return graph
    flat.warnings.append(f"Graph {prefix}{name} has its input before the recurrent weights, as "
                         f"Spyx writes it: {right[1]} is meant")
    return replace(graph, edges=[right if edge == wrong else edge for edge in graph.edges])


def _check_reached(flat: Flat) -> None:
    reached, waiting = set(flat.inputs), list(flat.inputs)
    after: dict[str, list[str]] = {}
    for source, target in flat.edges:
        after.setdefault(source, []).append(target)
    while waiting:
        for target in after.get(waiting.pop(), []):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    for name, node in flat.nodes.items():
        if node.kind in NEURONS and name not in reached:
            raise ValueError(f"Node {name} must be reached from the Input, not driven by nothing")
    for name in flat.nodes:
        if name not in reached:
            raise ValueError(f"Node {name} must be reached from the Input, not stand alone")


def _join_thresholds(flat: Flat) -> None:
    """Make one neuron without a reset from a leaky integrator and the Threshold behind it."""
    for name, node in list(flat.nodes.items()):
        before = flat.sources(name)
        analog = [source for source in before if flat.nodes[source].kind in ANALOG]
        if node.kind != "Threshold" or not analog:
            continue
        if len(before) > 1:
            raise ValueError(f"Node {name} must have the node {analog[0]} as its only source, not "
                             f"{', '.join(before)}")
        source = flat.nodes[analog[0]]
        values = {**source.values, "v_threshold": node.array("threshold")}
        flat.nodes[name] = Node(name, f"{source.kind}F", values, joined=source.name,
                                preset="Threshold")
        flat.edges.remove((source.name, name))
        flat.edges += [(before, name) for before in flat.sources(source.name)]
        if not flat.targets(source.name):
            flat.edges = [edge for edge in flat.edges if edge[1] != source.name]
            del flat.nodes[source.name]


def _without_ends(flat: Flat) -> None:
    """Drop nodes that lead nowhere, apart from neurons that spike."""
    while True:
        sources = {source for source, _ in flat.edges}
        idle = [name for name, node in flat.nodes.items()
                if name not in sources and node.kind not in SPIKING and node.kind != "Output"]
        if not idle:
            return
        for name in idle:
            if flat.nodes[name].kind == "Input":
                raise ValueError(f"Node {name} must lead to a neuron, not to nothing")
            flat.warnings.append(f"Node {name} leads to no Output and is left out")
            del flat.nodes[name]
            flat.edges = [edge for edge in flat.edges if edge[1] != name]
