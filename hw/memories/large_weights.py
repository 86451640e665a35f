# SPDX-License-Identifier: Apache-2.0
"""Weight memory in the large RAMs of a device, which a host fills."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..layouts import load_layout, stored_layout

__all__ = ["LargeWeightTable"]


class LargeWeightTable(wiring.Component):
    """Table of weights: a word of ``lanes`` weights, one cycle after its address.

    One word is read, or one byte is written, in each cycle. In a cycle with ``write`` nothing is
    read, and ``data`` stays as it is. A byte reads as any value until it is written. If words are
    staged, a whole word is written at once.

    Parameters
    ----------
    words : :class:`int`
    width : :class:`int`
        Bits of a weight.
    lanes : :class:`int`
    staged : :class:`bool`
        Words come whole.

    Members
    -------
    en : :py:`In(1)`
        Read in this cycle. Without it, ``data`` stays as it is.
    address : :py:`In(range(words))`
    data : :py:`Out(data.ArrayLayout(signed(width), lanes))`
        Past the end of the table: any value.
    write : :py:`In(1)`
        Write ``load``.
    load : :py:`In(load_layout(words, word_bytes))`
        A byte and its place. Byte 0 of a word has the lowest bits. If words are staged, the word,
        of ``stored_layout``.
    """

    def __init__(self, words: int, *, width: int, lanes: int, staged: bool = False):
        self.words  = words
        self.staged = staged
        word_bytes = -(-width * lanes // 8)

        super().__init__({
            "en":      In(1),
            "address": In(range(max(words, 2))),
            "data":    Out(data.ArrayLayout(signed(width), lanes)),
            "write":   In(1),
            "load":    In((stored_layout if staged else load_layout)(words, word_bytes)),
        })

    def elaborate(self, platform):
        m = Module()

        size = -(-self.data.shape().size // 8)
        # `hw.rtlil` knows by this attribute that the RAM has no contents at first.
        m.submodules.table = table = memory.Memory(
            shape=8 * size, depth=self.words, init=[], attrs={"ram_style": "huge"})
        read  = table.read_port()
        write = table.write_port(granularity=8)
        address = Mux(self.write, self.load.word, self.address)
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(self.en & ~self.write),
            write.addr.eq(address),
            write.data.eq(self.load.data if self.staged else self.load.data.replicate(size)),
            self.data.eq(read.data),
        ]
        for k in range(size):
            m.d.comb += write.en[k].eq(self.write & (self.staged or self.load.byte == k))

        return m
