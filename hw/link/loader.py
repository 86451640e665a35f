# SPDX-License-Identifier: Apache-2.0
"""Loader: brings the weight table from frames into the core, and checks it."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.wiring import In, Out

from ..layouts import load_layout
from .params import TableParams

__all__ = ["LoadSignature", "Loader"]


class LoadSignature(wiring.Signature):
    """How the executor leads the loader.

    Members
    -------
    restart : :py:`Out(1)`
        The next byte is the first.
    words : :py:`In(16)`
        Number of whole words that have passed.
    loaded : :py:`In(1)`
        The whole table has passed, and its CRC is right.
    """

    def __init__(self):
        super().__init__({
            "restart": Out(1),
            "words":   In(16),
            "loaded":  In(1),
        })


class Loader(wiring.Component):
    """Gives each byte its place, and forms the CRC of all bytes.

    A byte passes in the cycle in which it comes. ``loaded`` follows the last byte by two cycles.
    ``restart`` and a byte too many make it 0 again. ``restart`` must come in a cycle without a
    byte. The loader stalls as the core does. No table is loaded after configuration.

    Parameters
    ----------
    table : :class:`TableParams`

    Members
    -------
    control : :py:`In(LoadSignature())`
    i : :py:`In(stream.Signature(8))`
        Bytes of the table, word by word.
    o : :py:`Out(stream.Signature(load_layout(words, word_bytes)))`
        The same, for the core.
    """

    def __init__(self, table: TableParams):
        self.table = table

        super().__init__({
            "control": In(LoadSignature()),
            "i":       In(stream.Signature(8)),
            "o":       Out(stream.Signature(load_layout(table.words, table.word_bytes))),
        })

    def elaborate(self, platform):
        m = Module()

        crc, control = CRC16_IBM_3740(8).create(), self.control
        m.submodules.crc = ResetInserter(control.restart)(crc)
        # Wide enough for one word too many, so that nothing wraps before it is noticed.
        word = Signal(range(self.table.words + 2))
        byte = Signal.like(self.o.p.byte)
        last = byte == self.table.word_bytes - 1
        move = self.i.valid & self.i.ready
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
            self.o.p.word.eq(word),
            self.o.p.byte.eq(byte),
            self.o.p.data.eq(self.i.payload),
            control.words.eq(word),
            crc.data.eq(self.i.payload),
            crc.valid.eq(move),
        ]
        m.d.sync += control.loaded.eq((word == self.table.words) & (byte == 0) & ~control.restart
                                      & ~move & (crc.crc == self.table.crc))
        with m.If(control.restart):
            m.d.sync += word.eq(0), byte.eq(0)
        with m.Elif(move):
            m.d.sync += byte.eq(Mux(last, 0, byte + 1))
            with m.If(last & (word != self.table.words + 1)):
                m.d.sync += word.eq(word + 1)

        return m
