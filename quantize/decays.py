# SPDX-License-Identifier: Apache-2.0
"""Rounding of decays: to the nearest integer, or to few signed powers of two.

A product with a sum of n signed powers of two is n shifts and additions: no multiplier. A decay is
``A / 2**d`` with an integer A in both cases, so nothing else changes.
"""

from dataclasses import dataclass

import numpy as np

from spikewright.network.network import Network

__all__ = ["Decays", "few_terms", "nearest_values", "round_decays", "signed_powers"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decays:
    """Rounded decays of a population: ``synaptic`` and ``membrane`` int64 (neurons,), over 2**d."""

    synaptic: np.ndarray
    membrane: np.ndarray


def round_decays(network: Network, bits: int, terms: int | None = None) -> dict[str, Decays]:
    """Decays of every population over ``2**bits``, from 1 to ``2**bits - 1``.

    Where ``terms`` is None, the nearest integer, ties upward; else, of the integers that are a sum
    of at most ``terms`` signed powers of two, the one with the nearest time constant.
    """
    def choose(decay: np.ndarray) -> np.ndarray:
        return _nearest(decay, bits) if terms is None else few_terms(decay, bits, terms)
    return {p.name: Decays(synaptic=choose(p.synaptic_decay), membrane=choose(p.membrane_decay))
            for p in network.populations}


def few_terms(decay: np.ndarray, bits: int, terms: int) -> np.ndarray:
    """Nearest to ``decay`` by the ratio of time constants, with at most ``terms`` powers of two."""
    return np.array([nearest_values(value, bits, terms, 1)[0] for value in decay.tolist()])


def nearest_values(decay: float, bits: int, terms: int | None, count: int) -> list[int]:
    """The ``count`` allowed integers that are nearest to ``decay`` by the ratio of time constants.

    Allowed are all from 1 to ``2**bits - 1`` where ``terms`` is None.
    """
    values = np.arange(1, 1 << bits)
    if terms is not None:
        # The non-adjacent form has the fewest digits; those of x are where x and 3x differ.
        values = values[np.bitwise_count(values ^ 3 * values) <= terms]
    # A decay is exp(-dt / tau): of two time constants, log(-log(decay)) tells the ratio.
    place = np.log(-np.log(values / (1 << bits)))
    distance = np.abs(place - np.log(-np.log(decay)))
    return values[np.argsort(distance, kind="stable")[:count]].tolist()


def signed_powers(value: int) -> list[int]:
    """The fewest signed powers of two that add up to ``value``, largest first: 7 -> [8, -1]."""
    powers, unit = [], 1
    while value:
        if value & 1:
            digit = 2 - (value & 3)
            powers.append(digit * unit)
            value -= digit
        value, unit = value >> 1, unit << 1
    return powers[::-1]


def _nearest(decay: np.ndarray, bits: int) -> np.ndarray:
    # With long steps a decay may be all but 0; as 1 it still has a time constant to tell.
    return np.clip(np.floor(decay * (1 << bits) + 0.5), 1, (1 << bits) - 1).astype(np.int64)
