# SPDX-License-Identifier: Apache-2.0
"""Random graphs of every kind of node, with random options."""

import math

import numpy as np

from spikewright.network.network import RESETS

__all__ = ["RandomGraph"]

SPIKING = ("LIF", "CubaLIF", "IF", "Threshold")
ANALOG = ("LI", "CubaLI", "I")
DT = 1e-3


class RandomGraph:
    """A graph as `graphs` has it, and its options.

    ``images`` also draws convolutions and pools.
    """

    def __init__(self, seed, images=False):
        self.rng = np.random.default_rng(seed)
        self.images = images
        self.nodes, self.edges, self.shapes, self.late = {}, [], {}, set()
        shapes = ([(2, 7, 6), (1, 6, 6), (3, 9)] if images else [(5,), (1, 6), (9,), (2, 4)])
        self.input = shapes[self.rng.integers(len(shapes))]
        self.inputs = {"input": self.input}     # in the order of the channels
        self.options = {"dt": DT, "back_delay": int(self.rng.choice([1, 1, 1, 2]))}
        self._draw()

    def pick(self, choices):
        return choices[self.rng.integers(len(choices))]

    def _draw(self):
        self.add("input", "Input", {"shape": list(self.input)})
        layers = [("input", self.input if self.images or self.input[0] > 1 else self.input[1:])]
        for k in range(self.rng.integers(1, 4)):
            name = f"{k}.n"
            self._layer(name, layers[-1], self.pick(SPIKING), self.rng.integers(2, 9))
            if len(layers) > 1 and self.rng.random() < 0.4:
                self._link(self.pick(layers[:-1]), (name, self.shapes[name]))
            layers.append((name, self.shapes[name]))
        hidden = layers[1:]
        if self.rng.random() < 0.3:
            self.inputs = {"more": (3,), **self.inputs}
            self.add("more", "Input", {"shape": [3]})
            self._link(("more", (3,)), hidden[0])
        for name, shape in hidden:
            if self.rng.random() < 0.4:
                self._link((name, shape), self.pick(hidden[:1 + hidden.index((name, shape))]),
                           late=True)
        for k in range(self.rng.integers(1, 3)):
            out = f"out{k}" if self.rng.random() < 0.5 else f"sub.out{k}"
            if self.rng.random() < 0.6:
                self._layer(f"read{k}", layers[-1], self.pick(ANALOG), self.rng.integers(1, 4))
                self.add(out, "Output", {"shape": [1]}, f"read{k}")
            else:
                self.add(out, "Output", {"shape": [0]}, self.pick(hidden)[0])

    def add(self, name, kind, values, *sources):
        self.nodes[name] = (kind, values)
        self.edges += [(source, name) for source in sources]

    def _layer(self, name, source, kind, size):
        """A chain from ``source``, and a neuron of ``kind`` behind it."""
        last, shape = self._chain(name, source)
        if not self.images or self.rng.random() < 0.5 or kind in ANALOG:
            last, shape = self._dense(name, (last, shape), int(size))
        self._neuron(name, kind, shape, last)

    def _chain(self, name, source):
        """Up to three nodes without a state."""
        last, shape = source
        for k in range(self.rng.integers(0, 4)):
            kinds = ["Scale", "Delay"]
            if len(shape) == 3 and self.images:
                kinds += ["Conv2d"] * 3 + ["SumPool2d", "AvgPool2d"]
            if len(shape) == 2 and self.images:
                kinds += ["Conv1d"] * 3
            made = self._stateless(self.pick(kinds), shape)
            if made is None:
                continue
            kind, values, after = made
            step = f"{name}.c{k}"
            self.add(step, kind, values, last)
            last, shape = step, after
        return last, shape

    def _stateless(self, kind, shape):
        if kind == "Scale":
            like = self.pick([shape, (shape[0], *[1] * (len(shape) - 1)), ()])
            return kind, {"scale": self.rng.uniform(0.5, 1.5, like)}, shape
        if kind == "Delay":
            like = self.pick([shape, ()])
            return kind, {"delay": self.rng.integers(0, 4, like) * DT}, shape
        if kind in ("SumPool2d", "AvgPool2d"):
            kernel, stride, padding = (tuple(int(k) for k in self.rng.integers(low, high, 2))
                                       for low, high in ((1, 4), (1, 3), (0, 2)))
            padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
            after = [(size + 2 * p - k) // s + 1 for size, k, s, p
                     in zip(shape[1:], kernel, stride, padding, strict=True)]
            return None if min(after) < 1 else (
                kind, {"kernel_size": kernel, "stride": stride, "padding": padding},
                (shape[0], *after))
        axes = int(kind[4])
        groups = int(self.pick([k for k in (1, 1, 2, 3) if shape[0] % k == 0]))
        out = groups * int(self.rng.integers(1, 3))
        kernel = [int(k) for k in self.rng.integers(1, 4, axes)]
        stride, dilation = ([int(k) for k in self.rng.integers(1, 3, axes)] for _ in range(2))
        padding = self.pick(["same", "valid", "number"])
        if padding == "same":
            stride, after = [1] * axes, list(shape[1:])
        else:
            pads = [0] * axes if padding == "valid" else [int(k)
                                                          for k in self.rng.integers(0, 3, axes)]
            after = [(size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d
                     in zip(shape[1:], kernel, stride, pads, dilation, strict=True)]
            padding = "valid" if padding == "valid" else pads
        if min(after) < 1:
            return None
        weight = self.rng.normal(0, 1, (out, shape[0] // groups, *kernel))
        return kind, {"input_shape": list(shape[1:]), "stride": stride, "padding": padding,
                      "dilation": dilation, "groups": groups,
                      "weight": weight / math.sqrt(weight[0].size),
                      "bias": self.rng.normal(0.1, 0.2, out)}, (out, *after)

    def _dense(self, name, source, size):
        last, shape = source
        if len(shape) > 1:
            self.add(f"{name}.flat", "Flatten", {"start_dim": 0, "end_dim": -1}, last)
            last = f"{name}.flat"
        inputs = math.prod(shape)
        values = {"weight": self.rng.normal(0.2, 1.2, (size, inputs)) / math.sqrt(inputs)}
        kind = self.pick(["Linear", "Affine"])
        if kind == "Affine":
            values["bias"] = self.rng.normal(0.05, 0.1, size)
        self.add(f"{name}.fc", kind, values, last)
        return f"{name}.fc", (size,)

    def _link(self, source, target, late=False):
        """Another way from ``source`` to the neuron ``target``; ``late`` if it closes a loop."""
        name, shape = target
        step = f"{name}.from.{source[0]}"
        if any(one.startswith(step) for one in self.nodes):
            return
        before = set(self.nodes)
        last, _ = self._dense(step, source, math.prod(shape))
        if late:
            first = next(one for one in self.nodes if one not in before)
            self.late.add((source[0], first))
        if self.rng.random() < 0.4:
            self.add(f"{step}.d", "Delay",
                     {"delay": self.rng.integers(0, 4, math.prod(shape)) * DT}, last)
            last = f"{step}.d"
        self.edges.append((last, name))

    def _neuron(self, name, kind, shape, source):
        rng = self.rng

        def values(low, high, also=()):
            """Numbers between the two, in one of three types. The first may be one of ``also``."""
            like = self.pick([shape, shape, (shape[0], *[1] * (len(shape) - 1)), ()])
            found = np.asarray(rng.uniform(low, high, like))
            if also and found.size > 1 and rng.random() < 0.3:
                found.flat[0] = self.pick(also)
            return found.astype(self.pick([np.float64, np.float64, np.float32, np.float16]))

        spiking = kind in SPIKING
        found = {"r": values(-0.5, 3) / (DT if kind in ("I", "IF") else 1)}
        if kind in ("LIF", "LI"):
            found |= {"tau": values(1.5, 15, also=(1.0, np.inf)) * DT, "v_leak": values(-0.1, 0.1)}
        elif kind in ("CubaLIF", "CubaLI"):
            found |= {"tau_mem": values(1.5, 15, also=(1.0, np.inf)) * DT,
                      "tau_syn": values(1.2, 5) * DT, "v_leak": values(-0.1, 0.1),
                      "w_in": values(-0.5, 2)}
        if kind == "Threshold":
            found = {"threshold": values(0.3, 1)}
        elif spiking:
            found["v_threshold"] = values(0.4, 1)
            found["v_reset"] = values(-0.3, 0.2)
        if spiking and rng.random() < 0.3:
            found.pop("v_reset", None)
        self.shapes[name] = shape
        self.options[name] = {
            "decay": self.pick(["euler", "exp"]), "gain": self.pick(["nir", "unit", "decay"]),
            "syn_gain": self.pick(["nir", "unit", "decay"]),
            "order": self.pick(["syn_first", "mem_first"]),
            "reset": self.pick(RESETS), "compare": self.pick([">", ">="]),
            "v0": self.pick(["zero", "v_leak", "v_reset"]),
            "source_delay": int(self.pick([0, 0, 0, 1, 2]))}
        self.add(name, kind, found, source)
