# SPDX-License-Identifier: Apache-2.0
"""Receiver: puts the bytes of a frame into a slot."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.frames import SLOT_BYTES

from .layouts import frame_layout, line_layout
from .store import ReceiveSignature

__all__ = ["Receiver"]


class Receiver(wiring.Component):
    """Writes frames into the two slots in turn, as they come.

    Takes a byte every third cycle; its data must stay for one more cycle. A frame keeps its slot
    until the next one is complete, at the earliest; of a frame that comes while one waits to be
    taken, nothing is written, and it is an overrun. A frame with a bad byte, or of a length that no
    frame has, is dropped. Two delimiters in a row are nothing.

    Members
    -------
    i : :py:`In(stream.Signature(line_layout()))`
        Bytes off the line.
    o : :py:`Out(stream.Signature(frame_layout()))`
        Frames, still coded. Their CRC is yet to be checked.
    store : :py:`Out(ReceiveSignature())`
        Byte for the store.
    corrupt, overrun : :py:`Out(1)`
        A frame is dropped in this cycle.
    """

    i:       In(stream.Signature(line_layout()))
    o:       Out(stream.Signature(frame_layout()))
    store:   Out(ReceiveSignature())
    corrupt: Out(1)
    overrun: Out(1)

    def elaborate(self, platform):
        m = Module()

        position = Signal(8)            # tells the length, while a frame waits
        slot     = Signal()
        full     = Signal()
        short    = Signal(init=1)       # for a type and a CRC
        begun    = Signal()
        fault    = Signal()
        late     = Signal()
        waiting  = self.o.valid
        byte     = self.i.valid & ~self.i.p.zero
        end      = self.i.valid & self.i.p.zero
        m.d.comb += [
            self.i.ready.eq(1),
            self.store.soon.eq(byte & ~waiting & ~full),
            self.store.address.eq(Cat(position, slot)),
            self.store.data.eq(self.i.p.data),
            self.o.p.slot.eq(~slot),
            self.o.p.end.eq(position - 2),
            self.corrupt.eq(end & (fault | (begun & ~late & short))),
            self.overrun.eq(end & late & ~fault),
        ]
        m.d.sync += [
            self.store.write.eq(self.store.soon),
            full.eq(position == SLOT_BYTES),
            short.eq(position[2:] == 0),
        ]

        with m.If(self.store.write):
            m.d.sync += position.eq(position + 1)
        with m.If(waiting & self.o.ready):
            m.d.sync += waiting.eq(0), position.eq(0), full.eq(0), short.eq(1)

        with m.If(byte):
            m.d.sync += [
                begun.eq(1),
                late.eq(late | waiting),
                fault.eq(fault | (~waiting & (full | self.i.p.bad))),
            ]
        with m.If(end):
            m.d.sync += begun.eq(0), late.eq(0), fault.eq(0)
            with m.If(~waiting):
                m.d.sync += position.eq(0)
                with m.If(~fault & ~late & ~short):
                    m.d.sync += waiting.eq(1), position.eq(position), slot.eq(~slot)

        return m
