# SPDX-License-Identifier: Apache-2.0
"""A layer of a graded network from modules of a state dict: a linear module, and snnTorch neurons.

Keys of a layer with the linear module ``fc1`` and the neurons ``lif1`` are those of
`snntorch.buffers`, ``fc1.weight``, and for a recurrent layer ``lif1.recurrent.weight``.
"""

from collections.abc import Mapping

import numpy as np

from ..graded.leaky import Leaky
from .snntorch import Layer, Neurons

__all__ = ["leaky_layer"]

RESETS = {"zero": "zero_keep", "subtract": "subtract_next", "none": "none"}


def leaky_layer(tensors: Mapping[str, np.ndarray], layer: Layer, factor: float,
                spikes: bool = True) -> tuple[Leaky, float]:
    """Build the layer, and return what its spikes count in the next one.

    The key ``graded_spikes_factor`` has this number. ``factor`` is that of the layer before.
    ``spikes`` is whether the outputs of the layer are its spikes. `checks.check_neurons` has
    checked the neurons.

    Raises
    ------
    ValueError
        If a value is missing, or not possible. The message names the key.
    """
    weights = factor * tensors[f"{layer.linear}.weight"]
    neurons = Neurons(tensors, layer, len(weights))
    reset, after = neurons.reset(), neurons.number("graded_spikes_factor", 1.0)
    if not spikes and reset != "none":
        raise ValueError(f"Layer {layer.neuron} must have no reset, because its membranes are the "
                         f"outputs, not the reset {reset}")
    bias = np.zeros(len(weights)) + tensors.get(f"{layer.linear}.bias", 0.0)
    recurrent = None
    if layer.recurrent:
        transposed, more = neurons.recurrence()
        recurrent, bias = after * transposed.T, bias + more
    return Leaky(name=layer.neuron, weights=weights, bias=bias, recurrent=recurrent,
                 decay=neurons.value("beta"), threshold=neurons.value("threshold"),
                 reset=RESETS[reset], spikes=spikes), after
