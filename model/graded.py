# SPDX-License-Identifier: Apache-2.0
"""Graded populations: units that give a number in each step, as integers, and their bounds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spikewright.network.constants import MOST_LOOK
from spikewright.network.network import INPUT

if TYPE_CHECKING:
    from .model import IntegerModel

__all__ = ["FACTOR_BITS", "KINDS", "LEAST_ROOM", "MOST_LOOK", "PERIODS", "SHIFT_LIMITS",
           "GradedPopulation", "check_graded", "check_periods", "largest_sum", "pool_room",
           "sum_limits", "window_room"]

# What a graded population does with its sums.
KINDS = ("rectify", "sum", "pool", "normalize")

# Steps from one output of a population to the next.
PERIODS = (1, 2, 4, 8)

# A factor is a whole number below 2**FACTOR_BITS.
FACTOR_BITS = 15

# Fewest and most bits of a value, its sign included, and most bits that a product loses.
VALUE_LIMITS = 2, 16
SHIFT_LIMITS = 1, 40

# Events that the log of the windows keeps for each input row, at least, and altogether at least.
# Pools add the rows of single steps, and need fewer events: one for every other step of their taps,
# between these.
ROW_ROOM, POOL_ROOM = 16, 4
LEAST_ROOM = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class GradedPopulation:
    """Constants of a population whose units give a number in each step.

    For each unit, with s the sum of the rows that were added::

        u = s + bias
        value = min(rnd(max(u, 0) * factor), largest)       kind rectify
        value = u                                           kind sum: the outputs of the model
        value = sat(rnd((max(s, kept) + bias) * factor))    kind pool: every second update
        kept = s                                            kind pool: the updates between

    The kind ``normalize`` gives currents to the first layer of inner steps: see `model.inner`.

    ``rnd(x) = (x + 2**(shift-1)) >> shift`` rounds half up. ``sat`` clamps to ``-largest - 1`` and
    ``largest``. ``kept`` is 0 at first.

    Only a pool has a period. It gives values in the steps ``phase``, ``phase + period``, and so on
    after a reset, and is updated twice as often.

    A value is added on as it is: ``value * weight``. s is then 0 again, unless it is the sum of a
    window, from which each row that was added is subtracted later.

    Parameters
    ----------
    name : str
    kind : str
        One of ``KINDS``.
    size : int
        Units in the checkpoint. None is dropped.
    bias : ndarray of int64, shape (size,)
        In LSB of s.
    factor, shift : ndarray of int64, shape (size,)
        Factor, 0 to 2**15 - 1, and bits that its product loses, 1 to 40. Both are 0 for the
        kinds ``sum`` and ``normalize``.
    bits : int
        Bits of a value, its sign included, 2 to 16. 0 for the kinds ``sum`` and ``normalize``.
    period, phase : int
        Steps from one value to the next, one of ``PERIODS``, and the step of the first value.
    """

    name: str
    kind: str
    size: int
    bias: np.ndarray
    factor: np.ndarray
    shift: np.ndarray
    bits: int = 0
    period: int = 1
    phase: int = 0

    #: No unit spikes.
    spiking = False

    @property
    def neurons(self) -> int:
        return self.size

    @property
    def kept(self) -> np.ndarray:
        return np.arange(self.size)

    @property
    def output(self) -> bool:
        """Whether its values are outputs of the model."""
        return self.kind == "sum"

    @property
    def pools(self) -> bool:
        """Whether its values are the largest of two sums."""
        return self.kind == "pool"

    @property
    def interval(self) -> int:
        """Steps from one update to the next."""
        return self.period // 2 if self.pools else self.period

    @property
    def normalizes(self) -> bool:
        """Whether it is a part of a normalized window."""
        return self.kind == "normalize"

    @property
    def valued(self) -> bool:
        """Whether it gives values to other populations."""
        return self.kind in ("rectify", "pool")

    @property
    def largest(self) -> int:
        """Largest value that it gives to other populations."""
        return (1 << self.bits - 1) - 1 if self.valued else 0


def window_room(rows: int, room: int = ROW_ROOM) -> int:
    """Events that the log of the windows keeps, ``room`` for each row: a power of two."""
    return max(LEAST_ROOM, 1 << (room * rows - 1).bit_length())


def pool_room(longest: int) -> int:
    """Events for each input row of pools whose oldest tap is ``longest`` steps old."""
    return min(ROW_ROOM, max(POOL_ROOM, -(-longest // 2)))


def sum_limits(model: "IntegerModel",
               population: GradedPopulation) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest s of each unit, over every input. Both are int64 (size,).

    The log keeps `window_room` events, and an event that it has no room for is never added. An
    event is in all windows that contain its age, so that its rows there add up.
    """
    least, most = (np.zeros(population.size, np.int64) for _ in range(2))
    into = [p for p in model.projections if p.target == population.name]
    windows = [p for p in into if p.source == INPUT]
    for age in {p.delay for p in windows}:
        inside = [p.weights for p in windows if p.delay <= age < (p.until or p.delay + 1)]
        least = np.minimum(least, sum(np.minimum(w, 0) for w in inside).min(axis=0))
        most = np.maximum(most, sum(np.maximum(w, 0) for w in inside).max(axis=0))
    least, most = least * model.window_room, most * model.window_room
    for p in into:
        if p.source != INPUT:
            source = model.index(p.source)
            low, high = -source.largest - 1 if source.pools else 0, source.largest
            ends = p.weights * low, p.weights * high
            least = least + np.minimum(*ends).sum(axis=0)
            most = most + np.maximum(*ends).sum(axis=0)
    return least, most


