# SPDX-License-Identifier: Apache-2.0
"""Bounds of the states over every input: widths that no input can overflow."""

import itertools
import math

import numpy as np

from spikewright.model.integers import IntegerPopulation, IntegerProjection
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT, inner

__all__ = ["fits", "proven_bits"]


def fits(model: IntegerModel, proof: tuple[int | None, int | None]) -> bool:
    """Whether the states of ``model`` have at least the bits of ``proof``, if there is a proof."""
    current, membrane = proof
    return (current is not None and current <= model.widths.current
            and membrane is not None and membrane <= model.widths.membrane)


def proven_bits(model: IntegerModel,
                events_per_channel: int = 1) -> tuple[int | None, int | None]:
    """Bits of s and of m that no input can overflow.

    The input may have up to ``events_per_channel`` events per channel and step. The upper bound of
    a state counts only positive weights, and the lower bound only negative ones. The order of
    events within a step therefore does not matter. A state x becomes at most
    ``D x / 2**d + 1/2`` by its decay D and the rounding. A neuron with the reset ``zero_lose``
    fires in every second step at most, because m is 0 after a spike. Let E be the sum of the
    weights of all events that may come in every step, and R the sum over those that come in every
    second step. Then, for each neuron with the threshold h::

        s <= (E + 1/2) / (1 - a) + R / (1 - a**2),      a = A / 2**d
        m <= (s + 1/2) / (1 - b),                       b = B / 2**d
        m <= b h + 1/2 + s                              upper bound for a reset to zero: m was at
                                                        most h, or it is 0 now
        m <= max(b h + 1/2 + s, (s + 1/2 - h) / (1 - b))        subtract_next
        m <= max(b h + 1/2 + s, (s + 1/2 - b h) / (1 - b))      subtract_same
        -m <= max((s + 1/2) / (1 - b), (1 - b) h + 1/2 + s)     lower bound, subtract_next

    A decay of 0 or 1 adds no rounding. For an integrator without a leak (b = 1), a bound exists if
    every reset takes away as much as a step can add, or if each event that is added is subtracted
    again after a fixed time. The latter is a count over a window.

    Returns
    -------
    current, membrane : int or None
        Bits, sign included. None if no width is enough.
    """
    current = membrane = 1.0
    for population in model.populations:
        for sign in (1, -1):
            s, m = _peaks(model, population, events_per_channel, sign)
            current, membrane = max(current, _bits(s, sign)), max(membrane, _bits(m, sign))
    return _whole(current), _whole(membrane)


def _peaks(model: IntegerModel, population: IntegerPopulation, events_per_channel: int,
           sign: int) -> tuple[float, float]:
    """Bounds of s and m of a population: upper for ``sign`` 1, magnitude of the lower for -1."""
    unit = float(1 << model.widths.decay)
    a, b = population.synaptic_decay / unit, population.membrane_decay / unit
    into = [p for p in model.projections if p.target == population.name]
    s = np.where(a > 0, 0.5 / (1 - a), 0.0)
    for projection in into:
        drive = np.maximum(sign * _drive(model, projection), 0)
        if projection.source == INPUT:
            s += events_per_channel * (_channels(model) @ drive) / (1 - a)
        else:
            source = model.index(projection.source)
            often = 1 - a ** (2 if source.reset == "zero_lose" else 1)
            s += drive.sum(axis=0) / often
    if inner(population.name):
        return float(s.max()), float(s.max())
    half = np.where((b > 0) & (b < 1), 0.5, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        steady = np.where(s + half > 0, (s + half) / (1 - b), 0.0)
    m = np.where((b == 1) & (a == 0), np.minimum(steady, _window(model, into, events_per_channel,
                                                                 sign, steady)), steady)
    return float(s.max()), float(_with_reset(population, m, s + half, b, sign).max())


def _with_reset(population: IntegerPopulation, m: np.ndarray, step: np.ndarray, b: np.ndarray,
                sign: int) -> np.ndarray:
    """The bound ``m`` of a neuron that never resets, made tighter or wider by its reset."""
    if not population.spiking or population.reset == "none":
        return m
    h = population.threshold
    below = b * h + step                    # from a membrane that did not fire
    if sign < 0:
        return np.maximum(m, (1 - b) * h + step) if population.reset == "subtract_next" else m
    if population.reset.startswith("zero"):
        return np.minimum(m, below)
    taken = h if population.reset == "subtract_next" else b * h
    with np.errstate(divide="ignore", invalid="ignore"):
        after = np.where(step > taken, (step - taken) / (1 - b), 0.0)
    return np.minimum(m, np.maximum(below, after))


def _window(model: IntegerModel, into: list[IntegerProjection], events_per_channel: int, sign: int,
            otherwise: np.ndarray) -> np.ndarray:
    """Bound of a sum of events that leave it again after a fixed time; else ``otherwise``."""
    bound, closed = np.zeros(len(otherwise)), np.ones(len(otherwise), bool)
    for name in {p.source for p in into}:
        rows = _channels(model) * events_per_channel if name == INPUT else 1
        parts = sorted((p for p in into if p.source == name), key=lambda p: p.delay)
        kept = np.zeros_like(parts[0].weights)
        for part, following in itertools.pairwise(parts):
            kept = kept + _drive(model, part)
            often = np.broadcast_to(rows, len(kept))
            bound += (following.delay - part.delay) * (often @ np.maximum(sign * kept, 0))
        closed &= ~(kept + _drive(model, parts[-1])).any(axis=0)
    return np.where(closed, bound, otherwise)


def _drive(model: IntegerModel, projection: IntegerProjection) -> np.ndarray:
    """What each event adds to s."""
    return projection.weights << projection.shift + model.widths.fraction


def _channels(model: IntegerModel) -> np.ndarray:
    """Channels of each input row, int64 (rows,): several may share a row."""
    return np.bincount(model.channel_row[model.channel_row >= 0], minlength=model.rows)


def _bits(peak: float, sign: int) -> float:
    if math.isinf(peak):
        return math.inf
    # The states are integers. The smallest number in two's complement is -largest - 1.
    most = math.floor(peak)
    return (most if sign > 0 else max(most - 1, 0)).bit_length() + 1


def _whole(bits: float) -> int | None:
    return None if math.isinf(bits) else int(bits)
