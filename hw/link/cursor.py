# SPDX-License-Identifier: Apache-2.0
"""Cursor: a position in the slot, and when its byte is there."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Cursor"]


class Cursor(wiring.Component):
    """Moves through a slot, and says when the byte at its position is at hand.

    ``settled`` comes 4 cycles after a move, or later without ``grant``. In these cycles the store
    is asked, its value is latched, and values derived from it are latched. The position is 0
    after configuration.

    Members
    -------
    clear, step, down : :py:`In(1)`
        ``clear`` goes to position 0. ``step`` goes up by one, or with ``down``, down by one.
    grant : :py:`In(1)`
        The store answers to what is asked in this cycle.
    position : :py:`Out(8)`
        Where the cursor is.
    loaded : :py:`Out(1)`
        The byte is latched. The user must latch it in every cycle without ``loaded``.
    settled : :py:`Out(1)`
        ``loaded`` has been 1 for at least one cycle.
    """

    clear:    In(1)
    step:     In(1)
    down:     In(1)
    grant:    In(1)
    position: Out(8)
    loaded:   Out(1)
    settled:  Out(1)

    def elaborate(self, platform):
        m = Module()

        asked = Signal()
        known = Signal()
        move  = self.clear | self.step
        m.d.sync += [
            asked.eq(self.grant & ~move),
            self.loaded.eq((asked | self.loaded) & ~move),
            known.eq(self.loaded & ~move),
            self.settled.eq(known & ~move),
        ]
        with m.If(self.clear):
            m.d.sync += self.position.eq(0)
        with m.Elif(self.step):
            m.d.sync += self.position.eq(self.position + Mux(self.down, 0xff, 0x01))

        return m
