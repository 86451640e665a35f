# SPDX-License-Identifier: Apache-2.0
"""Staging memory: where the words of a model wait until it is whole."""

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.loads import LoadMap

from ..layouts import load_layout, stored_layout

__all__ = ["StagingMemory"]

# The attribute of a RAM by the kind of memory. `hw.rtlil` knows the large ones by it.
STYLES = {"block": "block", "large": "huge"}


class StagingMemory(wiring.Component):
    """Keeps the bytes that a host loads, and gives the words for their tables.

    One byte is kept, or one word is given, in each cycle. A word comes one cycle after it is asked
    for, which is two cycles after one with ``rests``.

    Parameters
    ----------
    loads : :class:`LoadMap`
    kind : :class:`str`
        ``block`` or ``large`` RAM.

    Members
    -------
    i : :py:`In(stream.Signature(load_layout(words, word_bytes, staged=True)))`
        A byte to keep, and its place; or with ``copy``, a word to give.
    rests : :py:`In(1)`
        The tables take a word.
    stored : :py:`Out(stored_layout(words, word_bytes))`
        The word.
    """

    def __init__(self, loads: LoadMap, kind: str):
        self.loads = loads
        self.kind  = kind

        super().__init__({
            "i":      In(stream.Signature(load_layout(loads.words, loads.word_bytes, staged=True))),
            "rests":  In(1),
            "stored": Out(stored_layout(loads.words, loads.word_bytes)),
        })

    def elaborate(self, platform):
        m = Module()

        size, load = self.loads.word_bytes, self.i.p
        takes = self.i.valid & self.i.ready
        m.submodules.words = words = memory.Memory(
            shape=8 * size, depth=self.loads.words, init=[],
            attrs={"ram_style": STYLES[self.kind]})
        read  = words.read_port()
        write = words.write_port(granularity=8)
        # One address for both, so that a RAM with one port will do.
        m.d.comb += [
            read.addr.eq(load.word),
            read.en.eq(takes & load.copy),
            write.addr.eq(load.word),
            write.data.eq(load.data.replicate(size)),
            self.stored.data.eq(read.data),
        ]
        for k in range(size):
            m.d.comb += write.en[k].eq(takes & ~load.copy & (load.byte == k))
        m.d.sync += [
            self.i.ready.eq(self.rests),
            self.stored.valid.eq(takes & load.copy),
            self.stored.word.eq(load.word),
        ]

        return m
