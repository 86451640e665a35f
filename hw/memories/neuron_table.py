# SPDX-License-Identifier: Apache-2.0
"""Neuron table: membrane, decays and threshold of every neuron, two words each."""

from math import gcd

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.loads import LoadMap

from ..layouts import stored_layout
from .joiner import is_in

__all__ = ["NeuronTable"]


class NeuronTable(wiring.Component):
    """Two words per neuron: m and B, then the threshold and A.

    A word comes one cycle after ``en``. One word is read and one m is written in each cycle. After
    configuration the table holds ``image``.

    Parameters
    ----------
    image : list of :class:`int`
        As `plan.images.neuron_words` makes it.
    membrane, factor : :class:`int`
        Bits of ``value``; bits of ``factor``.
    loads : :class:`LoadMap`, optional
        What a host loads.

    Members
    -------
    en : :py:`In(1)`
        Read in this cycle.
    half, neuron : :py:`In(1)`, :py:`In(range(neurons))`
        Address: the half 0 or 1 of a neuron.
    value, factor : :py:`Out(signed(membrane))`, :py:`Out(factor)`
        m and B of half 0, or the threshold and A of half 1.
    store, stored, store_neuron : :py:`In(1)`, :py:`In(signed(membrane))`, :py:`In(range(neurons))`
        In a cycle with ``store``, ``stored`` becomes m of neuron ``store_neuron``.
    load : :py:`In(stored_layout(words, word_bytes))`
        Only with ``loads``: a word to store, in a cycle without ``store``.
    """

    def __init__(self, image: list[int], *, membrane: int, factor: int,
                 loads: LoadMap | None = None):
        self.image    = image
        self.region   = loads.region("neurons") if loads else None
        self.membrane = membrane
        self.column   = factor

        neuron = range(max(len(image) // 2, 2))
        super().__init__({
            "en":           In(1),
            "half":         In(1),
            "neuron":       In(neuron),
            "value":        Out(signed(membrane)),
            "factor":       Out(factor),
            "store":        In(1),
            "stored":       In(signed(membrane)),
            "store_neuron": In(neuron),
        } | ({
            "load":         In(stored_layout(loads.words, loads.word_bytes)),
        } if loads else {}))

    def elaborate(self, platform):
        m = Module()

        m.submodules.table = table = memory.Memory(
            shape=self.membrane + self.column, depth=len(self.image), init=self.image)
        read  = table.read_port()
        grain = gcd(self.membrane, self.column)
        write = table.write_port(granularity=grain)
        store = write.en[self.column // grain:]
        m.d.comb += [
            read.en.eq(self.en),
            read.addr.eq(Cat(self.half, self.neuron)),
            self.value.eq(read.data[self.column:]),
            self.factor.eq(read.data[:self.column]),
            write.addr[1:].eq(self.store_neuron),
            write.data.eq(self.stored << self.column),
            store.eq(self.store.replicate(len(store))),
        ]
        if self.region:
            with m.If(self.load.valid & is_in(self.load.word, self.region, 0, len(self.image))):
                m.d.comb += [
                    write.addr.eq(self.load.word),
                    write.data.eq(self.load.data),
                    write.en.eq(~0),
                ]

        return m
