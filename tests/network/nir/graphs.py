# SPDX-License-Identifier: Apache-2.0
"""Graphs for the tests: written as files, and run node by node without the code under test."""

import graphlib
import math

import numpy as np

__all__ = ["chain", "run_graph", "write_graph"]


def write_graph(path, nodes, edges, metadata=None):
    """Write a NIR file with h5py alone. ``nodes`` maps a name to (kind, values).

    An inner graph is ("NIRGraph", (nodes, edges)).
    """
    import h5py

    def write(group, nodes, edges):
        group["type"] = "NIRGraph"
        group.create_dataset("edges", data=np.array(edges, dtype=object).reshape(-1, 2),
                             dtype=h5py.string_dtype())
        inner = group.create_group("nodes")
        for name, (kind, values) in nodes.items():
            node = inner.create_group(name)
            if kind == "NIRGraph":
                write(node, *values)
                continue
            node["type"] = kind
            for key, value in values.items():
                node[key] = value

    with h5py.File(path, "w") as file:
        file["version"] = "1.0.8"
        write(file.create_group("node"), nodes, edges)
        for key, value in (metadata or {}).items():
            file["node"].require_group("metadata")[key] = value


def chain(*named, shape=(4,)):
    """Nodes and edges of an Input of ``shape``, the nodes ``named`` in a row, and an Output."""
    nodes = {"input": ("Input", {"shape": list(shape)}), **dict(named),
             "output": ("Output", {"shape": [1]})}
    names = list(nodes)
    return nodes, list(zip(names[:-1], names[1:], strict=True))


def run_graph(nodes, edges, options, inputs, shapes, late=()):
    """Run a graph without inner graphs, step by step and node by node, from its own equations.

    Parameters
    ----------
    nodes, edges
        As for `write_graph`.
    options : dict
        ``dt``, ``back_delay``, and for each neuron node a dict with every option.
    inputs : dict of str to ndarray, shape (steps, *shape)
        What each Input gets.
    shapes : dict of str to tuple of int
        Of each neuron.
    late : collection of (str, str)
        Edges from neurons that close a loop. They bring the spikes of ``back_delay`` steps before.

    Returns
    -------
    spikes, membranes, outputs : dict of str to ndarray, shape (steps, values)
        Membranes are those that are compared with the threshold, in the units of the file.
    """
    cells = {name: _Cell(*nodes[name], shape, options["dt"], options[name])
             for name, shape in shapes.items()}
    memory = {name: [] for name in nodes}           # what has come to each Delay
    sent = {name: [] for name in nodes}
    forward = {name: {source for source, target in edges
                      if target == name and (source, target) not in late} for name in nodes}
    order = list(graphlib.TopologicalSorter(forward).static_order())
    for t in range(len(next(iter(inputs.values())))):
        for name in order:
            kind, values = nodes[name]
            total = inputs[name][t] if name in inputs else None
            for source, target in edges:
                if target != name:
                    continue
                if (source, target) in late:
                    row = t - options["back_delay"]
                    value = sent[source][row] if row >= 0 else np.zeros(shapes[source])
                else:
                    value = sent[source][t]
                total = value if total is None else total + value.reshape(total.shape)
            if name in cells:
                sent[name].append(cells[name].step(total))
            elif kind == "Delay":
                memory[name].append(total)
                steps = np.rint(np.broadcast_to(values["delay"], total.shape) / options["dt"])
                sent[name].append(np.array([
                    memory[name][t - int(k)].flat[place] if t >= k else 0.0
                    for place, k in enumerate(steps.flat)]).reshape(total.shape))
            else:
                sent[name].append(_stateless(kind, values, total))
    ends = [name for name, (kind, _) in nodes.items() if kind == "Output"]
    return ({name: np.array(cell.spikes) for name, cell in cells.items()},
            {name: np.array(cell.membranes) for name, cell in cells.items()},
            {name: np.array(sent[name]).reshape(t + 1, -1) for name in ends})


