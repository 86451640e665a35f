# SPDX-License-Identifier: Apache-2.0
"""State dicts of the hybrid network: two convolutions over time, two recurrent spiking layers.

::

    y1 = conv1(counts)              every step
    p1 = max of two y1              every 2 steps
    y2 = conv2(p1)
    p2 = max of two y2              every 4 steps
    lif1, lif2                      recurrent, of p2 and of the spikes of lif1
    key = fc3 @ spikes of lif2      a keypoint every 4 steps, with a line between keypoints
    output = mean + sd * line

Keys are those of `torch.nn.Conv1d`, `torch.nn.Linear` and snnTorch's recurrent neurons. No weights
are published, and the paper leaves some things open. The state dict says them: whether there are
biases, the values of beta and threshold for one or all neurons, the reset, and the phase of the
second pool. Phase 1 is that of a network trained with padding ``9 // 2 + 2`` and ``18 // 2``.
"""

from collections.abc import Mapping

import numpy as np

from ..graded.convolution import Convolution, Line, Pool
from ..graded.layers import Dense
from ..graded.network import GradedNetwork
from .checks import Keys, check_keys, check_neurons, check_rule, check_tensors, one_of
from .leaky import leaky_layer
from .snntorch import Layer, buffers

__all__ = ["KEYPOINT", "KEYS", "srtnet_network"]

# The width of both pools, and so the steps between keypoints.
POOL = 2
KEYPOINT = POOL * POOL

# C is the number of channels, K and L of taps, F and G of features, H and J of neurons, O of axes.
KEYS: Keys = {
    "conv1.weight": ("F", "C", "K"), "conv2.weight": ("G", "F", "L"),
    "fc1.weight": ("H", "G"), "lif1.recurrent.weight": ("H", "H"),
    "fc2.weight": ("J", "H"), "lif2.recurrent.weight": ("J", "J"), "fc3.weight": ("O", "J"),
    **{f"lif{k}.{name}": () for k in (1, 2) for name in ("beta", "threshold")}}
OPTIONAL: Keys = {
    "conv1.bias": ("F",), "conv2.bias": ("G",), "fc1.bias": ("H",), "lif1.recurrent.bias": ("H",),
    "fc2.bias": ("J",), "lif2.recurrent.bias": ("J",), "fc3.bias": ("O",),
    "mean": ("O",), "sd": ("O",)}

LAYERS = tuple(Layer(name=f"lif{k}", linear=f"fc{k}", neuron=f"lif{k}", kind="RLeaky",
                     values={"reset": "zero"}) for k in (1, 2))


def srtnet_network(tensors: Mapping[str, np.ndarray], dt: float) -> GradedNetwork:
    """Build the network of a state dict of the hybrid network.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape or value. The message
        names the key.
    """
    check_keys(tensors, KEYS, {*OPTIONAL, "phase",
                               *(key for layer in LAYERS for key in buffers(layer))})
    shapes = {key: axes for key, axes in {**KEYS, **OPTIONAL}.items() if key in tensors and axes}
    sizes = check_tensors(tensors, shapes)
    check_neurons(tensors, [layer.neuron for layer in LAYERS])

    def vector(key: str, default: float = 0.0) -> np.ndarray:
        return tensors[key] if key in tensors else np.full(sizes[OPTIONAL[key][0]], default)

    sd = vector("sd", 1.0)
    check_rule("sd", sd, sd > 0, "above 0")
    phase = one_of(tensors, "phase", 1, range(POOL), "0 or 1")
    convolutions = [Convolution(name=name, weights=tensors[f"{name}.weight"].transpose(2, 0, 1),
                                bias=vector(f"{name}.bias")) for name in ("conv1", "conv2")]
    first, factor = leaky_layer(tensors, LAYERS[0], 1.0)
    second, factor = leaky_layer(tensors, LAYERS[1], factor)
    before = np.tile(convolutions[1].bias, (phase, 1))
    return GradedNetwork(
        kind="sRTnet", channels=sizes["C"], dt=dt, stages=(
            convolutions[0], Pool(name="pool1", width=POOL, before=np.zeros((0, sizes["F"]))),
            convolutions[1], Pool(name="pool2", width=POOL, before=before), first, second,
            Dense(name="fc3", weights=factor * tensors["fc3.weight"], bias=vector("fc3.bias")),
            Line(name="line", size=sizes["O"], steps=KEYPOINT)),
        readout=np.diag(sd), offset=vector("mean"))
