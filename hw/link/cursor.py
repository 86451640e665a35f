# SPDX-License-Identifier: Apache-2.0
"""Cursor: a position in the slot, and when its byte is there."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Cursor"]


class Cursor(wiring.Component):
    """Moves through a slot, and tells when the byte at its position is at hand.

    After a move it takes 4 cycles until ``settled``, and more without ``grant``: the store is
    asked, its value is latched, and what is derived from it is latched.

    Members
    -------
    clear, step, down : :py:`In(1)`
        Go to position 0; go up, or if ``down``, down.
    grant : :py:`In(1)`
        The store answers to what is asked in this cycle.
    position : :py:`Out(8)`
        Where the cursor is.
    loaded : :py:`Out(1)`
        The byte is latched; it is to be latched as long as this is low.
    settled : :py:`Out(1)`
        ``loaded``, for a cycle at least.
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
