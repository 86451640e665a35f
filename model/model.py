# SPDX-License-Identifier: Apache-2.0
"""The integer model: all that golden, the RTL and the host compute with."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spikewright.network.network import INPUT, check_form, check_offset, inner, spike_columns

from .graded import MOST_LOOK, GradedPopulation, check_graded, check_periods, pool_room, window_room
from .inner import check_inner, inner_layers
from .integers import (
    WIDTH_LIMITS,
    IntegerPopulation,
    IntegerProjection,
    Widths,
    check_neurons,
    check_range,
)

__all__ = ["IntegerModel", "check_name"]

# Most neurons of a population in the checkpoint. An answer has a column for each.
MOST_NEURONS = 1 << 16


def check_name(name: str) -> None:
    """Check the name of a model.

    Raises
    ------
    ValueError
        If the name does not have 1 to 100 printable characters.
    """
    if not (isinstance(name, str) and 1 <= len(name) <= 100 and name.isprintable()):
        raise ValueError(f"Model name must be 1 to 100 printable characters, not {name!r}")


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
        Input row of each channel. It is -1 for a channel whose weights are all zero.
    populations : tuple of GradedPopulation or IntegerPopulation
        In the order in which a step updates them. Graded populations come first.
    projections : tuple of IntegerProjection
    readout : ndarray of float64, shape (axes, outputs)
        ``velocity = readout @ outputs + offset``: velocity in physical units, outputs in LSB of m.
    lead_steps : int
        How many steps earlier the model gives an output than the published model.
    offset : ndarray of float64, shape (axes,)
        In physical units. By default, 0.
    silent_steps : int
        The outputs are 0 in so many steps after a reset. Only of a model with windows.
    fill_steps : int
        In so many steps after a reset the windows stand still. An event is then added at once, to
        the window in which it is in the last of these steps, and none is subtracted.
    epsilon : int
        What is added to the square of the spread of a normalized window: see `model.inner`. 0 in a
        model without one.

    Raises
    ------
    ValueError
        If an array has a wrong shape or a value out of range, or the parts do not fit together.
    """

    name: str
    dt: float
    widths: Widths
    channels: int
    channel_row: np.ndarray
    populations: tuple[Any, ...]
    projections: tuple[IntegerProjection, ...]
    readout: np.ndarray
    lead_steps: int
    offset: np.ndarray = None           # type: ignore[assignment]  # filled in below
    silent_steps: int = 0
    fill_steps: int = 0
    epsilon: int = 0

    @property
    def rows(self) -> int:
        """Number of input rows."""
        return int(self.channel_row.max(initial=-1)) + 1

    @property
    def outputs(self) -> int:
        """Neurons of all output populations."""
        return sum(p.neurons for p in self.populations if p.output)

    @property
    def graded(self) -> bool:
        """Whether it has populations that give numbers, and no spikes."""
        return any(isinstance(p, GradedPopulation) for p in self.populations)

    @property
    def value_bits(self) -> int:
        """Bits of the widest value that a population gives to others; 0 without one."""
        return max((p.bits for p in self.populations if isinstance(p, GradedPopulation)), default=0)

    @property
    def window_room(self) -> int:
        """Events that the log of the windows keeps; 0 without a window.

        Pools add the rows of single steps, which count as windows. They need room for the events
        between an input and its oldest tap.
        """
        if any(p.until is not None for p in self.projections):
            return window_room(self.rows)
        delays = [p.delay for p in self.projections
                  if p.source == INPUT and self.index(p.target).pools]
        return window_room(self.rows, pool_room(max(delays))) if delays else 0

    @property
    def inner_steps(self) -> int:
        """How often a step updates the neurons: once for each part of a normalized window."""
        return max(1, sum(isinstance(p, GradedPopulation) and p.normalizes
                          for p in self.populations))

    @property
    def normalizes(self) -> bool:
        """Whether it has a normalized window, and inner steps."""
        return any(isinstance(p, GradedPopulation) and p.normalizes for p in self.populations)

    @property
    def driven(self) -> list[str]:
        """Names of populations that are driven without a projection: by a normalized window."""
        return [inner_layers(self)[0].name] if self.normalizes and inner_layers(self) else []

    @property
    def cells(self) -> int:
        """Counts of a normalized window: one for each part and channel."""
        return self.inner_steps * self.channels

    @property
    def axes(self) -> int:
        """Number of axes of the velocity."""
        return len(self.readout)

    @property
    def weight_bits(self) -> list[int]:
        """The different weight widths of the projections, in bits, largest first."""
        return sorted({p.bits for p in self.projections}, reverse=True)

    @property
    def non_zeros(self) -> int:
        """Number of weights that are not 0."""
        return sum(int(np.count_nonzero(p.weights)) for p in self.projections)

    @property
    def spike_columns(self) -> dict[str, slice]:
        """Columns of each spiking population in an answer. Dropped neurons have columns, too.

        With inner steps, a neuron has a column for each. Those of an inner step are neighbours.
        """
        return spike_columns((p.name, self.inner_steps * p.size) for p in self.populations
                             if p.spiking)

    def velocity(self, outputs: np.ndarray) -> np.ndarray:
        """Velocity in physical units, float64 of shape (steps, axes).

        ``outputs`` is int64 of shape (steps, outputs), in LSB of m.
        """
        return outputs @ self.readout.T + self.offset

    @property
    def hidden(self) -> int:
        """Columns of an answer: spiking neurons in the network file, dropped neurons included."""
        return self.inner_steps * sum(p.size for p in self.populations
                                      if p.spiking and not inner(p.name))

    @property
    def factor_bits(self) -> int:
        """Bits of the largest decay: one more than those of a decay if a neuron has A or B = 1."""
        whole = 1 << self.widths.decay
        return self.widths.decay + any(
            (decay == whole).any() for p in self.populations if isinstance(p, IntegerPopulation)
            for decay in (p.synaptic_decay, p.membrane_decay))

    def sources(self, projection: IntegerProjection) -> int:
        """Number of rows of ``projection``."""
        return self.rows if projection.source == INPUT else self.index(projection.source).neurons

    def index(self, name: str) -> Any:
        """The population called ``name``."""
        return next(population for population in self.populations if population.name == name)

    def __post_init__(self) -> None:
        check_name(self.name)
        check_form(self)
        for population in self.populations:
            if not 1 <= population.neurons <= population.size <= MOST_NEURONS:
                raise ValueError(f"{population.name} must have from 1 neuron to all of its size, "
                                 f"and a size of at most {MOST_NEURONS}, not "
                                 f"{population.neurons} of {population.size}")
            if isinstance(population, IntegerPopulation):
                check_neurons(population, self.widths)
        low = WIDTH_LIMITS["weight"][0]
        for projection in self.projections:
            bits = projection.bits
            if type(bits) is not int or not low <= bits <= self.widths.weight:
                raise ValueError(f"{projection.title} bits must be an int from {low} to weight = "
                                 f"{self.widths.weight}, not {bits!r}")
            largest, room = projection.largest, self.widths.current - bits - self.widths.fraction
            if not 0 <= projection.shift <= room:
                raise ValueError(f"{projection.title} shift must be between 0 and {room}, so that "
                                 f"weights fit a current, not {projection.shift!r}")
            check_range(projection.weights, f"{projection.title} weights", -largest - 1, largest)
            shape = (self.sources(projection), self.index(projection.target).neurons)
            if projection.weights.shape != shape:
                raise ValueError(f"{projection.title} weights must have shape {shape}, "
                                 f"not {projection.weights.shape}")
            if projection.until is not None and not isinstance(self.index(projection.target),
                                                               GradedPopulation):
                raise ValueError(f"{projection.title} until must be missing, because it does not "
                                 f"go to graded units, not {projection.until}")
        if self.channel_row.shape != (self.channels,):
            raise ValueError(f"channel_row must have shape {(self.channels,)}, "
                             f"not {self.channel_row.shape}")
        check_range(self.channel_row, "channel_row", -1, self.channels - 1)
        if not self.rows:
            raise ValueError("channel_row must hold an input row, not only -1")
        if self.weight_bits[:1] != [self.widths.weight]:
            raise ValueError(f"Width weight must be the bits of the widest projection, one of "
                             f"{self.weight_bits}, not {self.widths.weight}")
        if self.readout.ndim != 2 or self.readout.shape[1] != self.outputs:
            raise ValueError(f"readout must have shape (axes, {self.outputs}), "
                             f"not {self.readout.shape}")
        if not self.axes:
            raise ValueError("readout must have 1 axis or more, not none")
        if not np.isfinite(self.readout).all():
            raise ValueError("readout must be finite, not hold NaN or an infinity")
        if self.offset is None:
            object.__setattr__(self, "offset", np.zeros(self.axes))
        check_offset(self.offset, self.axes, "offset")
        most = MOST_LOOK - 1 if self.window_room else 0
        for name in ("silent_steps", "fill_steps"):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be between 0 and {most}, not "
                                 f"{getattr(self, name)!r}")
        check_periods(self)
        if self.normalizes:
            check_inner(self)
        elif self.epsilon:
            raise ValueError(f"epsilon must be 0 without a normalized window, not {self.epsilon}")
        if self.graded:
            check_graded(self)
