# SPDX-License-Identifier: Apache-2.0
"""State dicts of snnTorch modules, and the description of their layers.

A state dict has no order of layers and no kinds of neurons. A description has them. In each step,
each layer takes the spikes of the layer before, with its weights and its bias. A recurrent layer
also takes its own spikes of the step before. The last layer has no reset. Its membranes are the
outputs. snnTorch's neurons are those of `network.Population`::

    Leaky, RLeaky          A = 0                  B = beta
    Synaptic, RSynaptic    A = alpha              B = beta
    reset subtract         subtract_next
    reset zero             zero_keep for Leaky, zero_lose for the others
    reset none             none
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..network import CONSTANT, INPUT, Network, Population, Projection, constant
from .checks import check_tensors, given

__all__ = ["KINDS", "RESET_NUMBERS", "VALUES", "Layer", "Neurons", "buffers", "snntorch_network"]

KINDS = ("Leaky", "Synaptic", "RLeaky", "RSynaptic")

# Numbers of the resets in a state dict.
RESET_NUMBERS = ("subtract", "zero", "none")

# Values of a neuron that a description has if the state dict does not, and their keys there.
VALUES = {"beta": "beta", "alpha": "alpha", "threshold": "threshold",
          "reset": "reset_mechanism_val"}

# Buffers of a module that are its state, or of no use to us.
UNUSED = ("mem", "syn", "spk")

# snnTorch recomputes the state of a step from the spikes of the step before.
RECURRENT_DELAY = 1


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A linear module and the neurons behind it.

    Parameters
    ----------
    name : str
        Name of the population.
    linear, neuron : str
        Names of the modules.
    kind : str
        One of ``KINDS``.
    values : dict
        ``beta``, ``alpha`` and ``threshold``, each a number or one for each neuron, and ``reset``,
        one of ``RESET_NUMBERS``. A value in the state dict has priority.
    """

    name: str
    linear: str
    neuron: str
    kind: str
    values: Mapping = field(default_factory=dict)

    @property
    def recurrent(self) -> bool:
        return self.kind.startswith("R")

    @property
    def synaptic(self) -> bool:
        return self.kind.endswith("Synaptic")


def buffers(layer: Layer) -> list[str]:
    """All keys that a state dict may have of ``layer``, apart from those of its weights."""
    names = [*(key for value, key in VALUES.items() if value != "alpha" or layer.synaptic),
             "graded_spikes_factor", *UNUSED]
    return [f"{layer.linear}.bias", *(f"{layer.neuron}.{name}" for name in names)]


def snntorch_network(tensors: Mapping[str, np.ndarray], layers: Sequence[Layer],
                     dt: float) -> Network:
    """Build the network of a state dict with these layers.

    Parameters
    ----------
    tensors : dict of str to ndarray of float64
    layers : list of Layer
    dt : float
        Seconds per step.

    Raises
    ------
    ValueError
        If a tensor or a value is missing, unknown, not finite, or has a wrong shape or value.
    """
    keys = _weights(tensors, layers)
    known = {*keys, *(key for layer in layers for key in buffers(layer))}
    for key in tensors:
        if key not in known:
            raise ValueError(f"Checkpoint must have only tensors of the layers that are described, "
                             f"not {key!r}")
    sizes = check_tensors(tensors, keys)
    populations, projections, source, factor = [], [], INPUT, 1.0
    for number, layer in enumerate(layers):
        last = number == len(layers) - 1
        neurons = Neurons(tensors, layer, sizes[layer.neuron])
        population = neurons.population(last)
        into = {(source, 0): factor * tensors[f"{layer.linear}.weight"].T}
        factor = neurons.number("graded_spikes_factor", 1.0)
        bias = np.zeros(population.neurons) + tensors.get(f"{layer.linear}.bias", 0.0)
        if layer.recurrent:
            weights, more = neurons.recurrence()
            into[layer.name, RECURRENT_DELAY] = factor * weights
            bias += more
        if bias.any():
            into[CONSTANT, 0] = bias[None]
        populations.append(population)
        projections += [Projection(source=name, target=layer.name, delay=delay, weights=weights)
                        for (name, delay), weights in into.items()]
        source = layer.name
    if any(projection.source == CONSTANT for projection in projections):
        populations.insert(0, constant())
    return Network(channels=sizes["C"], dt=dt, populations=tuple(populations),
                   projections=tuple(projections))


