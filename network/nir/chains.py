# SPDX-License-Identifier: Apache-2.0
"""Chains of nodes without a state: each becomes one matrix for each delay.

The unit matrix of a source is pushed through the nodes behind it. What arrives at a neuron is the
matrix from source to neuron. Biases are a source of their own with one row.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from .flatten import Flat
from .graph import NEURONS, SPIKING, Node, quoted
from .linear import apply, bias_of, shape_after, spread

__all__ = ["BIASES", "CHANNELS", "MOST_WEIGHTS", "Paths", "find_shapes", "reach", "trace_paths"]

# Weights of one matrix. Larger ones fit no supported board.
MOST_WEIGHTS = 1 << 22

# Numbers of the largest array on the way, which is pushed in blocks of rows.
BLOCK = 1 << 22

# Sources that are no nodes. HDF5 allows no node with such a name.
CHANNELS, BIASES = "/channels", "/biases"

# For each source and target, and for each delay in steps, the matrix (sources, targets).
Paths = dict[tuple[str, str], dict[int, np.ndarray]]


def find_shapes(flat: Flat, channels: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The shape behind every node. ``channels`` has those of the inputs.

    Raises
    ------
    ValueError
        If two nodes do not fit together, or if nodes form a loop in which no neuron is.
    """
    shapes = dict(channels)
    while len(shapes) < len(flat.nodes):
        waiting = [node for name, node in flat.nodes.items() if name not in shapes]
        # Neurons last: one may wait for itself. It then takes what it knows.
        for found in (_plain(flat, waiting, shapes), _neurons(flat, waiting, shapes, all),
                      _neurons(flat, waiting, shapes, any), _own(waiting)):
            if found:
                break
        else:
            raise ValueError(f"Loop of {', '.join(node.name for node in waiting)} must have a "
                             "neuron in it, not only nodes without a state")
        shapes |= found
    for name, node in flat.nodes.items():
        size = math.prod(_entry(flat, node, shapes))
        for source in flat.sources(name):
            if math.prod(shapes[source]) != size:
                raise ValueError(f"Node {name} must get {size} values from each node before it, "
                                 f"not the shape {quoted(shapes[source])} from {source}")
    return shapes


