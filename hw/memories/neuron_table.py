# SPDX-License-Identifier: Apache-2.0
"""Neuron table: membrane, decays and threshold of every neuron, two words each."""

from math import gcd

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

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
    """

    def __init__(self, image: list[int], *, membrane: int, factor: int):
        self.image    = image
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
        })

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

        return m
