# SPDX-License-Identifier: Apache-2.0
"""State dicts of NeuroBench's spiking network for primate reaching, ``SNN2_SESSION.pt``.

It has spiking neurons with membranes m, and outputs o. There are no biases. In each step::

    m = beta (0 if m > threshold, else m) + W x
    o = beta_out o + W_out [m > threshold]

The modules are those of snnTorch, which keep the input of the step in which they reset.
"""

from collections.abc import Mapping

import numpy as np

from ..network import Network
from .checks import Keys, check_keys, check_neurons
from .snntorch import Layer, buffers, snntorch_network

__all__ = ["KEYS", "neurobench_network"]

# C is the number of channels, H of hidden neurons, O of outputs.
KEYS: Keys = {"fc1.weight": ("H", "C"), "fc_out.weight": ("O", "H"),
              "lif1.beta": (), "lif_out.beta": ()}

# Thresholds and resets that some files do not have.
LAYERS = (
    Layer(name="hidden", linear="fc1", neuron="lif1", kind="Leaky",
          values={"reset": "zero", "threshold": 1.0}),
    Layer(name="readout", linear="fc_out", neuron="lif_out", kind="Leaky",
          values={"reset": "none", "threshold": 1.0}))


def neurobench_network(tensors: Mapping[str, np.ndarray], dt: float) -> Network:
    """Build the network of a NeuroBench state dict.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape or value. The message
        names the key.
    """
    check_keys(tensors, KEYS, {key for layer in LAYERS for key in buffers(layer)})
    check_neurons(tensors, [layer.neuron for layer in LAYERS])
    return snntorch_network(tensors, LAYERS, dt)
