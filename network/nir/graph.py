# SPDX-License-Identifier: Apache-2.0
"""The form of a NIR graph in memory."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["ANALOG", "GRAPH", "LINEAR", "NEURONS", "OPTIONAL", "SPIKING", "Graph", "Node", "quoted"]

# Nodes with a membrane. The parameters of each, and those that a file may lack, with their value.
ANALOG = {"LI": ("tau", "r", "v_leak"), "I": ("r",),
          "CubaLI": ("tau_mem", "tau_syn", "r", "v_leak", "w_in")}
SPIKING = {"LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
           "IF": ("r", "v_threshold", "v_reset"),
           "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
           "Threshold": ("threshold",)}
NEURONS = {**ANALOG, **SPIKING}
OPTIONAL = {"v_reset": 0.0, "w_in": 1.0}

# Nodes without a state, apart from Delay. An Input or Output inside a graph changes nothing.
LINEAR = {"Linear": ("weight",), "Affine": ("weight", "bias"), "Scale": ("scale",),
          "Delay": ("delay",), "Flatten": ("start_dim", "end_dim"),
          "Conv1d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
          "Conv2d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
          "SumPool2d": ("kernel_size", "stride", "padding"),
          "AvgPool2d": ("kernel_size", "stride", "padding"),
          "Input": ("shape",), "Output": ()}

GRAPH = "NIRGraph"


@dataclass(eq=False)
class Node:
    """A node of a graph.

    Parameters
    ----------
    name : str
        With the names of the graphs around it: ``layer.lif``.
    kind : str
        Its type, such as ``LIF``.
    values : dict of str to ndarray or str
        Its parameters. Numbers are float64.
    joined : str
        Name of the leaky integrator in a neuron that was made from it and a Threshold.
    preset : str
        The type whose options of a framework it has, if that is not ``kind``.
    spyx : bool
        Whether Spyx wrote it, whose arrays have the channels last.
    """

    name: str
    kind: str
    values: dict[str, np.ndarray | str] = field(default_factory=dict)
    joined: str = ""
    preset: str = ""
    spyx: bool = False

    def array(self, key: str) -> np.ndarray:
        """The numbers of a parameter. A parameter that a file may lack has its usual value."""
        value = self.values.get(key, OPTIONAL.get(key))
        return np.asarray(value, np.float64)

    def whole(self, key: str, count: int, least: int = 1) -> tuple[int, ...]:
        """A parameter as ``count`` whole numbers of ``least`` or more. One stands for all.

        Raises
        ------
        ValueError
            If it is none.
        """
        values = self.array(key).ravel()
        if len(values) == 1:
            values = np.repeat(values, count)
        if len(values) != count or any(value != int(value) or value < least for value in values):
            raise ValueError(f"Node {self.name} {key} must be {count} whole number"
                             f"{'s' if count > 1 else ''} of {least} or more, not "
                             f"{self.array(key).tolist()}")
        return tuple(int(value) for value in values)


@dataclass(eq=False)
class Graph:
    """Nodes by name, and edges between them in the order of the file.

    ``said`` has the options that `export` put into the file.
    """

    nodes: dict[str, "Node | Graph"]
    edges: list[tuple[str, str]]
    said: dict = field(default_factory=dict)


def quoted(shape: tuple[int, ...]) -> str:
    """A shape as a message has it: ``[4, 6, 6]``."""
    return str([int(size) for size in shape])
