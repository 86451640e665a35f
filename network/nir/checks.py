# SPDX-License-Identifier: Apache-2.0
"""What a graph must be like before it can become a network."""

import math

import numpy as np

from spikewright.base.errors import did_you_mean

from ..constants import MOST_DELAY
from .chains import reach
from .flatten import Flat
from .graph import ANALOG, NEURONS, Node, quoted
from .options import Options

__all__ = ["channels_last", "check_graph", "input_shapes", "steps_of"]

# Nodes between neurons and an Output that change no value.
PLAIN = ("Input", "Output", "Flatten", "Delay")

MOST_CHANNELS = 1 << 16

# A delay may differ by this part of a step from a whole number: files have float32.
CLOSE = 1e-3


def check_graph(flat: Flat, options: Options) -> None:
    """Check that spikes, and no other values, go from neuron to neuron.

    Raises
    ------
    ValueError
        If not, if an Output does not come directly from neurons, or if an option is for a node that
        is not there.
    """
    neurons = [node for node in flat.nodes.values() if node.kind in NEURONS]
    names = [name for node in neurons for name in (node.name, node.joined) if name]
    for name in options.nodes:
        if name not in names:
            raise ValueError(f"Option --node must name a neuron of the graph ({', '.join(names)}), "
                             f"not {name!r}{did_you_mean(name, names)}")
    for node in neurons:
        target = next((name for name in reach(flat, node.name)
                       if flat.nodes[name].kind in NEURONS), None)
        if node.kind in ANALOG and target is not None:
            raise ValueError(f"Node {target} must get spikes, not the values of {node.name}: a "
                             f"node of type {node.kind} does not spike")
    for name in flat.outputs:
        _check_output(flat, name)


def _check_output(flat: Flat, output: str) -> None:
    waiting, seen = [output], set()
    while waiting:
        name = waiting.pop()
        node = flat.nodes[name]
        if name in flat.inputs:
            raise ValueError(f"Output {output} must come from neurons, not directly from the Input "
                             f"{name}")
        if node.kind not in PLAIN:
            raise ValueError(f"Output {output} must come from neurons, not from {name} of type "
                             f"{node.kind}: the exporter may have left out the neurons behind it")
        for source in flat.sources(name):
            kind = flat.nodes[source].kind
            if kind in ANALOG and node.kind == "Delay":
                raise ValueError(f"Node {name} must delay spikes, not the values of {source}: a "
                                 f"node of type {kind} does not spike")
            if kind not in NEURONS and source not in seen:
                seen.add(source)
                waiting.append(source)


def input_shapes(flat: Flat, options: Options) -> dict[str, tuple[int, ...]]:
    """The shape of each Input, in the order of the channels. Adds a warning where one is repaired.

    Raises
    ------
    ValueError
        If there are several and their order is not given, or if a shape is no shape.
    """
    names, given = flat.inputs, list(options.inputs)
    if sorted(given) != sorted(names) and (given or len(names) > 1):
        # The package nir puts such an Input before a node that no edge leads to.
        added = [name for name in names if name.removeprefix("input_") in flat.targets(name)]
        hint = (f". {added[0]} may be where the exporter lost a sum of two branches" if added
                else "")
        raise ValueError(f"Option --inputs must name every Input once, in the order of the "
                         f"channels ({','.join(names)}), not "
                         f"{','.join(given) or 'none of them'}{hint}")
    shapes = {}
    for name in given or names:
        node = flat.nodes[name]
        values = np.atleast_1d(node.array("shape")).ravel()
        shape = tuple(int(value) for value in values)
        if list(shape) != list(values) or not 1 <= math.prod(shape) <= MOST_CHANNELS:
            raise ValueError(f"Node {name} shape must be whole numbers with 1 to {MOST_CHANNELS} "
                             f"channels in all, not {values.tolist()}")
        convolved = any(flat.nodes[target].kind == "Conv1d" for target in flat.targets(name))
        if len(shape) == 2 and shape[0] == 1 and not convolved:
            flat.warnings.append(f"Node {name} has the shape {quoted(shape)}. The leading 1 is "
                                 f"taken as a batch: {shape[1]} channels")
            shape = shape[1:]
        shapes[name] = shape
    return shapes


def channels_last(flat: Flat, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """A warning for each Flatten whose order is that of Spyx, not that of NIR."""
    return [f"Node {name} puts the channels last, as Spyx does" for name, node in flat.nodes.items()
            if node.spyx and node.kind == "Flatten" and len(shapes[flat.sources(name)[0]]) == 3]


def steps_of(node: Node, delays: np.ndarray, dt: float) -> np.ndarray:
    """The delays of ``node`` in whole steps.

    Raises
    ------
    ValueError
        If one is negative or no multiple of ``dt``.
    """
    steps = np.rint(delays / dt)
    bad = (np.abs(delays / dt - steps) > CLOSE) | (steps < 0) | (steps > MOST_DELAY)
    if bad.any():
        value = float(delays[bad].ravel()[0])
        raise ValueError(f"Node {node.name} delay must be a multiple of dt ({dt:g}) from 0 to "
                         f"{MOST_DELAY} steps, not {value:g} ({value / dt:g} steps)")
    return steps.astype(int)
