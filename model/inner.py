# SPDX-License-Identifier: Apache-2.0
"""Normalized windows and inner steps: the sums that they need, their root, and their rules.

A model with inner steps has a population of kind ``normalize`` for each of them: a part of the
window over the input. Over the counts n of all parts and channels, N of them, each step has::

    S1 = sum of n      S2 = sum of n**2      D = N S2 - S1**2 + epsilon

For unit i of a part, with its sum s, and with the sum t of its weights over all channels::

    c = rnd((N s - S1 t) / sqrt(D) * 2**fraction) + bias

c is the current of neuron i of the first layer in the inner step of the part. ``1 / sqrt(D)`` is
``root / 2**(ROOT_BITS + exponent)``: `root_of` has both from the leading bits of D.
"""

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spikewright.network.network import CONSTANT, INPUT

from .graded import GradedPopulation

if TYPE_CHECKING:
    from .model import IntegerModel

__all__ = ["INDEX_BITS", "MOST_CELLS", "ROOT_BITS", "check_inner", "inner_layers",
           "moment_bits", "root_of", "root_table", "weight_sums", "wide_bits"]

# Bits of a root, and of the leading part of D that it is looked up by.
ROOT_BITS = 15
INDEX_BITS = 10

# Most counts of a window, as a factor of the hardware.
MOST_CELLS = (1 << ROOT_BITS) - 1


@cache
def root_table() -> tuple[int, ...]:
    """Roots by the leading ``INDEX_BITS`` bits of D, whose first two are not both 0.

    The first entry is that of ``2**(INDEX_BITS-2)``. An entry is the root in the middle of the D
    with these bits, rounded down.
    """
    one = 1 << INDEX_BITS - 2
    return tuple(math.isqrt((one << 2 * ROOT_BITS + 1) // (2 * k + 1)) for k in range(one, 4 * one))


def root_of(square: int) -> tuple[int, int]:
    """Root and exponent of D, which is 1 or more."""
    exponent = (square.bit_length() - 1) // 2
    up = INDEX_BITS - 2 - 2 * exponent
    index = square << up if up > 0 else square >> -up
    return root_table()[index - (1 << INDEX_BITS - 2)], exponent


def weight_sums(model: "IntegerModel", population: GradedPopulation) -> np.ndarray:
    """Sum of the weights of each unit over all channels, int64 (size,)."""
    weights = [p.weights for p in model.projections if p.target == population.name]
    return np.concatenate(weights).sum(axis=0)


def inner_layers(model: "IntegerModel") -> list:
    """The populations that are updated in each inner step, in their order."""
    return [p for p in model.populations
            if not isinstance(p, GradedPopulation) and p.name != CONSTANT]


def moment_bits(model: "IntegerModel") -> tuple[int, int, int]:
    """Bits of S1 and of a count, of S2, and of D, for as many events as the log has room for.

    The last one is even.
    """
    room = model.window_room
    square = model.cells * room * room + model.epsilon
    return room.bit_length(), (room * room).bit_length(), (square.bit_length() + 1) // 2 * 2


def wide_bits(model: "IntegerModel") -> int:
    """Bits, sign included, that hold ``N s - S1 t`` of every unit over every input."""
    most = 0
    for population in model.populations:
        if isinstance(population, GradedPopulation):
            weights = [p.weights for p in model.projections if p.target == population.name]
            largest = np.abs(np.concatenate(weights)).max(axis=0)
            sums = model.cells * largest + np.abs(weight_sums(model, population))
            most = max(most, int(sums.max()) * model.window_room)
    return most.bit_length() + 1


def check_inner(model: "IntegerModel") -> None:
    """Check a model with inner steps.

    Raises
    ------
    ValueError
        If a part is not as it must be.
    """
    units = [p for p in model.populations if isinstance(p, GradedPopulation)]
    layers = inner_layers(model)
    if model.inner_steps < 2:
        raise ValueError("Parts of a normalized window must be 2 or more, not 1")
    for population in units:
        if not population.normalizes:
            raise ValueError(f"{population.name} kind must be normalize, as other populations of "
                             f"the model have it, not {population.kind}")
        if population.size != layers[0].neurons:
            raise ValueError(f"{population.name} size must be {layers[0].neurons}, that of "
                             f"{layers[0].name}, not {population.size}")
    if sorted(model.channel_row.tolist()) != list(range(model.channels)):
        raise ValueError("channel_row must have a row for each channel, so that all are counted")
    if not 1 <= model.epsilon <= model.cells ** 2:
        raise ValueError(f"epsilon must be between 1 and {model.cells ** 2}, not "
                         f"{model.epsilon!r}")
    if model.cells > MOST_CELLS:
        raise ValueError(f"Counts of the window must be at most {MOST_CELLS}, not {model.cells}")
    names = [population.name for population in layers]
    for population in layers:
        if population.synaptic_decay.any():
            raise ValueError(f"{population.name} synaptic_decay must be 0 in a model with inner "
                             f"steps, not {int(population.synaptic_decay.max())}")
        if population.spiking and population.reset != "subtract_next":
            raise ValueError(f"{population.name} reset must be subtract_next in a model with inner "
                             f"steps, not {population.reset}")
    for p in model.projections:
        if p.source == INPUT or p.target == names[0]:
            allowed = p.source == INPUT and p.target not in (CONSTANT, *names)
        else:
            allowed = p.target in names and p.source in (
                CONSTANT, *names[:names.index(p.target)])
        if not allowed or (p.source != INPUT and p.delay):
            raise ValueError(f"{p.title} must come from the input to a window, or from a layer "
                             f"before with delay 0, not with delay {p.delay}")
    _check_parts(model, units)


def _check_parts(model: "IntegerModel", parts: list[GradedPopulation]) -> None:
    """Check that an event is in one part at a time, which all bounds of the moments rest on."""
    windows = [[p for p in model.projections if p.target == part.name] for part in parts]
    for part, into in zip(parts, windows, strict=True):
        if len(into) != 1:
            raise ValueError(f"{part.name} must have 1 projection from the input, not {len(into)}")
        if into[0].until is not None and not 1 <= into[0].delay < into[0].until:
            raise ValueError(f"{into[0].title} delay must be from 1 to {into[0].until - 1}, so "
                             f"that the events of the part are counted, not {into[0].delay}")
    inputs = sorted((p for p, in windows), key=lambda p: p.delay)
    for first, second in pairwise(inputs):
        if first.until is not None and first.until > second.delay:
            raise ValueError(f"{first.title} until must be at most {second.delay}, the delay of "
                             f"{second.title}, not {first.until}")
