# SPDX-License-Identifier: Apache-2.0
"""Receiver: puts the bytes of a frame into a slot."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import SLOT_SIZE, frame_layout, line_layout

__all__ = ["Receiver"]


class Receiver(wiring.Component):
    """Writes frames into the two slots in turn, as they come.

    Takes a byte every other cycle, in a cycle with ``free``. A frame keeps its slot until the next
    one is complete, at the earliest; of a frame that comes while one waits to be taken, nothing is
    written, and it is an overrun. A frame with a bad byte, or of a length that no frame has, is
    dropped. Two delimiters in a row are nothing.

    Members
    -------
    i : :py:`In(stream.Signature(line_layout()))`
        Bytes off the line.
    o : :py:`Out(stream.Signature(frame_layout()))`
        Frames, still coded. Their CRC is yet to be checked.
    free : :py:`In(1)`
        The store can take a byte.
    write, address, data : :py:`Out(1)`, :py:`Out(9)`, :py:`Out(8)`
        Byte for the store.
    corrupt, overrun : :py:`Out(1)`
        A frame is dropped in this cycle.
    """

    i:       In(stream.Signature(line_layout()))
    o:       Out(stream.Signature(frame_layout()))
    free:    In(1)
    write:   Out(1)
    address: Out(9)
    data:    Out(8)
    corrupt: Out(1)
    overrun: Out(1)

    def elaborate(self, platform):
        m = Module()

        position = Signal(8)
        slot     = Signal()
        fault    = Signal()
        late     = Signal()
        full, short, empty = Signal(), Signal(), Signal()
        waiting  = self.o.valid
        byte     = self.i.valid & self.free
        end      = self.i.p.zero
        m.d.sync += [
            full.eq(position == SLOT_SIZE),
            short.eq(position < 4),
            empty.eq(position == 0),
        ]
        m.d.comb += [
            self.i.ready.eq(self.free),
            self.write.eq(byte & ~waiting & ~full),
            self.address.eq(Cat(position, slot)),
            self.data.eq(self.i.p.data),
            self.o.p.slot.eq(~slot),
            self.o.p.end.eq(position - 2),
        ]

        with m.If(byte):
            m.d.sync += late.eq(~end & (late | waiting))
            m.d.comb += self.overrun.eq(end & late & ~fault)

        # While a frame waits, `position` tells its length.
        with m.If(waiting):
            with m.If(self.o.ready):
                m.d.sync += waiting.eq(0), position.eq(0)
        with m.Elif(byte & end):
            m.d.sync += position.eq(0), fault.eq(0)
            with m.If(~fault & ~late & ~short):
                m.d.sync += position.eq(position), waiting.eq(1), slot.eq(~slot)
            with m.Elif(fault | (~late & ~empty)):
                m.d.comb += self.corrupt.eq(1)
        with m.Elif(byte):
            m.d.sync += position.eq(position + ~full), fault.eq(fault | self.i.p.bad | full)

        return m
