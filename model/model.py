# SPDX-License-Identifier: Apache-2.0
"""The integer model: everything that golden, RTL and host need, and nothing else."""

from dataclasses import asdict, dataclass, field

import numpy as np
from spikewright.network.network import INPUT

__all__ = ["WIDTH_LIMITS", "IntegerModel", "IntegerPopulation", "IntegerProjection", "Widths"]

# Fewest and most bits of each number format.
WIDTH_LIMITS = {"weight": (2, 16), "current": (8, 32), "membrane": (8, 32), "decay": (4, 16),
                "fraction": (0, 12)}


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Number formats of a model.

    Parameters
    ----------
    weight : int
        Bits of a weight of the widest projections, sign included, 2 to 16.
    current, membrane : int
        Bits of the states s and m, sign included, 8 to 32.
    decay : int
        Bits of a decay: unsigned, value / 2**decay, 4 to 16.
    fraction : int
        A weight of 1 adds 2**fraction to s, where its projection has no shift; 0 to 12.
    narrow : dict of str to int
        Bits of a weight of each projection that has fewer, by its title.
    """

    weight: int = 8
    current: int = 16
    membrane: int = 20
    decay: int = 12
    fraction: int = 3
    narrow: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in WIDTH_LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int:
                raise TypeError(f"Width {name} must be an int, not {value!r}")
            if not low <= value <= high:
                raise ValueError(f"Width {name} must be between {low} and {high}, not {value!r}")
        low = WIDTH_LIMITS["weight"][0]
        for title, bits in self.narrow.items():
            if type(bits) is not int or not low <= bits < self.weight:
                raise ValueError(f"Width narrow of {title} must be an int from {low} to weight - 1 "
                                 f"= {self.weight - 1}, not {bits!r}")
        if self.weight + self.fraction > self.current:
            raise ValueError(f"Width current must be at least weight + fraction = "
                             f"{self.weight + self.fraction}, not {self.current!r}")
        if self.membrane < self.current:
            raise ValueError(f"Width membrane must be at least current = {self.current}, "
                             f"not {self.membrane!r}")

    @property
    def weights(self) -> list[int]:
        """Bits of a weight in all projections, the widest first, each once."""
        return sorted({self.weight, *self.narrow.values()}, reverse=True)

    def weight_of(self, title: str) -> int:
        """Bits of a weight of the projection with this title."""
        return self.narrow.get(title, self.weight)

    def largest(self, title: str) -> int:
        """Largest weight of the projection with this title; the least is ``-largest - 1``."""
        return (1 << self.weight_of(title) - 1) - 1

    @property
    def largest_current(self) -> int:
        """Largest s; the least is ``-largest_current - 1``."""
        return (1 << self.current - 1) - 1

    @property
    def largest_membrane(self) -> int:
        """Largest m; the least is ``-largest_membrane - 1``."""
        return (1 << self.membrane - 1) - 1

    def lacks(self, title: str) -> int:
        """Bits that a weight of the projection with this title has fewer than the widest."""
        return self.weight - self.weight_of(title)

    def as_dict(self) -> dict:
        """All of them as plain data; ``narrow`` only where there are such projections."""
        return {name: value for name, value in asdict(self).items() if name != "narrow" or value}


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerPopulation:
    """Constants of a population.

    Parameters
    ----------
    name : str
    spiking : bool
    size : int
        Neurons that the checkpoint has, dropped ones included.
    kept : ndarray of int64, shape (neurons,)
        Place in the checkpoint of each neuron that is left.
    synaptic_decay, membrane_decay : ndarray of int64, shape (neurons,)
        A and B, in units of 2**-decay.
    threshold : ndarray of int64, shape (neurons,)
        In LSB of m; the largest m where the population does not spike.
    """

    name: str
    spiking: bool
    size: int
    kept: np.ndarray
    synaptic_decay: np.ndarray
    membrane_decay: np.ndarray
    threshold: np.ndarray

    @property
    def neurons(self) -> int:
        return len(self.kept)


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerProjection:
    """Synapses between two populations.

    Parameters
    ----------
    source, target : str
    delay : int
        In steps.
    weights : ndarray of int64, shape (sources, targets)
    shift : int
        A weight of 1 adds 2**(fraction + shift) to s: large weights need no finer grid.
    """

    source: str
    target: str
    delay: int
    weights: np.ndarray
    shift: int = 0

    @property
    def title(self) -> str:
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerModel:
    """A quantized network.

    Parameters
    ----------
    name : str
    dt : float
        Seconds per step.
    widths : Widths
    channels : int
        Channels of a recording.
    channel_row : ndarray of int64, shape (channels,)
        Input row of each channel, or -1 where the channel's weights are all zero.
    populations : tuple of IntegerPopulation
        In processing order.
    projections : tuple of IntegerProjection
    output_scale : ndarray of float64, shape (outputs,)
        Physical units per LSB of each output's m.
    lead_steps : int
        Steps by which outputs come earlier than the published model's.
    """

    name: str
    dt: float
    widths: Widths
    channels: int
    channel_row: np.ndarray
    populations: tuple[IntegerPopulation, ...]
    projections: tuple[IntegerProjection, ...]
    output_scale: np.ndarray
    lead_steps: int

    @property
    def rows(self) -> int:
        """Input rows."""
        return int(self.channel_row.max(initial=-1)) + 1

    @property
    def outputs(self) -> int:
        return sum(p.neurons for p in self.populations if not p.spiking)

    @property
    def hidden(self) -> int:
        """Neurons of all spiking populations of the checkpoint, dropped ones included."""
        return sum(p.size for p in self.populations if p.spiking)

    def sources(self, projection: IntegerProjection) -> int:
        """Rows of ``projection``."""
        return self.rows if projection.source == INPUT else self.index(projection.source).neurons

    def index(self, name: str) -> IntegerPopulation:
        """The population called ``name``."""
        return next(population for population in self.populations if population.name == name)

    def __post_init__(self) -> None:
        peak = 1 << self.widths.membrane - 1
        limits = {"threshold": peak - 1, "synaptic_decay": (1 << self.widths.decay) - 1,
                  "membrane_decay": (1 << self.widths.decay) - 1}
        for population in self.populations:
            for key, high in limits.items():
                _check_range(getattr(population, key), f"{population.name} {key}", 0, high)
        titles = {projection.title for projection in self.projections}
        if self.widths.narrow and not self.widths.narrow.keys() < titles:
            raise ValueError(f"Widths narrow must name some of {', '.join(sorted(titles))}, but "
                             f"not all, not {', '.join(sorted(self.widths.narrow))}")
        for projection in self.projections:
            bits, largest = (of(projection.title) for of in (self.widths.weight_of,
                                                             self.widths.largest))
            room = self.widths.current - bits - self.widths.fraction
            if not 0 <= projection.shift <= room:
                raise ValueError(f"{projection.title} shift must be between 0 and {room}, so that "
                                 f"weights fit a current, not {projection.shift!r}")
            _check_range(projection.weights, f"{projection.title} weights", -largest - 1, largest)
            shape = (self.sources(projection), self.index(projection.target).neurons)
            if projection.weights.shape != shape:
                raise ValueError(f"{projection.title} weights must have shape {shape}, "
                                 f"not {projection.weights.shape}")
        if self.channel_row.shape != (self.channels,):
            raise ValueError(f"channel_row must have shape {(self.channels,)}, "
                             f"not {self.channel_row.shape}")
        _check_range(self.channel_row, "channel_row", -1, self.channels - 1)
        if self.output_scale.shape != (self.outputs,):
            raise ValueError(f"output_scale must have shape {(self.outputs,)}, "
                             f"not {self.output_scale.shape}")


def _check_range(array, title, low, high):
    bad = np.argwhere((array < low) | (array > high))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(f"{title} must be between {low} and {high}, "
                         f"not {int(array[index])} at {list(index)}")
