# SPDX-License-Identifier: Apache-2.0
"""Joiner: makes words for the memories of the bytes that a host loads."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.loads import LoadMap, Region

from ..layouts import load_layout, stored_layout

__all__ = ["Joiner", "is_in"]


def is_in(word, region: Region, base: int, depth: int):
    """Whether ``word`` is the number of one of ``depth`` words of ``region``, from ``base`` on.

    The lowest bits of the number are then the address.
    """
    place = word[:region.room]
    return ((word >> region.room == region.first >> region.room)
            & (place >= base) & (place < base + depth))


class Joiner(wiring.Component):
    """Gives a word in the cycle in which its last byte comes.

    Parameters
    ----------
    loads : :class:`LoadMap`

    Members
    -------
    write, load : :py:`In(1)`, :py:`In(load_layout(words, word_bytes))`
        A byte, and its place. The bytes of a word come in order, byte 0 first.
    stored : :py:`Out(stored_layout(words, word_bytes))`
        The word.
    """

    def __init__(self, loads: LoadMap):
        self.loads = loads

        super().__init__({
            "write":  In(1),
            "load":   In(load_layout(loads.words, loads.word_bytes)),
            "stored": Out(stored_layout(loads.words, loads.word_bytes)),
        })

    def elaborate(self, platform):
        m = Module()

        size = self.loads.word_bytes
        kept = Signal(8 * size - 8, reset_less=True)
        word = Cat(kept, self.load.data)
        m.d.comb += [
            self.stored.valid.eq(self.write & (self.load.byte == size - 1)),
            self.stored.word.eq(self.load.word),
            self.stored.data.eq(word),
        ]
        with m.If(self.write):
            m.d.sync += kept.eq(word[8:])

        return m
