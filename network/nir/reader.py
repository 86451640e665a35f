# SPDX-License-Identifier: Apache-2.0
"""Reader of NIR graphs: from a file and the answers of a user to a network."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from ..network import CONSTANT, INPUT, START, Network
from .assemble import assemble
from .chains import find_shapes, reach, trace_paths
from .checks import channels_last, check_graph, input_shapes, steps_of
from .file import read_graph
from .flatten import Flat, flatten
from .graph import NEURONS, SPIKING, Graph
from .loops import closing_edges, delays_in_loops
from .neurons import neuron
from .options import ANSWERS, Asked, Options, flag
from .outputs import Parts

__all__ = ["Reading", "build_network", "read_nir"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A network that was read from a NIR graph.

    Parameters
    ----------
    network : Network
    warnings : tuple of str
        What was repaired, left out or assumed, one line each.
    options : dict
        The options that made the network, in the form of a manifest. ``assumed`` has the defaults
        that were taken because neither the file nor the user said otherwise.
    origins : dict of str to ndarray of float64
        For each population of a node: the membrane of the node is that of the population plus this.
    has_step : bool
        Whether the user or the file said how long a step is. Otherwise it is what the framework
        writes into every file.
    """

    network: Network
    warnings: tuple[str, ...]
    options: dict
    origins: dict[str, np.ndarray]
    has_step: bool


def read_nir(path: Path, options: Options) -> Reading:
    """Read the NIR graph at ``path`` with the answers ``options``.

    Raises
    ------
    InputError
        If the file is no NIR graph, if the graph has no form as a network, or if it needs an option
        that was not given. The message names node and reason.
    """
    graph = read_graph(path)
    try:
        return build_network(graph, options)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def build_network(graph: Graph, options: Options) -> Reading:
    """The network of ``graph``.

    Raises
    ------
    ValueError
        As `read_nir`.
    """
    flat, asked = flatten(graph), Asked(options, graph.said)
    for node in flat.nodes.values():
        node.spyx = options.framework == "spyx"
    check_graph(flat, options)
    inputs = input_shapes(flat, options)
    names = _names(flat)
    dt = asked.step
    if dt is None:
        for node in flat.nodes.values():
            if node.kind in SPIKING and node.kind != "Threshold" and not node.joined:
                asked("reset", node)
        asked.missing = {"dt": [], **asked.missing}
        raise ValueError(_missing(asked))
    step: float = dt
    shapes, channels = find_shapes(flat, inputs), _channels(inputs)
    flat.warnings += channels_last(flat, shapes)
    neurons = {name: neuron(node, shapes[name], step, asked, name=names[name])
               for name, node in flat.nodes.items() if node.kind in NEURONS}
    with np.errstate(over="ignore", invalid="ignore"):     # a Projection refuses an inf
        paths = trace_paths(flat, shapes, channels,
                            lambda node, delays: steps_of(node, delays, step))
    network = assemble(Parts(
        flat=flat, asked=asked, dt=step, shapes=shapes, paths=paths, neurons=neurons, names=names,
        channels=max(part.stop for part in channels.values()), closing=_closing(flat, asked)))
    if asked.missing:
        raise ValueError(_missing(asked))
    network = replace(network, lead_steps=graph.said.get("lead_steps", 0))
    network = replace(network, **graph.said.get("outputs", {}))
    facts = {**options.as_facts(), "dt": step, "assumed": asked.assumed}
    return Reading(
        network=network, warnings=(*flat.warnings, *_assumed(asked)),
        options={key: value for key, value in facts.items() if value != {}},
        origins={one.population.name: one.origin for one in neurons.values()},
        has_step=asked.has_own_step)


def _names(flat: Flat) -> dict[str, str]:
    """Name of the population of each neuron and Output. Answers have it with ``_`` for ``.``."""
    names: dict[str, str] = {}
    taken = {INPUT, CONSTANT, START}
    for name, node in flat.nodes.items():
        if node.kind in NEURONS or name in flat.outputs:
            own = name
            while own.replace(".", "_") in taken:
                own += "_"
            if own != name:
                flat.warnings.append(f"Node {name} is called {own}, because its name is taken")
            taken.add(own.replace(".", "_"))
            names[name] = own
    return names


def _channels(inputs: dict[str, tuple[int, ...]]) -> dict[str, slice]:
    """The channels of each Input, one after the other."""
    channels, first = {}, 0
    for name, shape in inputs.items():
        size = int(np.prod(shape))
        channels[name] = slice(first, first + size)
        first += size
    return channels


def _closing(flat: Flat, asked: Asked) -> dict[tuple[str, str], int]:
    """The edges that close a loop, and the steps that are added to each."""
    neurons = [name for name, node in flat.nodes.items() if node.kind in NEURONS]
    edges = {(source, target) for source in neurons for target in reach(flat, source)
             if target in neurons}
    first = [target for name in flat.inputs for target in reach(flat, name) if target in neurons]
    closing, warnings = closing_edges(flat, edges, first)
    flat.warnings += warnings
    delays = delays_in_loops(flat)
    steps = {}
    for source, target in sorted(closing):
        steps[source, target], default = asked.look("back_delay", flat.nodes[source])
        if default and delays[source]:
            # The Delay may be all of the loop's delay, or come on top of a step.
            told = asked.missing.setdefault("back_delay", [])
            told += [name for name in delays[source] if name not in told]
        elif default:
            asked.assumed["back_delay"] = steps[source, target]
    return steps


def _missing(asked: Asked) -> str:
    """One line that asks for the answers that are missing."""
    told = {"dt": lambda _: "--dt, the time per step in the unit of the file",
            "reset": lambda names: f"--reset ({', '.join(ANSWERS['reset'])}) of "  # type: ignore
                                   f"{', '.join(dict.fromkeys(names))}",
            "back_delay": lambda names: "--back-delay of the loop with the Delay "
                                        f"{', '.join(names)}: 0 if that is its whole delay, 1 if "
                                        "a step comes on top"}
    parts = [told[key](names) for key, names in asked.missing.items()]
    return f"Options must say what a NIR file does not: {'; and '.join(parts)}"


def _assumed(asked: Asked) -> list[str]:
    if not asked.assumed:
        return []
    words = ", ".join(f"{flag(key)} '{value}'" if key == "compare" else f"{flag(key)} {value}"
                      for key, value in asked.assumed.items())
    return [f"NIR files lack these options, and the values are assumed: {words}. See "
            + "docs/howto/nir.md"]
