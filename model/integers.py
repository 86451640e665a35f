# SPDX-License-Identifier: Apache-2.0
"""The integers of a model: number formats, populations of neurons, projections."""

from dataclasses import dataclass

import numpy as np

from spikewright.network.network import RESETS

__all__ = ["WIDTH_LIMITS", "IntegerPopulation", "IntegerProjection", "Widths", "check_neurons",
           "check_range", "largest_weight"]

# Fewest and most bits of each number format.
WIDTH_LIMITS = {"weight": (2, 16), "current": (8, 32), "membrane": (8, 32), "decay": (4, 16),
                "fraction": (0, 12)}


def largest_weight(bits: int) -> int:
    """Largest weight of ``bits`` bits, sign included. The smallest is ``-largest - 1``."""
    return (1 << bits - 1) - 1


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Number formats of a model.

    Parameters
    ----------
    weight : int
        Bits of a weight of the widest projection, sign included, 2 to 16.
    current, membrane : int
        Bits of the states s and m, sign included, 8 to 32.
    decay : int
        Bits of a decay, 4 to 16. A decay is an unsigned integer over 2**decay.
    fraction : int
        Fraction bits, 0 to 12. A weight of 1 adds 2**fraction to s if its projection has shift 0.

    Raises
    ------
    TypeError
        If a width is not an int.
    ValueError
        If a width is out of its range, a weight does not fit s, or s does not fit m.
    """

    weight: int = 8
    current: int = 16
    membrane: int = 20
    decay: int = 12
    fraction: int = 3

    def __post_init__(self) -> None:
        for name, (low, high) in WIDTH_LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int:
                raise TypeError(f"Width {name} must be an int, not {value!r}")
            if not low <= value <= high:
                raise ValueError(f"Width {name} must be between {low} and {high}, not {value!r}")
        if self.weight + self.fraction > self.current:
            raise ValueError(f"Width current must be at least weight + fraction = "
                             f"{self.weight + self.fraction}, not {self.current!r}")
        if self.membrane < self.current:
            raise ValueError(f"Width membrane must be at least current = {self.current}, "
                             f"not {self.membrane!r}")

    @property
    def largest_current(self) -> int:
        """Largest s, in LSB of s. The smallest is ``-largest_current - 1``."""
        return (1 << self.current - 1) - 1

    @property
    def largest_membrane(self) -> int:
        """Largest m, in LSB of m. The smallest is ``-largest_membrane - 1``."""
        return (1 << self.membrane - 1) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerPopulation:
    """Constants of a population.

    Parameters
    ----------
    name : str
    spiking : bool
    size : int
        Neurons in the checkpoint, dropped neurons included.
    kept : ndarray of int64, shape (neurons,)
        Index in the checkpoint of each neuron that was not dropped.
    synaptic_decay, membrane_decay : ndarray of int64, shape (neurons,)
        A and B, in units of 2**-decay. B is at most 1. A is below 1, or at most 1 in a population
        that does not spike.
    threshold : ndarray of int64, shape (neurons,)
        In LSB of m. A population that does not spike has the largest m as its threshold. A neuron
        with a threshold below 0 fires without any input.
    reset : str
        What a spike does to m: see `network.network.Population`. A population that does not spike
        has the reset ``zero_lose``, which then has no effect.
    period, phase : int
        It is updated in the steps ``phase``, ``phase + period``, and so on after a reset. A period
        other than 1 needs a model with graded populations.
    """

    name: str
    spiking: bool
    size: int
    kept: np.ndarray
    synaptic_decay: np.ndarray
    membrane_decay: np.ndarray
    threshold: np.ndarray
    reset: str = "zero_lose"
    period: int = 1
    phase: int = 0

    #: It gives spikes, and not the largest of two sums.
    pools = False

    @property
    def interval(self) -> int:
        """Steps from one update to the next."""
        return self.period

    @property
    def neurons(self) -> int:
        return len(self.kept)

    @property
    def largest(self) -> int:
        """Largest value that it gives to other populations."""
        return 1

    @property
    def output(self) -> bool:
        """Whether its membranes are outputs of the model."""
        return not self.spiking

    @property
    def drives_itself(self) -> np.ndarray:
        """Whether each neuron fires without any input, bool of shape (neurons,)."""
        return self.threshold < 0


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerProjection:
    """Synapses from one population, or from the input, to a population.

    Parameters
    ----------
    source, target : str
        Names of populations. ``source`` may be ``INPUT``.
    delay : int
        In steps.
    weights : ndarray of int64, shape (sources, targets)
        Row i is added when source i fires.
    bits : int
        Bits of a weight, sign included.
    shift : int
        A weight of 1 adds 2**(fraction + shift) to s. A projection with large weights has a shift
        above 0, because it needs no finer grid.
    until : int, optional
        For a window over the input: how many steps after an event its row is subtracted again.
    """

    source: str
    target: str
    delay: int
    weights: np.ndarray
    bits: int
    shift: int = 0
    until: int | None = None

    @property
    def title(self) -> str:
        return f"{self.source}->{self.target}"

    @property
    def largest(self) -> int:
        """Largest weight. The smallest is ``-largest - 1``."""
        return largest_weight(self.bits)


def check_neurons(population: IntegerPopulation, widths: Widths) -> None:
    """Refuse constants of neurons that do not fit ``widths``; ValueError."""
    peak = 1 << widths.membrane - 1
    limits = {"threshold": (-peak, peak - 1),
              "synaptic_decay": (0, (1 << widths.decay) - population.spiking),
              "membrane_decay": (0, 1 << widths.decay)}
    _check_reset(population, peak - 1)
    check_range(population.kept, f"{population.name} kept", 0, population.size - 1)
    for key, (low, high) in limits.items():
        array = getattr(population, key)
        if array.shape != population.kept.shape:
            raise ValueError(f"{population.name} {key} must have shape "
                             f"{population.kept.shape}, as kept has, not {array.shape}")
        check_range(array, f"{population.name} {key}", low, high)


def _check_reset(population, most):
    if population.reset not in RESETS:
        raise ValueError(f"{population.name} reset must be one of {', '.join(RESETS)}, not "
                         f"{population.reset!r}")
    if not population.spiking and population.reset != "zero_lose":
        raise ValueError(f"{population.name} reset must be zero_lose, because it does not spike, "
                         f"not {population.reset!r}")
    if population.spiking and population.reset != "none":
        check_range(population.threshold, f"{population.name} threshold", 0, most)


def check_range(array: np.ndarray, title: str, low: int, high: int) -> None:
    """Refuse an array with an integer outside of ``low .. high``; ValueError."""
    bad = np.argwhere((array < low) | (array > high))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(f"{title} must be between {low} and {high}, "
                         f"not {int(array[index])} at {list(index)}")
