# SPDX-License-Identifier: Apache-2.0
"""Verdict: what the executor must know of the byte at hand."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.frames import FrameType

__all__ = ["Verdict"]


class Verdict(wiring.Component):
    """Compares the byte at hand with what a frame may hold, and with the frame before.

    Every output follows its inputs by one cycle. After configuration no sequence number is known.

    Parameters
    ----------
    table : :class:`bool`
        The core has a table to load, so there are LOAD frames.

    Members
    -------
    byte : :py:`In(8)`
        The byte at hand.
    ready : :py:`In(1)`
        The byte is there, and is not taken in this cycle.
    position, end : :py:`In(8)`
        Position of the byte in its frame, and that of the frame's CRC.
    info, load : :py:`In(1)`
        The frame is an INFO, a LOAD; neither is a STEP.
    whole : :py:`In(1)`
        The core has a whole model. Without a table it does not count.
    remember : :py:`In(1)`
        The byte is the sequence number of a frame that is executed or answered.
    go : :py:`Out(1)`
        ``ready``: the byte may be used.
    stop : :py:`Out(1)`
        The byte is the first one of the CRC.
    fits : :py:`Out(1)`
        As the type of a frame, the byte is known, and the frame has a length that is allowed.
    same : :py:`Out(1)`
        As a sequence number, the byte is that of the last frame, which was of the same type.
    """

    byte:     In(8)
    ready:    In(1)
    position: In(8)
    end:      In(8)
    info:     In(1)
    load:     In(1)
    whole:    In(1)
    remember: In(1)
    go:       Out(1)
    stop:     Out(1)
    fits:     Out(1)
    same:     Out(1)

    def __init__(self, table: bool):
        self.table = table

        super().__init__()

    def elaborate(self, platform):
        m = Module()

        byte  = self.byte
        seq   = Signal(8, reset_less=True)
        known = Signal()                # `seq` is that of the last step
        fresh = Signal()                # the same of the last LOAD
        body  = self.end[2:] != 0       # there are bytes after the sequence number
        m.d.sync += [
            self.go.eq(self.ready),
            self.stop.eq(self.position == self.end),
            self.fits.eq(((byte == FrameType.INFO.value) & (self.end == 3))
                         | ((byte == FrameType.STEP.value) & body
                            & (self.whole if self.table else 1))
                         | ((byte == FrameType.LOAD.value) & body & self.table)),
            self.same.eq(Mux(self.load, fresh, ~self.info & known) & (byte == seq)),
        ]
        with m.If(self.remember):
            m.d.sync += [
                seq.eq(byte),
                known.eq(~self.info & ~self.load),
                fresh.eq(self.load),
            ]

        return m