def largest_sum(model: "IntegerModel", population: GradedPopulation) -> int:
    """Largest magnitude of ``s + bias``, and of s, of any unit over every input."""
    least, most = sum_limits(model, population)
    bias = np.zeros_like(population.bias) if population.normalizes else population.bias
    return max(int((most + np.maximum(bias, 0)).max()), int(-(least + np.minimum(bias, 0)).min()))


def check_graded(model: "IntegerModel") -> None:
    """Check the graded populations of a model, and the projections to them.

    Raises
    ------
    ValueError
        If a population or a projection is not as it must be, or a sum does not fit its width.
    """
    units = [p for p in model.populations if isinstance(p, GradedPopulation)]
    if list(model.populations[:len(units)]) != units:
        late = next(p.name for p in model.populations[len(units):] if p in units)
        raise ValueError(f"{late} must come before all populations that are not graded")
    for population in units:
        _check_population(population)
    for projection in model.projections:
        if isinstance(model.index(projection.target), GradedPopulation):
            _check_projection(projection, model)
    now = [p.title for p in model.projections if p.source == INPUT and not p.delay]
    targets = {p.target for p in model.projections if p.source == INPUT}
    if len(targets) > 1 and not any(unit.normalizes for unit in units):
        raise ValueError("Projections from the input must go to one population, not to "
                         f"{', '.join(sorted(targets))}")
    most = 0 if model.fill_steps else 1
    if len(now) > most:
        raise ValueError(f"Projections from the input with delay 0 must be {most} at most, not "
                         f"{len(now)}")
    _check_looks(model)
    largest = model.widths.largest_current
    for population in units:
        needed = largest_sum(model, population)
        if needed > largest:
            raise ValueError(f"{population.name} sums must be from {-largest} to {largest}, so "
                             f"that they fit {model.widths.current} bits, not up to {needed}")


