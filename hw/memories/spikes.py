# SPDX-License-Identifier: Apache-2.0
"""Spike log: who fired in the last steps, in order, for as long as a delay may ask."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..layouts import group_layout
from ..params import CoreParams

__all__ = ["SpikeLog"]


class SpikeLog(wiring.Component):
    """Lists of the spikes of each spiking population in each of the last ``slots`` steps.

    A list has an entry for each group of neurons of which any fired, and room for all groups of
    its population. It is read neuron by neuron, the lanes of a group in ascending order: ``more``
    follows ``select`` and ``take`` by one cycle, ``number`` by two, if the first has ``fetch``.
    Where rows stream (``CoreParams.streams``), ``number`` follows ``take`` with ``fetch`` by one.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    step : :py:`In(1)`
        The step ends: the list of the next one starts empty.
    clear : :py:`In(1)`
        Empty every list.
    fetch : :py:`In(1)`
        Read the group of ``number``, which is steady until the next such cycle.
    select : :py:`In(1)`
        Turn to the begin of the list of population ``source``, ``delay`` steps ago.
    write : :py:`In(1)`
        Append ``write_group`` to the list; it must be one with ``delay`` 0.
    write_group : :py:`In(group_layout(groups, units))`
    more : :py:`Out(1)`
        A spike of the list is left.
    number : :py:`Out(range(groups * units))`
        The first of those: place of the neuron among the groups of all populations.
    take : :py:`In(1)`
        Go on to the next spike; only where ``number`` is valid.
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__({
            "step":        In(1),
            "clear":       In(1),
            "fetch":       In(1),
            "select":      In(1),
            "delay":       In(range(params.slots)),
            "source":      In(range(max(len(params.spiking), 2))),
            "write":       In(1),
            "write_group": In(group_layout(params.groups, params.units)),
            "more":        Out(1),
            "number":      Out(range(max(params.groups * params.units, 2))),
            "take":        In(1),
        })

    def elaborate(self, platform):
        m = Module()

        lists = len(self.params.spiking)
        place = data.StructLayout({
            "index":  range(max(self.params.most_groups, 2)),
            "slot":   range(self.params.slots),
            "source": range(lists),
        })
        m.submodules.list = memory.Memory(shape=self.write_group.shape(),
                                          depth=1 << place.size, init=[])
        read, write = m.submodules.list.read_port(), m.submodules.list.write_port()
        now    = Signal(range(self.params.slots))
        chosen = Signal(data.StructLayout({key: place[key].shape for key in ("slot", "source")}))
        index  = Signal(range(self.params.most_groups + 1))
        counts = Array(Array(Signal.like(index, name=f"count_{k}_{t}")
                             for t in range(self.params.slots)) for k in range(lists))
        count  = counts[chosen.source][chosen.slot]
        following = self._walk(m, read.data, index)
        with m.If(self.select):
            m.d.sync += [
                chosen.slot.eq(now - self.delay),
                chosen.source.eq(self.source),
                index.eq(0),
            ]
        m.d.comb += [
            self.more.eq(index != count),
            read.en.eq(self.fetch),
            read.addr.eq(Cat(following[:place["index"].width], chosen.slot, chosen.source)),
            write.addr.eq(Cat(count[:place["index"].width], chosen.slot, chosen.source)),
            write.data.eq(self.write_group),
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

    def _walk(self, m, entry, index):
        """Go through the lanes of a group that fired, the lowest first, then to the next group.

        Returns the index to read at: that of the next group as soon as it is known, where it is
        needed so early.
        """
        units = self.params.units
        taken = Signal(units)               # lanes of the group that are done with
        left  = Signal(units)
        lane  = Signal(range(max(units, 2)))
        m.d.comb += [
            left.eq(entry.fired & ~taken),
            self.number.eq(entry.group * units + lane),
        ]
        for k in reversed(range(units)):
            with m.If(left[k]):
                m.d.comb += lane.eq(k)
        # Not as `left & (left - 1)`, whose carry would come after the memory.
        rest = Cat(left[k] & left[:k].any() for k in range(units))
        with m.If(self.take):
            m.d.sync += taken.eq(~rest)
            with m.If(~rest.any()):
                m.d.sync += [
                    taken.eq(0),
                    index.eq(index + 1),
                ]
        return index + (self.take & ~rest.any()) if self.params.streams else index
