# SPDX-License-Identifier: Apache-2.0
"""State dicts of NeuroBench's SNN_Flat for primate reaching.

Each step normalizes the sums of `graded.window.Window` over all channels and parts. Then three
leaky layers run seven inner steps from zero state, one for each part. The membranes of the last
one, times ``v_x`` and ``v_y``, are the outputs.
"""

from collections.abc import Mapping

import numpy as np

from ..graded.layers import Normalize
from ..graded.leaky import InnerSteps
from ..graded.network import GradedNetwork
from ..graded.window import Window
from .checks import Keys, check_keys, check_neurons, check_rule, check_tensors
from .leaky import leaky_layer
from .neurobench_ann import EPSILON, PARTS, WIDTH
from .snntorch import Layer, buffers

__all__ = ["KEYS", "snn_flat_network"]

# C is the number of channels, H and J of hidden neurons.
KEYS: Keys = {
    "fc1.weight": ("H", "C"), "fc1.bias": ("H",), "fc2.weight": ("J", "H"), "fc2.bias": ("J",),
    "fc3.weight": ("2", "J"), "fc3.bias": ("2",),
    "norm_layer.weight": (str(PARTS), "C"), "norm_layer.bias": (str(PARTS), "C"),
    "v_x": ("1",), "v_y": ("1",),
    **{f"lif{k}.{name}": () for k in (1, 2, 3) for name in ("beta", "threshold")}}

LAYERS = tuple(Layer(name=f"lif{k}", linear=f"fc{k}", neuron=f"lif{k}", kind="Leaky",
                     values={"reset": reset})
               for k, reset in ((1, "subtract"), (2, "subtract"), (3, "none")))


def snn_flat_network(tensors: Mapping[str, np.ndarray], dt: float) -> GradedNetwork:
    """Build the network of a state dict of NeuroBench's SNN_Flat.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape or value. The message
        names the key.
    """
    check_keys(tensors, KEYS, {key for layer in LAYERS for key in buffers(layer)})
    shapes = {key: axes for key, axes in KEYS.items() if not key.startswith("lif")}
    sizes = check_tensors(tensors, shapes)
    check_neurons(tensors, [layer.neuron for layer in LAYERS])
    for key in ("v_x", "v_y"):
        check_rule(key, tensors[key], tensors[key] != 0, "other than 0")
    window = Window(name="window", channels=sizes["C"], parts=PARTS, width=WIDTH)
    layers, factor = [], 1.0
    for layer in LAYERS:
        built, factor = leaky_layer(tensors, layer, factor, spikes=layer is not LAYERS[-1])
        layers.append(built)
    norm = Normalize(name="norm_layer", gain=tensors["norm_layer.weight"].ravel(),
                     offset=tensors["norm_layer.bias"].ravel(), epsilon=EPSILON)
    return GradedNetwork(
        kind="SNN_Flat", channels=sizes["C"], dt=dt,
        stages=(window, norm, InnerSteps(name="lif", steps=PARTS, layers=tuple(layers))),
        readout=np.diag(np.concatenate([tensors["v_x"], tensors["v_y"]])))
