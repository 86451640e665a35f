# SPDX-License-Identifier: Apache-2.0
"""A slow clock that flip-flops make: a faster one, divided."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

__all__ = ["ClockDivider", "Divided", "Oscillator", "divided_outputs"]

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


class ClockDivider(wiring.Component):
    """Makes a clock that rises once in ``divider`` cycles of ``fast``, a domain without a reset.

    A flip-flop drives the clock, so it has no glitches. It is high for ``divider // 2`` cycles.

    Parameters
    ----------
    divider : :class:`int`
        At least 2.

    Members
    -------
    o : :py:`Out(1)`
    """

    def __init__(self, divider: int):
        self.divider = divider

        super().__init__({"o": Out(1)})

    def elaborate(self, platform):
        m = Module()

        count = Signal(range(self.divider))
        m.d.fast += [
            count.eq(Mux(count == self.divider - 1, 0, count + 1)),
            self.o.eq(count < self.divider // 2),
        ]

        return m
