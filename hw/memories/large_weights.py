# SPDX-License-Identifier: Apache-2.0
"""Weight memory in the large RAMs of a device, which a host fills."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..layouts import load_layout

__all__ = ["MOST_BITS", "MOST_WORDS", "LargeWeightTable", "check_large_table", "word_bytes"]

# Four RAMs of the iCE40UP5K side by side: 16 bits each, all at one address.
MOST_WORDS = 1 << 14
MOST_BITS  = 64


def word_bytes(width: int) -> int:
    """Bytes that carry a word of ``width`` bits when it is loaded."""
    return -(-width // 8)


def check_large_table(words: int, *, width: int, lanes: int) -> None:
    """Refuse a table that the large RAMs cannot hold.

    Raises
    ------
    ValueError
        If it has too many words, or they are too wide.
    """
    if width * lanes > MOST_BITS:
        raise ValueError(f"Lanes times weight bits must be at most {MOST_BITS} in large weight "
                         f"memory, not {lanes} times {width}")
    if words > MOST_WORDS:
        raise ValueError(f"Words of {lanes} weights must be at most {MOST_WORDS} in large weight "
                         f"memory, not {words}: take more lanes")


class LargeWeightTable(wiring.Component):
    """Table of weights: a word of ``lanes`` weights, one cycle after its address.

    It is filled byte by byte; until then it reads as anything. There is one port for both, so in a
    cycle with ``write`` nothing is read, and ``data`` stays as it is.

    Parameters
    ----------
    words : :class:`int`
    width : :class:`int`
        Bits of a weight.
    lanes : :class:`int`

    Members
    -------
    en : :py:`In(1)`
        Read in this cycle; else ``data`` stays as it is.
    address : :py:`In(range(words))`
    data : :py:`Out(data.ArrayLayout(signed(width), lanes))`
        Past the end of the table: any value.
    write : :py:`In(1)`
        Write ``load``.
    load : :py:`In(load_layout(words, word_bytes(width * lanes)))`
        A byte, and its place; byte 0 of a word has the lowest bits.
    """

    def __init__(self, words: int, *, width: int, lanes: int):
        check_large_table(words, width=width, lanes=lanes)
        self.words = words

        super().__init__({
            "en":      In(1),
            "address": In(range(max(words, 2))),
            "data":    Out(data.ArrayLayout(signed(width), lanes)),
            "write":   In(1),
            "load":    In(load_layout(words, word_bytes(width * lanes))),
        })

    def elaborate(self, platform):
        m = Module()

        size = word_bytes(self.data.shape().size)
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
            write.data.eq(self.load.data.replicate(size)),
            self.data.eq(read.data),
        ]
        for k in range(size):
            m.d.comb += write.en[k].eq(self.write & (self.load.byte == k))

        return m
