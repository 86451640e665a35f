# SPDX-License-Identifier: Apache-2.0
"""A slow clock that flip-flops make: a faster one, divided."""

from dataclasses import dataclass

__all__ = ["Divided", "Oscillator", "divided_outputs"]

# Clocks below this are not of use: the link needs 1 MHz.
SLOWEST_HZ = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Oscillator:
    """The oscillator in the chip (SB_HFOSC): 48 MHz over ``2**divider``, within 10 %."""

    divider: int


@dataclass(frozen=True, kw_only=True)
class Divided:
    """A clock over ``divider``: that of the oscillator in the chip, or the crystal if None."""

    divider: int
    oscillator: Oscillator | None = None


def divided_outputs(input_hz: int) -> dict[int, int]:
    """Every whole number of Hz from 1 MHz that is ``input_hz`` over a divider of 2 or more."""
    return {input_hz // divider: divider for divider in range(2, input_hz // SLOWEST_HZ + 1)
            if input_hz % divider == 0}
