# SPDX-License-Identifier: Apache-2.0
"""Spike log: who fired in the last steps, in order, for as long as a delay may ask."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .params import CoreParams

__all__ = ["SpikeLog"]


class SpikeLog(wiring.Component):
    """Lists of the spikes of each spiking population in each of the last ``slots`` steps.

    A list is as long as its population, so a spike always finds room. ``neuron`` follows
    ``delay``, ``source`` and ``index`` by one cycle; ``count`` follows them in the same cycle.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    step : :py:`In(1)`
        The step ends: the list of the next one starts empty.
    clear : :py:`In(1)`
        Empty every list.
    write : :py:`In(1)`
        Append ``write_neuron`` to the list of population ``source`` in this step.
    delay, source, index : :py:`In`
        Which spike to read: of which step, population, and the how-manieth.
    count : :py:`Out`
        Length of that list.
    neuron : :py:`Out`
        The spike: index of the neuron over all populations.
    """

    def __init__(self, params: CoreParams):
        self.params = params
        neuron = range(max(params.neurons, 2))

        super().__init__({
            "step":         In(1),
            "clear":        In(1),
            "write":        In(1),
            "write_neuron": In(neuron),
            "delay":        In(range(params.slots)),
            "source":       In(range(max(len(params.spiking), 2))),
            "index":        In(range(max(params.most_spikes, 2))),
            "count":        Out(range(params.most_spikes + 1)),
            "neuron":       Out(neuron),
        })

    def elaborate(self, platform):
        m = Module()

        lists  = len(self.params.spiking)
        place  = data.StructLayout({
            "index":  self.index.shape(),
            "slot":   range(self.params.slots),
            "source": range(lists),
        })
        m.submodules.list = memory.Memory(shape=self.neuron.shape(), depth=1 << place.size, init=[])
        read, write = m.submodules.list.read_port(), m.submodules.list.write_port()
        slot   = Signal(range(self.params.slots))
        due    = Signal.like(slot)
        counts = Array(Array(Signal.like(self.count, name=f"count_{k}_{t}")
                             for t in range(self.params.slots)) for k in range(lists))
        filled = counts[self.source][slot]
        m.d.comb += [
            due.eq(slot - self.delay),
            self.count.eq(counts[self.source][due]),
            read.addr.eq(Cat(self.index, due, self.source[:place["source"].width])),
            self.neuron.eq(read.data),
            write.addr.eq(Cat(filled[:len(self.index)], slot, self.source[:place["source"].width])),
            write.data.eq(self.write_neuron),
            write.en.eq(self.write),
        ]
        with m.If(self.write):
            m.d.sync += filled.eq(filled + 1)
        with m.If(self.step):
            m.d.sync += slot.eq(slot + 1)
            for row in counts:
                m.d.sync += row[(slot + 1)[:len(slot)]].eq(0)
        with m.If(self.clear):
            m.d.sync += [count.eq(0) for row in counts for count in row]

        return m
