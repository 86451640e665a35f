# SPDX-License-Identifier: Apache-2.0
"""The float network, which readers make and the quantizer reads."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .constants import MOST_DELAY, MOST_DT, is_dt

__all__ = ["CONSTANT", "INPUT", "RESETS", "START", "SUBTRACT_NEXT", "SUBTRACT_SAME",
           "ZERO_KEEP", "ZERO_LOSE", "Network", "Population", "Projection", "check_form",
           "check_offset", "constant", "inner", "role", "spike_columns", "start"]

INPUT = "input"

# Populations of one neuron that a network needs for biases. Their spikes are no part of an answer.
CONSTANT, START = "constant", "start"

# What a spike does to the membrane of its neuron.
RESETS = ("zero_lose", "zero_keep", "subtract_next", "subtract_same", "none")

# Numbers of those that change something, as they stand in compiled code.
ZERO_LOSE, ZERO_KEEP, SUBTRACT_NEXT, SUBTRACT_SAME = range(4)


def inner(name: str) -> bool:
    """Whether the population called ``name`` is one of `constant` and `start`."""
    return name in (CONSTANT, START)


def role(source: str, target: str, spiking: bool) -> str:
    """Name of a projection for users: ``input``, ``recurrent``, ``output`` or ``bias``.

    A projection between two spiking populations has its title as the name. ``spiking`` is whether
    the target spikes.
    """
    if source == INPUT:
        return "input"
    if inner(source):
        return "bias"
    if source == target:
        return "recurrent"
    return f"{source}->{target}" if spiking else "output"


def spike_columns(sizes: Iterable[tuple[str, int]]) -> dict[str, slice]:
    """Columns of each spiking population in an array with the spikes of all.

    ``sizes`` has the name and the number of neurons of each spiking population, in order. The
    populations `constant` and `start` have no columns.
    """
    first, columns = 0, {}
    for name, size in sizes:
        if inner(name):
            continue
        columns[name] = slice(first, first + size)
        first += size
    return columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """Neurons that are updated together.

    For each neuron and step t, with A the synaptic and B the membrane decay, and with all gains
    already in the weights W::

        s[t] = A s[t-1] + sum over projections of W x[t - delay]
        m[t] = B m[t-1] + s[t]
        y[t] = m[t] > threshold             (0 where the population does not spike)

    ``reset`` says what a spike changes::

        zero_lose       m[t] = 0 if y[t-1]                      the input of step t is lost to m
        zero_keep       m[t] = s[t] if y[t-1]                   the old membrane is dropped
        subtract_next   m[t] -= threshold if y[t-1]             one step later, undecayed
        subtract_same   m[t] -= threshold if y[t], after y[t]   so that it decays in step t + 1
        none

    Parameters
    ----------
    name : str
    synaptic_decay : ndarray of float64, shape (neurons,)
        Factor per step, at least 0 and below 1. It is 0 for a neuron without a synapse that decays.
    membrane_decay : ndarray of float64, shape (neurons,)
        Factor per step, from 0 to 1. It is 1 for an integrator without a leak.
    threshold : ndarray of float64, shape (neurons,)
        In units of m. A neuron with a threshold below 0 fires without any input. All other
        thresholds of a population that resets are above 0.
    spiking : bool
        False for a leaky integrator. Its m is then an output of the network.
    reset : str
        One of ``RESETS``. Without meaning for a population that does not spike.
    at_least : bool
        The neuron also fires if m equals the threshold.

    Raises
    ------
    ValueError
        If the name cannot be printed, an array has another shape, or a value is out of range.
    """

    name: str
    synaptic_decay: np.ndarray
    membrane_decay: np.ndarray
    threshold: np.ndarray
    spiking: bool
    reset: str = "zero_lose"
    at_least: bool = False

    def __post_init__(self) -> None:
        if not self.name.isprintable():
            raise ValueError(f"Population name must be printable text, not {self.name!r}")
        if self.reset not in RESETS:
            raise ValueError(f"Population {self.name} reset must be one of {', '.join(RESETS)}, "
                             f"not {self.reset!r}")
        for key in ("synaptic_decay", "membrane_decay", "threshold"):
            shape = getattr(self, key).shape
            if shape != (self.neurons,) or not self.neurons:
                raise ValueError(f"Population {self.name} {key} must have one value for each of "
                                 f"{self.neurons} neurons, not shape {shape}")
        _require(self.synaptic_decay, f"Population {self.name} synaptic_decay",
                 "at least 0 and below 1", lambda x: (x >= 0) & (x < 1))
        _require(self.membrane_decay, f"Population {self.name} membrane_decay", "from 0 to 1",
                 lambda x: (x >= 0) & (x <= 1))
        resets = self.spiking and self.reset != "none"
        _require(self.threshold, f"Population {self.name} threshold",
                 "above 0" if resets else "finite", lambda x: (x > 0) | (not resets))

    @property
    def neurons(self) -> int:
        return len(self.synaptic_decay)

    @property
    def output(self) -> bool:
        """Whether its membranes are outputs of the network."""
        return not self.spiking

    @property
    def drives_itself(self) -> np.ndarray:
        """Whether each neuron fires without any input, bool of shape (neurons,)."""
        above = self.threshold <= 0 if self.at_least else self.threshold < 0
        return above & self.spiking


def constant() -> Population:
    """A population of one neuron that fires in every step: the source of biases."""
    return Population(name=CONSTANT, spiking=True, reset="none", threshold=np.array([-1.0]),
                      synaptic_decay=np.zeros(1), membrane_decay=np.zeros(1))


def start() -> tuple[Population, "Projection"]:
    """A population of one neuron that fires in the first step only, and its projection.

    The neuron begins with m = 0, above its threshold. Its spike then holds m at -1 for ever.
    """
    return (Population(name=START, spiking=True, reset="none", threshold=np.array([-0.5]),
                       synaptic_decay=np.zeros(1), membrane_decay=np.ones(1)),
            Projection(source=START, target=START, delay=1, weights=np.array([[-1.0]])))


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Synapses from one population, or from the input, to a population.

    Parameters
    ----------
    source, target : str
        Names of populations. ``source`` may be ``INPUT``.
    delay : int
        In steps, 0 or more.
    weights : ndarray of float64, shape (sources, targets)
        In units of m of the target. Row i is added when source i fires.

    Raises
    ------
    ValueError
        If a weight is not finite, or the delay is negative.
    """

    source: str
    target: str
    delay: int
    weights: np.ndarray

    @property
    def title(self) -> str:
        return f"{self.source}->{self.target}"

    def __post_init__(self) -> None:
        _require(self.weights, f"Projection {self.title} weights", "finite", np.isfinite)
        if self.delay < 0:
            raise ValueError(f"Projection {self.title} delay must be 0 or more, not {self.delay}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A spiking network with integer delays.

    Parameters
    ----------
    channels : int
        Number of inputs.
    dt : float
        Seconds per step.
    populations : tuple of Population
        In an order in which projections with delay 0 only go forward.
    projections : tuple of Projection
    lead_steps : int
        How many steps earlier than the published model this network gives the same outputs.
    readout : ndarray of float64, shape (axes, outputs)
        ``velocity = readout @ membranes``, with the membranes of all output populations in order.
        By default, the unit matrix.
    offset : ndarray of float64, shape (axes,)
        What is added to the velocity of each axis. By default, 0.

    Raises
    ------
    ValueError
        If the parts do not fit together, or a value is out of range.
    """

    channels: int
    dt: float
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    lead_steps: int = 0
    readout: np.ndarray = None          # type: ignore[assignment]  # filled in below
    offset: np.ndarray = None           # type: ignore[assignment]  # filled in below

    def __post_init__(self) -> None:
        check_form(self)
        if self.readout is None:
            object.__setattr__(self, "readout", np.eye(self.outputs))
        _require(self.readout, "Network readout", "finite", np.isfinite)
        if self.readout.ndim != 2 or self.readout.shape[1] != self.outputs:
            raise ValueError(f"Network readout must have shape (axes, {self.outputs}), not "
                             f"{self.readout.shape}")
        if not len(self.readout):
            raise ValueError("Network readout must have 1 axis or more, not none")
        if self.offset is None:
            object.__setattr__(self, "offset", np.zeros(len(self.readout)))
        check_offset(self.offset, len(self.readout), "Network offset")
        for projection in self.projections:
            shape = (self.size(projection.source), self.size(projection.target))
            if projection.weights.shape != shape:
                raise ValueError(f"Projection {projection.title} weights must have shape {shape}, "
                                 f"not {projection.weights.shape}")

    @property
    def outputs(self) -> int:
        """Number of neurons of all output populations."""
        return sum(p.neurons for p in self.populations if not p.spiking)

    @property
    def spike_columns(self) -> dict[str, slice]:
        """Columns of each spiking population in an array with the spikes of all."""
        return spike_columns((p.name, p.neurons) for p in self.populations if p.spiking)

    @property
    def roles(self) -> list[str]:
        """Role of each projection. See `role`."""
        return [role(p.source, p.target, self.population(p.target).spiking)
                for p in self.projections]

    def size(self, name: str) -> int:
        """Number of neurons of population ``name``, or of channels for ``INPUT``."""
        return self.channels if name == INPUT else self.population(name).neurons

    def population(self, name: str) -> Population:
        """The population called ``name``."""
        return next(population for population in self.populations if population.name == name)

    def with_delays(self, delays: list[int], lead_steps: int,
                    populations: tuple[Population, ...] | None = None) -> "Network":
        """The same network with other projection delays.

        ``populations`` are those of the network in another order, which the delays may need.
        """
        projections = tuple(replace(projection, delay=delay)
                            for projection, delay in zip(self.projections, delays, strict=True))
        return replace(self, populations=populations or self.populations, projections=projections,
                       lead_steps=lead_steps)


def check_offset(offset: np.ndarray, axes: int, title: str) -> None:
    """Check that ``offset``, called ``title``, has a finite number for each of ``axes``.

    Raises
    ------
    ValueError
        If the offset is not so.
    """
    if offset.shape != (axes,):
        raise ValueError(f"{title} must have shape {(axes,)}, not {offset.shape}")
    _require(offset, title, "finite", np.isfinite)


def check_form(network: Any) -> None:
    """Check that the parts of a network of floats or integers fit together.

    Parameters
    ----------
    network : Network or IntegerModel
        This check reads its channels, dt and lead_steps, and the names, kinds and delays of its
        populations and projections.

    Raises
    ------
    ValueError
        If two parts do not fit together.
    """
    if not (network.channels >= 1 and is_dt(network.dt)):
        raise ValueError(f"Network must have 1 channel or more and a dt between 0 and {MOST_DT} s, "
                         f"not {network.channels} and {network.dt}")
    if not 0 <= network.lead_steps <= MOST_DELAY:
        raise ValueError(f"Network lead_steps must be from 0 to {MOST_DELAY}, not "
                         f"{network.lead_steps}")
    names = [population.name for population in network.populations]
    if len(set(names)) < len(names) or INPUT in names:
        raise ValueError(f"Network population names must differ from one another and from "
                         f"{INPUT!r}, not be {', '.join(names)}")
    for output, what in ((True, "does not spike, its output"), (False, "spikes")):
        if all(population.output != output for population in network.populations
               if not inner(population.name)):
            raise ValueError(f"Network must have a population that {what}, not none")
    order = {name: k for k, name in enumerate(names)}
    for projection in network.projections:
        title = f"Projection {projection.title}"
        if projection.target not in order or projection.source not in (INPUT, *order):
            raise ValueError(f"{title} must join populations of the network, not others")
        if projection.delay > MOST_DELAY:
            raise ValueError(f"{title} delay must be at most {MOST_DELAY}, not {projection.delay}")
        if projection.source == INPUT:
            continue
        if network.populations[order[projection.source]].output:
            raise ValueError(f"{title} must come from a population that spikes")
        if projection.delay == 0 and order[projection.source] >= order[projection.target]:
            raise ValueError(f"{title} delay must be 1 or more to go backward, not 0")
    reached = {projection.target for projection in network.projections}
    reached.update(getattr(network, "driven", ()))
    for name in names:
        if name not in reached and name != CONSTANT:
            raise ValueError(f"Network population {name} must be the target of a projection, "
                             "not of none")


def _require(array: np.ndarray, title: str, rule: str, test) -> None:
    bad = np.argwhere(~(np.isfinite(array) & test(array)))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(f"{title} must be {rule}, not {float(array[index])!r} at {list(index)}")
