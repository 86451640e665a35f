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

# For each node, and for each delay, the stack of arrays that leaves it.
Stacks = dict[str, dict[int, np.ndarray]]


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
            same = math.prod(own) == math.prod(before)
            found[node.name] = own if same and len(own) > len(before) else before
            if enough is any:
                break           # with this shape, others may know all of theirs
    return found


def _own(waiting: list[Node]) -> dict[str, tuple[int, ...]]:
    """The shapes of neurons by their parameters alone."""
    return {node.name: shape for node in waiting
            if node.kind in NEURONS and (shape := _widest(node))}


def _widest(node: Node) -> tuple[int, ...]:
    """The shape of the parameter of a neuron that has the most values, and of those most axes."""
    return max((node.array(key).shape for key in node.values), default=(),
               key=lambda shape: (math.prod(shape), len(shape)))


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
        If a matrix would be too large.
    """
    chains = _Chains(flat, shapes, steps)
    paths: Paths = {}
    total = max(part.stop for part in channels.values())
    for name, node in flat.nodes.items():
        if name in channels:
            first = channels[name].start
            for rows, block in chains.matrices(name):
                _put(paths, CHANNELS, total, slice(first + rows.start, first + rows.stop), block)
        elif node.kind in SPIKING:
            for rows, block in chains.matrices(name):
                _put(paths, name, math.prod(shapes[name]), rows, block)
    _put(paths, BIASES, 1, slice(0, 1), chains.biases())
    return paths


class _Chains:
    """The nodes of a graph that have no state, each behind those before it in ``order``."""

    def __init__(self, flat: Flat, shapes: dict[str, tuple[int, ...]], steps: Callable) -> None:
        self.flat, self.shapes, self.steps = flat, shapes, steps
        self.order: list[str] = []
        waiting = [name for name, node in flat.nodes.items() if node.kind not in NEURONS]
        while waiting:
            # `find_shapes` has refused loops, so there is one.
            self.order += [name for name in waiting
                           if not any(source in waiting for source in flat.sources(name))]
            waiting = [name for name in waiting if name not in self.order]

    def matrices(self, name: str) -> Iterator[tuple[slice, Stacks]]:
        """The rows of the matrices from ``name``, block by block."""
        size, behind = self._size(name), reach(self.flat, name)
        for target in behind:
            width = self._size(target)
            if self.flat.nodes[target].kind in NEURONS and size * width > MOST_WEIGHTS:
                raise ValueError(f"Node {target} must have at most {MOST_WEIGHTS} weights from "
                                 f"{name}, not {size} x {width} = {size * width}")
        count = max(1, BLOCK // max(map(self._size, [name, *behind])))
        for first in range(0, size, count):
            rows = slice(first, min(first + count, size))
            unit = np.zeros((rows.stop - first, size))
            unit[np.arange(len(unit)), np.arange(first, rows.stop)] = 1
            values = {name: {0: unit.reshape(-1, *self.shapes[name])}}
            for step in self.order:
                if step in behind:
                    values[step] = self._behind(step, values)
            yield rows, self._ends(values, behind)

    def biases(self) -> Stacks:
        """The sums of all biases, as matrices with one row."""
        values: Stacks = {}
        for step in self.order:
            values[step] = self._behind(step, values)
            bias = bias_of(self.flat.nodes[step], self.shapes[step])
            if bias is not None:
                values[step][0] = values[step].get(0, 0) + bias[None]
        return self._ends(values, list(self.flat.nodes))

    def _size(self, name: str) -> int:
        return math.prod(self.shapes[name])

    def _behind(self, name: str, values: Stacks) -> dict[int, np.ndarray]:
        """What leaves the node ``name``, by delay."""
        node = self.flat.nodes[name]
        before = self._sum(name, values, _entry(self.flat, node, self.shapes))
        stacks = {delay: apply(node, stack) for delay, stack in before.items()}
        if node.kind == "Delay":
            delays = spread(node.array("delay"), self.shapes[name], name, "delay")
            return _delayed(stacks, self.steps(node, delays))
        return stacks

    def _ends(self, values: Stacks, names: list[str]) -> Stacks:
        """What arrives at the neurons and Outputs among ``names``, as matrices."""
        outputs = self.flat.outputs
        return {name: self._sum(name, values, (self._size(name),)) for name in names
                if self.flat.nodes[name].kind in NEURONS or name in outputs}

    def _sum(self, name: str, values: Stacks, shape: tuple[int, ...]) -> dict[int, np.ndarray]:
        """What arrives at the node ``name``, in ``shape``, by delay."""
        found: dict[int, np.ndarray] = {}
        for source in self.flat.sources(name):
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


def _put(paths: Paths, source: str, size: int, rows: slice, block: Stacks) -> None:
    """Write a block of rows into the matrices of ``source``."""
    for target, stacks in block.items():
        for delay, stack in stacks.items():
            if not stack.any():
                continue
            matrices = paths.setdefault((source, target), {})
            if delay not in matrices:
                matrices[delay] = np.zeros((size, stack.shape[1]))
            matrices[delay][rows] += stack
