# SPDX-License-Identifier: Apache-2.0
"""Spike log: which neurons fired in the last steps, in their order."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In

from ..layouts import group_layout, spike_layout
from ..signatures import SpikeListSignature

__all__ = ["SpikeLog", "SpikeLogParams"]


@dataclass(frozen=True, kw_only=True)
class SpikeLogParams:
    """Shape of the spike log.

    Parameters
    ----------
    groups : :class:`int`
        Groups of all populations.
    units : :class:`int`
        Neurons of a group.
    lists : :class:`int`
        Spiking populations.
    list_groups : :class:`int`
        Groups of the largest of them.
    slots : :class:`int`
        Steps that the log remembers, a power of two.
    streams : :class:`bool`
        A spike may be taken in every cycle.
    """

    groups:      int
    units:       int
    lists:       int
    list_groups: int
    slots:       int
    streams:     bool = False

    @property
    def signature(self):
        """Ports of the block that reads the lists."""
        return SpikeListSignature(self.slots, self.lists, self.groups * self.units)


class SpikeLog(wiring.Component):
    """Lists of the spikes of each spiking population in each of the last ``slots`` steps.

    ``more`` follows ``select`` and ``take`` by one cycle. ``number`` follows them by two cycles,
    if the first of these cycles has ``fetch``. Where spikes stream, ``number`` follows ``take``
    with ``fetch`` by one cycle. All lists are empty after configuration.

    A list has an entry for each group with at least one neuron that fired. It has room for all
    groups of its population. It is read neuron by neuron: the groups in the order in which they
    fired, the lanes of a group in ascending order.

    Parameters
    ----------
    params : :class:`SpikeLogParams`

    Members
    -------
    read : :py:`In(SpikeListSignature(slots, lists, groups * units))`
    spike : :py:`In(spike_layout(groups, units))`
        Append a group to the selected list, whose ``delay`` must be 0.
    step : :py:`In(1)`
        The step ends. The lists of the next step start empty.
    clear : :py:`In(1)`
        Empty every list.
    """

    def __init__(self, params: SpikeLogParams):
        self.params = params

        super().__init__({
            "read":  In(params.signature),
            "spike": In(spike_layout(params.groups, params.units)),
            "step":  In(1),
            "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()

        lists, slots = self.params.lists, self.params.slots
        place = data.StructLayout({
            "index": range(max(self.params.list_groups, 2)),
            "slot":  range(slots),
            "list":  range(lists),
        })
        entry = group_layout(self.params.groups, self.params.units)
        m.submodules.list = memory.Memory(shape=entry, depth=1 << place.size, init=[])
        read, write = m.submodules.list.read_port(), m.submodules.list.write_port()
        now    = Signal(range(slots))
        chosen = Signal(data.StructLayout({key: place[key].shape for key in ("slot", "list")}))
        index  = Signal(range(self.params.list_groups + 1))
        counts = Array(Array(Signal.like(index, name=f"count_{k}_{t}") for t in range(slots))
                       for k in range(lists))
        count  = counts[chosen.list][chosen.slot]
        following = self._walk(m, read.data, index)
        with m.If(self.read.select):
            m.d.sync += [
                chosen.slot.eq(now - self.read.delay),
                chosen.list.eq(self.read.list),
                index.eq(0),
            ]
        m.d.comb += [
            self.read.more.eq(index != count),
            read.en.eq(self.read.fetch),
            read.addr.eq(Cat(following[:place["index"].width], chosen.slot, chosen.list)),
            write.addr.eq(Cat(count[:place["index"].width], chosen.slot, chosen.list)),
            write.data.eq(Cat(self.spike.group, self.spike.fired)),
            write.en.eq(self.spike.valid),
        ]
        with m.If(self.spike.valid):
            m.d.sync += count.eq(count + 1)
        with m.If(self.step):
            m.d.sync += now.eq(now + 1)
            m.d.sync += [row[(now + 1)[:len(now)]].eq(0) for row in counts]
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
            self.read.number.eq(entry.group * units + lane),
        ]
        for k in reversed(range(units)):
            with m.If(left[k]):
                m.d.comb += lane.eq(k)
        # Not as `left & (left - 1)`, whose carry would come after the memory.
        rest = Cat(left[k] & left[:k].any() for k in range(units))
        with m.If(self.read.take):
            m.d.sync += taken.eq(~rest)
            with m.If(~rest.any()):
                m.d.sync += [
                    taken.eq(0),
                    index.eq(index + 1),
                ]
        if self.params.streams:
            return index + (self.read.take & ~rest.any())
        return index