def _weights(tensors: Mapping[str, np.ndarray], layers: Sequence[Layer]) -> dict:
    """Keys and axes of all weights and biases. The neurons of a layer are an axis.

    Raises
    ------
    ValueError
        If weights are missing.
    """
    keys: dict[str, tuple[str, ...]] = {}
    before = "C"
    for layer in layers:
        own = layer.neuron
        keys[f"{layer.linear}.weight"] = (own, before)
        optional = {f"{layer.linear}.bias": (own,)}
        if layer.recurrent and _one_to_one(tensors, layer) is None:
            keys[f"{own}.recurrent.weight"] = (own, own)
            optional[f"{own}.recurrent.bias"] = (own,)
        elif layer.recurrent:
            optional |= {key: np.shape(tensors.get(key, 0.0)) and (own,)
                         for key in _one_to_one_keys(layer)}
        keys |= {key: axes for key, axes in optional.items() if key in tensors}
        before = own
    missing = [key for key in keys if key not in tensors]
    if missing:
        raise ValueError(f"Checkpoint must have {', '.join(missing)}, not only {given(tensors)}")
    return keys


def _one_to_one_keys(layer: Layer) -> tuple[str, ...]:
    return f"{layer.neuron}.V", f"{layer.neuron}.recurrent.V"


def _one_to_one(tensors: Mapping[str, np.ndarray], layer: Layer) -> np.ndarray | None:
    """Weight of each neuron to itself, if ``layer`` has no other recurrent weights."""
    return next((tensors[key] for key in _one_to_one_keys(layer) if key in tensors), None)


class Neurons:
    """The tensors and values of the neurons of a layer."""

    def __init__(self, tensors: Mapping[str, np.ndarray], layer: Layer, neurons: int) -> None:
        self.tensors, self.layer, self.neurons = tensors, layer, neurons

    def population(self, last: bool) -> Population:
        """The population. That of the ``last`` layer does not spike."""
        layer, reset = self.layer, self.reset()
        if last and (layer.recurrent or reset != "none"):
            raise ValueError(f"Layer {layer.neuron} must be Leaky or Synaptic without a reset, "
                             f"because it is the last one and its membranes are the outputs, not "
                             f"{layer.kind} with the reset {reset}")
        kind = {"subtract": "subtract_next", "none": "none",
                "zero": "zero_keep" if layer.kind == "Leaky" else "zero_lose"}[reset]
        synapse = np.clip(self.value("alpha"), 0, 1) if layer.synaptic else np.zeros(self.neurons)
        return Population(
            name=layer.name, spiking=not last, synaptic_decay=synapse,
            membrane_decay=np.clip(self.value("beta"), 0, 1),
            threshold=np.ones(self.neurons) if last else self.value("threshold"),
            reset=Population.reset if last else kind)

    def recurrence(self) -> tuple[np.ndarray, np.ndarray | float]:
        """Weights (neurons, neurons) from the layer to itself, and the bias that they come with."""
        own = _one_to_one(self.tensors, self.layer)
        if own is not None:
            return np.diag(np.broadcast_to(own, self.neurons)), 0.0
        key = f"{self.layer.neuron}.recurrent"
        return self.tensors[f"{key}.weight"].T, self.tensors.get(f"{key}.bias", 0.0)

    def number(self, name: str, default: float) -> float:
        """A tensor of the module that is a single number."""
        array = self.tensors.get(f"{self.layer.neuron}.{name}", np.array(default))
        if array.size != 1 or not np.isfinite(array).all():
            raise ValueError(f"{self.layer.neuron}.{name} must be one finite number, not of shape "
                             f"{array.shape}" if array.size != 1 else
                             f"{self.layer.neuron}.{name} must be finite, not {array.item()!r}")
        return array.item()

    def reset(self) -> str:
        """One of ``RESET_NUMBERS``, from the state dict or from the description."""
        key = f"{self.layer.neuron}.{VALUES['reset']}"
        if key not in self.tensors:
            return self._described("reset", key)
        number = self.number(VALUES["reset"], 0)
        if number not in range(len(RESET_NUMBERS)):
            raise ValueError(f"{key} must be 0, 1 or 2, not {number:g}")
        return RESET_NUMBERS[int(number)]

    def value(self, name: str) -> np.ndarray:
        """One value for each neuron, from the state dict or from the description."""
        key = f"{self.layer.neuron}.{VALUES[name]}"
        array = np.asarray(self.tensors[key] if key in self.tensors
                           else self._described(name, key), np.float64)
        if array.shape not in ((), (1,), (self.neurons,)):
            raise ValueError(f"{key} must be one number, or one for each of {self.neurons} "
                             f"neurons, not of shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{key} must be finite, not {float(array[~np.isfinite(array)][0])!r}")
        return np.broadcast_to(array, self.neurons).copy()

    def _described(self, name: str, key: str):
        if name not in self.layer.values:
            raise ValueError(f"Layer {self.layer.neuron} must have {name!r} in its description, "
                             f"because the state dict has no {key}")
        return self.layer.values[name]
