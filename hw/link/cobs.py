# SPDX-License-Identifier: Apache-2.0
"""Byte stuffing (COBS): inside a frame no byte is zero, so a zero always ends a frame."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Cobs"]


class Cobs(wiring.Component):
    """Codes and decodes a frame *in its place*, if it has at most 253 bytes.

    Each zero of a frame, and the code in front of it, is replaced by the distance to the next zero
    or to the delimiter. So a frame is decoded by walking up, from the code in front, and coded by
    walking down, from a zero for the delimiter to a zero for the code in front. ``i`` is held for
    three cycles at least, the last with ``en``; ``due`` and ``zero`` follow it one cycle later,
    ``o`` two.

    Members
    -------
    start : :py:`In(1)`
        Prepares for a frame. Meanwhile ``o`` is ``i``, unless ``decode``.
    decode : :py:`In(1)`
        Decode, not code.
    en : :py:`In(1)`
        ``i`` is done with.
    i, o : :py:`In(8)`, :py:`Out(8)`
        A byte, and what belongs in its place.
    due : :py:`Out(1)`
        When decoding: a code is due. So it must be after the last byte of a frame.
    zero : :py:`Out(1)`
        When coding: ``i`` is zero.
    """

    start:  In(1)
    decode: In(1)
    en:     In(1)
    i:      In(8)
    o:      Out(8)
    due:    Out(1)
    zero:   Out(1)

    def elaborate(self, platform):
        m = Module()

        # Nothing is left where a code is due, and a zero covers nothing: so sums do for choices.
        left = Signal(8, reset_less=True)   # decode: bytes until a code; code: since a zero
        base = Signal(8)
        m.d.comb += base.eq(Mux(self.due, self.i, 0) | Mux(self.zero, 0, left))
        m.d.sync += [
            self.due.eq(self.decode & (left == 0)),
            self.zero.eq(~self.decode & (self.i == 0)),
            self.o.eq(Mux(self.due, 0, self.i) | Mux(self.zero, left, 0)),
        ]
        with m.If(self.start):
            m.d.sync += left.eq(0)
        with m.Elif(self.en):
            m.d.sync += left.eq(base + Mux(self.decode, 0xff, 0x01))

        return m
