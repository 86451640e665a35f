# SPDX-License-Identifier: Apache-2.0
"""Reader of a NIR file. It checks no types between nodes, because older files have wrong ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from spikewright.base.errors import InputError

from .graph import GRAPH, LINEAR, NEURONS, OPTIONAL, Graph, Node, quoted
from .options import Options

__all__ = ["METADATA", "NIR_SUFFIX", "read_graph"]

NIR_SUFFIX = ".nir"

# The entry in the metadata of a graph that `export` wrote: options as JSON.
METADATA = "spikewright"

# Values of one entry. A damaged file may claim more than the memory holds.
MOST_VALUES = 1 << 26

# Nodes deeper than this are an error of the file: a graph cannot be in itself.
MOST_DEPTH = 20


def read_graph(path: Path) -> Graph:
    """Read the graph at ``path``.

    Raises
    ------
    InputError
        If the file is no NIR file, or a node has an unknown type, lacks a parameter, or has a
        number that is not finite.
    """
    try:
        import h5py
    except ImportError:
        raise InputError(f"Reading {path.name} needs h5py: run 'make nir', or pip install "
                         "'spikewright[nir]'") from None
    if not path.is_file():
        what = "the folder " if path.is_dir() else ""
        raise InputError(f"NIR graph must be a file, not {what}{str(path)!r}"
                         f"{'' if path.exists() else ': there is none'}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path} must be a NIR file, which is HDF5, not one that h5py refuses: "
                         f"{error}") from error
    with file:
        try:
            content = _content(file, MOST_DEPTH)
        except Exception as error:  # a damaged file raises a dozen kinds
            raise InputError(f"{path} must be a NIR file that h5py can read to its end: "
                             f"{error}") from error
    root = content.get("node")
    kind = root.get("type") if isinstance(root, dict) else None
    if isinstance(root, dict) and kind is None:
        raise InputError(f"{path} must be a whole NIR file, not one without the type of its graph: "
                         "its export may have stopped half-way")
    if not isinstance(root, dict) or not isinstance(kind, str) or kind != GRAPH:
        raise InputError(f"{path} must be a NIR file with a NIRGraph as its node, not "
                         f"{', '.join(content) or 'nothing'}")
    try:
        return _graph(root, "")
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _content(group, depth: int) -> dict:
    """A group of an HDF5 file as a dict, with texts and arrays."""
    if not depth:
        raise RuntimeError("its groups are too deep")
    found: dict = {}
    for key, item in group.items():
        if not isinstance(key, str) or item is None:
            raise RuntimeError(f"the entry {key!r} is damaged")
        if hasattr(item, "items"):
            found[key] = _content(item, depth - 1)
            continue
        if item.shape is None:
            continue            # an empty value, as some exporters leave it
        if item.size > MOST_VALUES:
            raise RuntimeError(f"{key} has {item.size} values, more than {MOST_VALUES}")
        value = item[()]
        found[key] = value.decode() if isinstance(value, bytes) else value
    return found


def _graph(content: dict, prefix: str) -> Graph:
    nodes, edges = content.get("nodes", {}), content.get("edges", np.zeros((0, 2)))
    if not isinstance(nodes, dict) or np.ndim(edges) != 2 or np.shape(edges)[1] != 2:
        raise ValueError(f"Graph {prefix.removesuffix('.') or 'of the file'} must have nodes, and "
                         "edges as pairs of names")
    return Graph(
        nodes={name: _node(node, prefix + name) for name, node in nodes.items()},
        edges=[(_text(source), _text(target)) for source, target in edges],
        said=_said(content.get("metadata")))


def _said(metadata: object) -> dict:
    """The options in the metadata of a graph, if this program wrote it."""
    text = metadata.get(METADATA) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        return {}
    try:
        said = json.loads(text)
        Options(dt=said["dt"], readout=said["readout"], answers=said["answers"],
                nodes=said["nodes"])
        # What makes axes of the outputs. Graphs of older versions have no offset.
        outputs = {"readout": said["matrix"], "offset": said.get("offset")}
        said["outputs"] = {key: np.array(values, float) for key, values in outputs.items()
                           if values is not None}
        return said
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"Graph metadata {METADATA} must be options as this program writes them, "
                         f"not others: {error}") from error


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _node(content: object, name: str) -> Node | Graph:
    kind = content.get("type") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(kind, str):
        raise InputError(f"Node {name} must have a type, not none")
    if kind == GRAPH:
        return _graph(content, f"{name}.")
    keys = NEURONS.get(kind, LINEAR.get(kind))
    if keys is None:
        known = (*NEURONS, *LINEAR, GRAPH)
        raise ValueError(f"Node {name} must be of a known type ({', '.join(known)}), not {kind!r}")
    for key in keys:
        if key not in content and key not in OPTIONAL:
            there = ", ".join(sorted(content.keys() - {"type", "metadata"}))
            raise ValueError(f"Node {name} of type {kind} must have {key}, not only "
                             f"{there or 'its type'}")
    node = Node(name, kind)
    for key in (*keys, "input_shape"):
        if key in content:
            node.values[key] = _value(name, key, content[key])
    return _without_threshold(node) if "v_threshold" in node.values else node


def _without_threshold(node: Node) -> Node:
    """A neuron whose threshold is infinite never fires: a leaky integrator, in the same form."""
    endless = np.isposinf(node.array("v_threshold"))
    if not endless.any():
        return node
    if not endless.all():
        raise ValueError(f"Node {node.name} v_threshold must be infinite for all neurons or for "
                         "none, not for some")
    values = {key: value for key, value in node.values.items() if key != "v_threshold"}
    return Node(node.name, node.kind.removesuffix("F"), values, preset=node.kind)


def _value(name: str, key: str, value: Any) -> np.ndarray | str:
    if isinstance(value, str) and key == "padding":
        return value
    try:
        if np.iscomplexobj(value):
            raise TypeError
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        kind = f"values of the type {value.dtype}" if np.ndim(value) else repr(value)
        raise ValueError(f"Node {name} {key} must be numbers, not {kind}") from None
    if not array.size:
        raise ValueError(f"Node {name} {key} must have values, not none: its shape is "
                         f"{quoted(array.shape)}")
    # A neuron with an endless time constant has no leak. One with an endless threshold never fires.
    # snnTorch writes the first with an endless resistance, too.
    endless = key in ("tau", "tau_mem", "r", "v_threshold")
    allowed = np.isfinite(array) | (np.isposinf(array) & endless)
    if not allowed.all():
        place = tuple(int(k) for k in np.argwhere(~allowed)[0])
        raise ValueError(f"Node {name} {key} must be finite, not {float(array[place])} at "
                         f"{list(place)}")
    return array
