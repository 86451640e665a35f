# SPDX-License-Identifier: Apache-2.0
"""Spike log: who fired in the last steps, in order, for as long as a delay may ask."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .params import CoreParams

__all__ = ["SpikeLog"]


class SpikeLog(wiring.Component):
    """Lists of the spikes of each spiking population in each of the last ``slots`` steps.

    A list is as long as its population, so a spike always finds room. ``count`` follows
    ``select`` by one cycle, and ``neuron`` follows ``index`` by one cycle.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    step : :py:`In(1)`
        The step ends: the list of the next one starts empty.
    clear : :py:`In(1)`
        Empty every list.
    select : :py:`In(1)`
        Turn to the list of population ``source``, ``delay`` steps ago.
    write : :py:`In(1)`
        Append ``write_neuron`` to the list; it must be one with ``delay`` 0.
    index : :py:`In(range(most_spikes + 1))`
        Place of the spike to read.
    count : :py:`Out(range(most_spikes + 1))`
        Length of the list.
    neuron : :py:`Out(range(neurons))`
        The spike: index of the neuron over all populations.
    """

    def __init__(self, params: CoreParams):
        self.params = params
        neuron = range(max(params.neurons, 2))

        super().__init__({
            "step":         In(1),
            "clear":        In(1),
            "select":       In(1),
            "delay":        In(range(params.slots)),
            "source":       In(range(max(len(params.spiking), 2))),
            "write":        In(1),
            "write_neuron": In(neuron),
            "index":        In(range(params.most_spikes + 1)),
            "count":        Out(range(params.most_spikes + 1)),
            "neuron":       Out(neuron),
        })

    def elaborate(self, platform):
        m = Module()

        lists = len(self.params.spiking)
        place = data.StructLayout({
            "index":  range(max(self.params.most_spikes, 2)),
            "slot":   range(self.params.slots),
            "source": range(lists),
        })
        m.submodules.list = memory.Memory(shape=self.neuron.shape(), depth=1 << place.size, init=[])
        read, write = m.submodules.list.read_port(), m.submodules.list.write_port()
        now    = Signal(range(self.params.slots))
        chosen = Signal(data.StructLayout({key: place[key].shape for key in ("slot", "source")}))
        counts = Array(Array(Signal.like(self.count, name=f"count_{k}_{t}")
                             for t in range(self.params.slots)) for k in range(lists))
        count  = counts[chosen.source][chosen.slot]
        with m.If(self.select):
            m.d.sync += [
                chosen.slot.eq(now - self.delay),
                chosen.source.eq(self.source),
            ]
        m.d.comb += [
            self.count.eq(count),
            read.addr.eq(Cat(self.index[:place["index"].width], chosen.slot, chosen.source)),
            self.neuron.eq(read.data),
            write.addr.eq(Cat(count[:place["index"].width], chosen.slot, chosen.source)),
            write.data.eq(self.write_neuron),
            write.en.eq(self.write),
        ]
        with m.If(self.write):
            m.d.sync += count.eq(count + 1)
        with m.If(self.step):
            m.d.sync += now.eq(now + 1)
            for row in counts:
                m.d.sync += row[(now + 1)[:len(now)]].eq(0)
        with m.If(self.clear):
            m.d.sync += [count.eq(0) for row in counts for count in row]

        return m