class _Cell:
    """A neuron node, in the units of the file."""

    def __init__(self, kind, values, shape, dt, options):
        full = {key: np.broadcast_to(value, shape).ravel().astype(float)
                for key, value in values.items()}
        size = math.prod(shape)
        self.kind, self.shape, self.options = kind, shape, options
        cuba, zeros, ones = kind.startswith("Cuba"), np.zeros(size), np.ones(size)

        def decay(tau):
            return 1 - dt / tau if options["decay"] == "euler" else np.exp(-dt / tau)

        def gain(key, nir, own):
            return {"nir": nir, "unit": ones, "decay": own}[options[key]]

        self.b, self.g, self.a, self.ga = zeros, ones, zeros, ones
        self.theta = full.get("threshold", full.get("v_threshold"))
        self.leak = full.get("v_leak", zeros)
        self.back = full.get("v_reset", zeros)
        if kind in ("IF", "I"):
            self.b, self.g = ones, gain("gain", dt * full["r"], ones)
        elif kind != "Threshold":
            self.b = decay(full["tau_mem" if cuba else "tau"])
            self.g = gain("gain", (1 - self.b) * full["r"], self.b)
        if cuba:
            self.a = decay(full["tau_syn"])
            self.ga = gain("syn_gain", (1 - self.a) * full["w_in"], self.a)
        self.late = cuba and options["order"] == "mem_first"
        self.v = {"zero": zeros, "v_leak": self.leak, "v_reset": self.back}[options["v0"]]
        self.i, self.fired = zeros, np.zeros(size, bool)
        self.spikes, self.membranes = [], []

    def step(self, total):
        old = self.i
        self.i = self.a * self.i + self.ga * total.ravel()
        v = self.b * self.v + (1 - self.b) * self.leak * (self.kind != "Threshold")
        v = v + self.g * (old if self.late else self.i)
        reset = "none" if self.theta is None or self.kind == "Threshold" else self.options["reset"]
        if reset == "zero_lose":
            v = np.where(self.fired, self.back, v)
        elif reset == "subtract_next":
            v = v - self.theta * self.fired
        self.membranes.append(v)
        if self.theta is None:
            self.v = v
            self.spikes.append(self.fired)
            return v.reshape(self.shape)
        self.fired = v >= self.theta if self.options["compare"] == ">=" else v > self.theta
        if reset == "zero_keep":
            v = np.where(self.fired, self.back, v)
        elif reset == "subtract_same":
            v = v - self.theta * self.fired
        self.v = v
        self.spikes.append(self.fired)
        row = len(self.spikes) - 1 - self.options["source_delay"]
        out = self.spikes[row] if row >= 0 else np.zeros_like(self.fired)
        return out.astype(float).reshape(self.shape)


def _stateless(kind, values, x):
    if kind in ("Linear", "Affine"):
        weight = np.asarray(values["weight"])
        y = weight @ (x if x.shape[-1:] == weight.shape[1:] and x.ndim == 1 else x.ravel())
        return y + values.get("bias", 0)
    if kind == "Scale":
        return x * values["scale"]
    if kind == "Flatten":
        first = values["start_dim"]
        return x.reshape(*x.shape[:first], -1)
    if kind in ("Input", "Output"):
        return x
    return _torch(kind, values, x)


def _torch(kind, values, x):
    """Convolutions and pools, by torch."""
    import torch
    from torch.nn import functional

    x = torch.from_numpy(np.ascontiguousarray(x, float))[None]
    if kind == "AvgPool2d":
        return functional.avg_pool2d(x, values["kernel_size"], values["stride"],
                                     values["padding"])[0].numpy()
    if kind == "SumPool2d":
        size = math.prod(values["kernel_size"])
        return size * functional.avg_pool2d(x, values["kernel_size"], values["stride"],
                                            values["padding"])[0].numpy()
    weight, bias = (torch.from_numpy(np.asarray(values[key])) for key in ("weight", "bias"))
    convolve = functional.conv1d if kind == "Conv1d" else functional.conv2d
    return convolve(x, weight, bias, values["stride"], values["padding"], values["dilation"],
                    values["groups"])[0].numpy()
