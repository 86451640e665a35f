# SPDX-License-Identifier: Apache-2.0
"""Loader: brings the words of a host from frames into the core, and checks them."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.wiring import In, Out

from .params import TableParams

__all__ = ["LoadSignature", "Loader"]


class LoadSignature(wiring.Signature):
    """How the executor leads the loader.

    Members
    -------
    restart : :py:`Out(1)`
        The next byte is the first.
    last, finish, copying : :py:`Out(1)`, :py:`Out(1)`, :py:`In(1)`
        Only where any model may be loaded. The bytes are those after all words; they have ended;
        words that are staged are copied into the tables.
    words : :py:`In(16)`
        Number of whole words that have passed.
    loaded : :py:`In(1)`
        All words have passed, and their CRC is right.
    whole : :py:`In(1)`
        The core has a whole model.
    """

    def __init__(self, table: TableParams):
        super().__init__({
            "restart": Out(1),
            "words":   In(16),
            "loaded":  In(1, init=table.there),
            "whole":   In(1, init=table.there),
        } | ({
            "last":    Out(1),
            "finish":  Out(1),
            "copying": In(1),
        } if table.crc is None else {}))


class Loader(wiring.Component):
    """Gives each byte its place, and forms the CRC of all bytes.

    A byte passes in the cycle in which it comes. The loader stalls as the core does. ``restart``
    must come in a cycle without a byte.

    Where the CRC is known, ``loaded`` follows the last byte by two cycles. ``restart`` and a byte
    too many make it 0 again. Where any model may be loaded, ``loaded`` follows ``finish`` if the
    CRC over all bytes is that of bytes that end with their own CRC. Every byte makes it 0 again.
    If the words are staged, all of them are then copied, one in each cycle in which the core takes
    it. The model before is whole until then, and the new one after that.

    Parameters
    ----------
    table : :class:`TableParams`

    Members
    -------
    control : :py:`In(LoadSignature())`
    i : :py:`In(stream.Signature(8))`
        Bytes of the words, then of what follows with ``last``.
    o : :py:`Out(stream.Signature(table.load))`
        Those of the words, for the core.
    """

    def __init__(self, table: TableParams):
        self.table = table

        super().__init__({
            "control": In(LoadSignature(table)),
            "i":       In(stream.Signature(8)),
            "o":       Out(stream.Signature(table.load)),
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
        rest = control.last if self.table.crc is None else Const(0)
        end  = word == self.table.words
        whole = end & (byte == 0)
        copies = control.copying & ~end if self.table.staged else Const(0)
        m.d.comb += [
            self.o.valid.eq(self.i.valid & ~rest | copies),
            self.i.ready.eq(self.o.ready | rest),
            self.o.p.word.eq(word),
            self.o.p.byte.eq(byte),
            self.o.p.data.eq(self.i.payload),
            control.words.eq(word),
            crc.data.eq(self.i.payload),
            crc.valid.eq(move),
        ]
        good = whole & crc.match_detected
        if self.table.crc is None:
            with m.If(control.finish):
                m.d.sync += control.loaded.eq(good)
            with m.If(control.restart | move):
                m.d.sync += control.loaded.eq(0)
        else:
            m.d.sync += control.loaded.eq(whole & ~control.restart & ~move
                                          & (crc.crc == self.table.crc))
        with m.If(control.restart):
            m.d.sync += word.eq(0), byte.eq(0)
        with m.Elif(move & ~rest):
            m.d.sync += byte.eq(Mux(last, 0, byte + 1))
        with m.If((move & ~rest & last & (word != self.table.words + 1))
                  | (copies & self.o.ready)):
            m.d.sync += word.eq(word + 1)
        if self.table.staged:
            self._copy(m, good, word, end)
        else:
            m.d.comb += control.whole.eq(control.loaded)

        return m

    def _copy(self, m, good, word, end):
        """Copy all words into the tables, once they are whole."""
        control = self.control
        m.d.comb += self.o.p.copy.eq(control.copying)
        with m.If(control.finish & good):
            m.d.sync += control.copying.eq(1), word.eq(0)
        with m.Elif(control.copying & end):
            m.d.sync += control.copying.eq(0), control.whole.eq(1)
