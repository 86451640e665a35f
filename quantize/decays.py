# SPDX-License-Identifier: Apache-2.0
"""Rounding of decays: to the nearest integer, or to a sum of few signed powers of two.

A product with a sum of n signed powers of two takes n shifts and additions, and no multiplier. In
both cases a decay is ``A / 2**d`` with an integer A, so nothing else changes.
"""

from dataclasses import dataclass

import numpy as np

from spikewright.network.network import Network

__all__ = ["Decays", "few_terms", "nearest_values", "round_decays", "signed_powers"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decays:
    """Rounded decays of a population: A and B, int64 of shape (neurons,), in units of 2**-d."""

    synaptic: np.ndarray
    membrane: np.ndarray


def round_decays(network: Network, bits: int, terms: int | None = None) -> dict[str, Decays]:
    """Rounded decays of every population, each from 1 to ``2**bits - 1``.

    Decays of 0 and 1 stay: a neuron has no synapse or no leak, and not a short or long time
    constant.
    If ``terms`` is None, a decay becomes the nearest integer, ties upward. Otherwise the integer
    must be a sum of at most ``terms`` signed powers of two. Of these integers, `round_decays` takes
    the one with the nearest time constant.
    """
    def choose(decay: np.ndarray) -> np.ndarray:
        inside = (decay > 0) & (decay < 1)
        chosen = (decay * (1 << bits)).astype(np.int64)        # exact for 0 and 1
        chosen[inside] = (_nearest(decay[inside], bits) if terms is None
                          else few_terms(decay[inside], bits, terms))
        return chosen
    return {p.name: Decays(synaptic=choose(p.synaptic_decay), membrane=choose(p.membrane_decay))
            for p in network.populations}


def few_terms(decay: np.ndarray, bits: int, terms: int) -> np.ndarray:
    """The integers nearest to ``decay`` that are sums of at most ``terms`` signed powers of two.

    Nearness is measured by the ratio of time constants. ``decay`` is float64, and the result int64.
    """
    return np.array([nearest_values(value, bits, terms, 1)[0] for value in decay.tolist()],
                    np.int64)


def nearest_values(decay: float, bits: int, terms: int | None, count: int) -> list[int]:
    """The ``count`` integers that are nearest to ``decay``, by the ratio of time constants.

    The integers are from 1 to ``2**bits - 1``. If ``terms`` is not None, each must be a sum of at
    most ``terms`` signed powers of two.
    """
    values = np.arange(1, 1 << bits)
    if terms is not None:
        # The non-adjacent form has the fewest digits other than 0. They are the bits in which x and
        # 3x differ.
        values = values[np.bitwise_count(values ^ 3 * values) <= terms]
    # A decay is exp(-dt / tau). The difference of two log(-log(decay)) is therefore the logarithm
    # of the ratio of their time constants.
    constants = np.log(-np.log(values / (1 << bits)))
    distance = np.abs(constants - np.log(-np.log(decay)))
    return values[np.argsort(distance, kind="stable")[:count]].tolist()


def signed_powers(value: int) -> list[int]:
    """The fewest signed powers of two with the sum ``value``, largest first: 7 -> [8, -1]."""
    powers, unit = [], 1
    while value:
        if value & 1:
            digit = 2 - (value & 3)
            powers.append(digit * unit)
            value -= digit
        value, unit = value >> 1, unit << 1
    return powers[::-1]


def _nearest(decay: np.ndarray, bits: int) -> np.ndarray:
    # With long steps a decay may be nearly 0. It becomes 1, because 0 has no time constant.
    return np.clip(np.floor(decay * (1 << bits) + 0.5), 1, (1 << bits) - 1).astype(np.int64)
