# SPDX-License-Identifier: Apache-2.0
"""Nodes with a membrane: each becomes a population, with what it needs of biases.

docs/howto/nir.md has the equations of each option.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ..network import Population
from .graph import ANALOG, Node
from .linear import spread
from .options import Asked

__all__ = ["Neuron", "neuron"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Neuron:
    """A population, and how the values of its node become those of the network.

    Parameters
    ----------
    population : Population
    gain : ndarray of float64, shape (neurons,)
        Factor from an input of the node to its membrane.
    input_delay : int
        Steps by which its inputs come later.
    source_delay : int
        Steps by which its spikes leave later.
    origin : ndarray of float64, shape (neurons,)
        The membrane of the node is that of the population plus this.
    constant : ndarray of float64, shape (neurons,)
        What each step adds to the current.
    kick : dict of int to ndarray of float64, shape (neurons,)
        What is added to the current once, by its step.
    """

    population: Population
    gain: np.ndarray
    input_delay: int
    source_delay: int
    origin: np.ndarray
    constant: np.ndarray
    kick: dict[int, np.ndarray] = field(default_factory=dict)


def neuron(node: Node, shape: tuple[int, ...], dt: float, asked: Asked, *,
           readout: bool = False, name: str = "") -> Neuron:
    """The population of ``node``.

    Parameters
    ----------
    node : Node
    shape : tuple of int
    dt : float
        Time per step, in the unit of the file.
    asked : Asked
    readout : bool
        Whether its membranes are an output, even if its type spikes.
    name : str
        Name of the population. By default, that of the node.

    Raises
    ------
    ValueError
        If a parameter gives no neuron. The message names node and parameter.
    """
    values = _Values(node, shape, dt, asked)
    if node.kind == "Threshold":
        size = math.prod(shape)
        threshold, zeros = values.get("threshold"), np.zeros(size)
        return Neuron(
            population=Population(
                name=name or node.name, spiking=True, reset="none", threshold=threshold,
                synaptic_decay=zeros, membrane_decay=zeros, at_least=values.at_least()),
            gain=np.ones(size), input_delay=0, source_delay=values.ask("source_delay"),
            origin=zeros, constant=zeros)
    spiking = node.kind not in ANALOG and not readout
    decay, gain = values.membrane()
    synapse, syn_gain = values.synapse()
    reset = ("none" if node.joined else values.ask("reset")) if spiking else "none"
    leak, start, v_reset = values.start(reset, spiking)
    origin = {"zero_keep": v_reset, "zero_lose": v_reset}.get(
        reset, start if spiking and reset == "none" else np.zeros_like(decay))
    threshold = values.threshold(reset, origin) if spiking else np.ones_like(decay)
    # The leak adds a constant to the membrane. It goes through the current, which decays.
    constant, begin = (1 - decay) * (leak - origin), decay * (start - origin)
    kick = {0: begin + synapse * constant, 1: -synapse * begin}
    return Neuron(
        population=Population(
            name=name or node.name, spiking=spiking, threshold=threshold,
            reset=reset if spiking else Population.reset, synaptic_decay=synapse,
            membrane_decay=decay, at_least=spiking and values.at_least()),
        gain=gain * syn_gain,
        input_delay=int(values.cuba and values.ask("order") == "mem_first"),
        source_delay=values.ask("source_delay") if spiking else 0,
        origin=origin, constant=(1 - synapse) * constant,
        kick={step: row for step, row in kick.items() if row.any()})


class _Values:
    """The parameters of a node in the form of its population, and the options that bear on it."""

    def __init__(self, node: Node, shape: tuple[int, ...], dt: float, asked: Asked) -> None:
        self.node, self.shape, self.dt, self.asked = node, shape, dt, asked
        self.cuba = node.kind.startswith("Cuba")

    def ask(self, key: str):
        return self.asked(key, self.node)

    def get(self, key: str) -> np.ndarray:
        """A parameter, one value for each neuron."""
        return spread(self.node.array(key), self.shape, self.node.name, key).ravel()

    def at_least(self) -> bool:
        return self.ask("compare") == ">="

    def membrane(self) -> tuple[np.ndarray, np.ndarray]:
        """The decay of the membrane, and the gain from the current to it."""
        if "r" in self.node.values and self.node.kind in ("I", "IF"):
            resistance = self.get("r")
            return np.ones_like(resistance), self._gain("gain", resistance * self.dt,
                                                        np.ones_like(resistance))
        decay = self._decay("tau_mem" if self.cuba else "tau")
        with np.errstate(invalid="ignore"):
            given = (1 - decay) * self.get("r")
        return decay, self._gain("gain", given, decay)

    def synapse(self) -> tuple[np.ndarray, np.ndarray]:
        """The decay of the current, and the gain from an input to it."""
        if not self.cuba:
            size = math.prod(self.shape)
            return np.zeros(size), np.ones(size)
        decay = self._decay("tau_syn")
        return decay, self._gain("syn_gain", (1 - decay) * self.get("w_in"), decay)

    def start(self, reset: str, spiking: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The resting membrane, the first one, and the one after a spike."""
        zeros = np.zeros(math.prod(self.shape))
        leak = self.get("v_leak") if "v_leak" in self.node.values else zeros
        v_reset = self.get("v_reset") if "v_reset" in self.node.values else zeros
        if spiking and not self.node.joined:
            own = self.ask("v_reset")
            if own is not None:
                v_reset = np.full_like(zeros, own)
            elif self.asked.is_lost("v_reset", self.node) and not v_reset.any():
                self.asked.assumed["v_reset"] = 0
        if not (leak.any() or v_reset.any()):
            return leak, zeros, v_reset
        return leak, {"zero": zeros, "v_leak": leak, "v_reset": v_reset}[self.ask("v0")], v_reset

    def threshold(self, reset: str, origin: np.ndarray) -> np.ndarray:
        """The threshold, counted from ``origin``."""
        threshold = self.get("v_threshold")
        if reset == "none":
            return threshold - origin
        bad = np.flatnonzero(threshold - origin <= 0)
        if len(bad):
            what = ("above 0 with a reset that subtracts it" if reset.startswith("subtract")
                    else f"above v_reset ({origin[bad[0]]:g})")
            raise ValueError(f"Node {self.node.name} v_threshold must be {what}, not "
                             f"{threshold[bad[0]]:g}: the neuron would fire for ever")
        return threshold - origin

    def _decay(self, key: str) -> np.ndarray:
        tau, name = self.get(key), self.node.name
        bad = np.flatnonzero(tau <= 0)
        if len(bad):
            raise ValueError(f"Node {name} {key} must be above 0, not {tau[bad[0]]:g}")
        if self.ask("decay") == "exp":
            return np.exp(-self.dt / tau)
        # A time constant of one step may be a little less in float32.
        bad = np.flatnonzero(self.dt > tau * (1 + 1e-6))
        if len(bad):
            value = tau[bad[0]]
            raise ValueError(
                f"Node {name} {key} must be at least dt ({self.dt:g}) with the decay euler, not "
                f"{value:g}: the decay would be {1 - self.dt / value:g}. Check --from and --dt. A "
                "framework with exponential decay needs --decay exp")
        return np.maximum(1 - self.dt / tau, 0.0)

    def _gain(self, key: str, given: np.ndarray, decay: np.ndarray) -> np.ndarray:
        # A factor of 1, such as r dt with r = 1 / dt, may be a little off.
        given = np.where(np.isclose(given, 1, rtol=1e-6, atol=0), 1.0, given)
        # Where the file's own factor is 1, every framework means the same.
        if self.asked.look(key, self.node)[1] and np.allclose(given, 1, rtol=1e-5, atol=0):
            return given
        answer = self.ask(key)
        if answer == "nir" and not np.isfinite(given).all():
            raise ValueError(f"Node {self.node.name} r must be finite with the gain nir, not inf")
        return {"nir": given, "unit": np.ones_like(given), "decay": decay}[answer]