def _check_looks(model):
    """Check the looks at the log of the windows, and the silence that is counted with them."""
    looks = [(p.until or p.delay, p) for p in model.projections if p.source == INPUT]
    longest, last = max(looks, key=lambda look: look[0], default=(0, None))
    if last and not longest and model.index(last.target).pools:
        raise ValueError(f"Projections from the input to {last.target} must have a delay of 1 or "
                         "more among them, not only 0")
    neurons = [p.name for p in model.populations
               if p.output and not isinstance(p, GradedPopulation)]
    if neurons and model.silent_steps:
        raise ValueError(f"silent_steps must be 0, because {neurons[0]} gives membranes, not "
                         f"{model.silent_steps}")
    if model.silent_steps > longest:
        raise ValueError(f"silent_steps must be at most {longest}, the longest look of a window, "
                         f"not {model.silent_steps}")


def _check_population(population):
    name, kind = population.name, population.kind
    if kind not in KINDS:
        raise ValueError(f"{name} kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if population.pools != (population.period > 1):
        rule = "above 1 for a pool" if population.pools else "1 for a population that is no pool"
        raise ValueError(f"{name} period must be {rule}, not {population.period!r}")
    low, high = VALUE_LIMITS if population.valued else (0, 0)
    if not low <= population.bits <= high:
        raise ValueError(f"{name} bits must be between {low} and {high}, not {population.bits!r}")
    for key, (low, high) in (("bias", (0, 0)), ("factor", (0, (1 << FACTOR_BITS) - 1)),
                             ("shift", SHIFT_LIMITS)):
        array = getattr(population, key)
        if array.shape != (population.size,):
            raise ValueError(f"{name} {key} must have shape {(population.size,)}, not "
                             f"{array.shape}")
        low, high = (low, high) if population.valued else (0, 0)
        bad = array[(array < low) | (array > high)]
        if key != "bias" and len(bad):
            raise ValueError(f"{name} {key} must be between {low} and {high}, not {int(bad[0])}")


def check_periods(model: "IntegerModel") -> None:
    """Check the periods of all populations, and the delays of the projections from them.

    Raises
    ------
    ValueError
        If a period or a phase is not allowed, or a delay is not a multiple of the period.
    """
    for population in model.populations:
        name, period, phase = population.name, population.period, population.phase
        if period not in PERIODS:
            raise ValueError(f"{name} period must be one of {', '.join(map(str, PERIODS))}, not "
                             f"{period!r}")
        if type(phase) is not int or not 0 <= phase < period:
            raise ValueError(f"{name} phase must be between 0 and {period - 1}, not {phase!r}")
        if period > 1 and not model.graded:
            raise ValueError(f"{name} period must be 1 in a model without graded populations, not "
                             f"{period}")
    for projection in model.projections:
        if projection.source != INPUT:
            period = model.index(projection.source).period
            if projection.delay % period:
                raise ValueError(f"{projection.title} delay must be a multiple of {period}, the "
                                 f"period of its source, not {projection.delay}")


def _check_projection(projection, model):
    title, until = projection.title, projection.until
    source, target = projection.source, model.index(projection.target)
    given = [1, 0] if source == INPUT else [model.index(source).period, model.index(source).phase]
    if [target.interval, target.phase % target.interval] != given:
        raise ValueError(f"{title} target must be updated every {given[0]} steps from step "
                         f"{given[1]} on, as its source gives values, not every "
                         f"{target.interval} from {target.phase % target.interval} on")
    if projection.shift:
        raise ValueError(f"{title} shift must be 0, because it adds to sums, not "
                         f"{projection.shift}")
    if source == INPUT and not target.pools and until is None:
        until = 0
    if source == INPUT and until is not None and not projection.delay < until <= MOST_LOOK:
        raise ValueError(f"{title} until must be from {projection.delay + 1} to {MOST_LOOK}, "
                         f"not {projection.until}")
    if source == INPUT and target.pools and (until is not None or projection.delay > MOST_LOOK):
        raise ValueError(f"{title} delay must be at most {MOST_LOOK}, and until missing, because "
                         f"it goes to a pool, not {projection.delay} and {until}")
    if source != INPUT and (until is not None or projection.delay and not target.pools):
        raise ValueError(f"{title} delay must be 0, and until missing, because it does not come "
                         f"from the input, not {projection.delay} and {until}")