def _entry(flat: Flat, node: Node, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape before ``node``."""
    if node.kind in NEURONS:
        return shapes[node.name]
    return next((shapes[source] for source in flat.sources(node.name) if source in shapes), ())


def _plain(flat: Flat, waiting: list[Node], shapes: dict) -> dict[str, tuple[int, ...]]:
    """The shapes behind nodes without a state that know all shapes before them."""
    return {node.name: shape_after(node, _entry(flat, node, shapes)) for node in waiting
            if node.kind not in NEURONS
            and all(source in shapes for source in flat.sources(node.name))}


def _neurons(flat: Flat, waiting: list[Node], shapes: dict, enough: Callable) -> dict:
    """The shapes of neurons that know ``enough`` of the shapes before them: all, or any."""
    found = {}
    for node in waiting:
        sources = flat.sources(node.name)
        if node.kind in NEURONS and enough(source in shapes for source in sources):
            before = max((shapes[source] for source in sources if source in shapes), key=len)
            own = _widest(node)
            found[node.name] = own if math.prod(own) == math.prod(before) else before
            if enough is any:
                break           # with this shape, others may know all of theirs
    return found


def _own(waiting: list[Node]) -> dict[str, tuple[int, ...]]:
    """The shapes of neurons by their parameters alone."""
    return {node.name: shape for node in waiting
            if node.kind in NEURONS and (shape := _widest(node))}


def _widest(node: Node) -> tuple[int, ...]:
    """The shape of the parameter of a neuron that has the most values."""
    return max((node.array(key).shape for key in node.values), key=math.prod, default=())


def trace_paths(flat: Flat, shapes: dict[str, tuple[int, ...]], channels: dict[str, slice],
                steps: Callable[[Node, np.ndarray], np.ndarray]) -> Paths:
    """The matrices to neurons and outputs: from channels, from biases and from neurons that spike.

    Parameters
    ----------
    flat : Flat
    shapes : dict of str to tuple of int
        The result of `find_shapes`.
    channels : dict of str to slice
        The channels of each Input node.
    steps : callable
        The delay of a Delay node, in whole steps, from its values.

    Raises
    ------
    ValueError
        If a matrix would be too large, or a neuron that does not spike feeds another neuron.
    """
    order = _order(flat)
    paths: Paths = {}
    total = max(part.stop for part in channels.values())
    for name, node in flat.nodes.items():
        if name in channels:
            for block, rows in _pushed(flat, shapes, order, name, steps):
                place = slice(channels[name].start + rows.start, channels[name].start + rows.stop)
                _put(paths, CHANNELS, total, place, block)
        elif node.kind in SPIKING:
            size = math.prod(shapes[name])
            for block, rows in _pushed(flat, shapes, order, name, steps):
                _put(paths, name, size, rows, block)
    biases = _push(flat, shapes, order, {}, steps, biases=True)
    _put(paths, BIASES, 1, slice(0, 1), biases)
    return paths


def _order(flat: Flat) -> list[str]:
    """The nodes without a state, each behind those before it."""
    order: list[str] = []
    waiting = [name for name, node in flat.nodes.items() if node.kind not in NEURONS]
    while waiting:
        free = [name for name in waiting if not any(
            source in waiting for source in flat.sources(name))]
        order += free
        waiting = [name for name in waiting if name not in free]
    return order


def _pushed(flat: Flat, shapes: dict, order: list[str], name: str, steps: Callable
            ) -> Iterator[tuple[dict, slice]]:
    """Push the unit matrix of ``name`` through, in blocks of rows."""
    size = math.prod(shapes[name])
    behind = reach(flat, name)
    for target in behind:
        width = math.prod(shapes[target])
        if (flat.nodes[target].kind in NEURONS) and size * width > MOST_WEIGHTS:
            raise ValueError(f"Node {target} must have at most {MOST_WEIGHTS} weights from "
                             f"{name}, not {size} x {width} = {size * width}")
    widest = max((math.prod(shapes[target]) for target in behind), default=1)
    rows = max(1, BLOCK // max(widest, size))
    for first in range(0, size, rows):
        part = slice(first, min(first + rows, size))
        unit = np.zeros((part.stop - first, size))
        unit[np.arange(part.stop - first), np.arange(first, part.stop)] = 1
        start = {name: {0: unit.reshape(-1, *shapes[name])}}
        yield _push(flat, shapes, [one for one in order if one in behind], start, steps), part


def reach(flat: Flat, name: str) -> list[str]:
    """The nodes behind ``name``, up to the next neurons."""
    found: list[str] = []
    waiting = flat.targets(name)
    while waiting:
        target = waiting.pop()
        if target not in found:
            found.append(target)
            if flat.nodes[target].kind not in NEURONS:
                waiting += flat.targets(target)
    return found


def _push(flat: Flat, shapes: dict, order: list[str], values: dict[str, dict[int, np.ndarray]],
          steps: Callable, biases: bool = False) -> dict[str, dict[int, np.ndarray]]:
    """What arrives at each neuron and output, by delay.

    ``values`` has what leaves the source.
    """
    values = dict(values)
    for name in order:
        node = flat.nodes[name]
        if name in values:
            continue
        shape = _entry(flat, node, shapes)
        stacks = {delay: apply(node, stack)
                  for delay, stack in _sum(flat.sources(name), values, shape).items()}
        if node.kind == "Delay":
            stacks = _delayed(stacks, steps(node, spread(node.array("delay"), shapes[name], name,
                                                         "delay")))
        if biases and (bias := bias_of(node, shapes[name])) is not None:
            stacks[0] = stacks.get(0, 0) + bias[None]
        values[name] = stacks
    ends = [name for name, node in flat.nodes.items() if node.kind in NEURONS]
    found = {name: _sum(flat.sources(name), values, (math.prod(shapes[name]),), ends)
             for name in ends}
    found |= {name: {delay: stack.reshape(len(stack), -1)
                     for delay, stack in values.get(name, {}).items()} for name in flat.outputs}
    return {name: stacks for name, stacks in found.items() if stacks}


def _sum(sources, values, shape, ends=()):
    """The sum of what the nodes ``sources`` give, in ``shape``, by delay."""
    found: dict[int, np.ndarray] = {}
    for source in sources:
        for delay, stack in values.get(source, {}).items():
            stack = stack.reshape(len(stack), *shape)
            found[delay] = found[delay] + stack if delay in found else stack
    return found


def _delayed(stacks: dict[int, np.ndarray], delays: np.ndarray) -> dict[int, np.ndarray]:
    """Each element of the stacks, later by its own delay."""
    found: dict[int, np.ndarray] = {}
    for delay, stack in stacks.items():
        for more in np.unique(delays):
            part = np.where(delays == more, stack, 0.0)
            key = delay + int(more)
            found[key] = found[key] + part if key in found else part
    return found


def _put(paths: Paths, source: str, size: int, rows: slice,
         block: dict[str, dict[int, np.ndarray]]) -> None:
    """Write a block of rows into the matrices of ``source``."""
    for target, stacks in block.items():
        for delay, stack in stacks.items():
            if not stack.any():
                continue
            matrices = paths.setdefault((source, target), {})
            if delay not in matrices:
                matrices[delay] = np.zeros((size, stack.shape[1]))
            matrices[delay][rows] += stack
