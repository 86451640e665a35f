# SPDX-License-Identifier: Apache-2.0
"""Spike log: which neurons fired in the last steps, in their order."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..layouts import event_layout, group_layout, spike_layout
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
    rows, room : :class:`int`
        Input rows, and events of a step that one more list keeps; 0 without an input log.
    value : :class:`int`
        Bits of a value; 0 without values. An entry is then one unit and its value.
    restarts : :class:`bool`
        A list may begin again within a step.
    reach : :class:`tuple` of (:class:`int`, :class:`int`)
        Longest delay and groups of each list. A list then has no more counts than that, and they
        move on with each step. Without it, a list has a count for each slot.
    """

    groups:      int
    units:       int
    lists:       int
    list_groups: int
    slots:       int
    streams:     bool = False
    rows:        int  = 0
    room:        int  = 0
    value:       int  = 0
    restarts:    bool = False
    reach:       tuple[tuple[int, int], ...] = ()

    @property
    def signature(self):
        """Ports of the block that reads the lists."""
        return SpikeListSignature(self.slots, self.all_lists,
                                  max(self.groups * self.units, self.rows), self.value)

    @property
    def spike(self):
        """Shape of what is appended to a list."""
        return spike_layout(self.groups, self.units, self.value)

    @property
    def entry(self):
        """Shape of an entry of a list."""
        group = group_layout(max(self.groups, self.rows), self.units)
        if not self.value:
            return group
        return data.StructLayout({"group": group["group"].shape, "value": signed(self.value)})

    @property
    def all_lists(self):
        """The spike lists and, as the last one, the list of the input log."""
        return self.lists + (self.room > 0)


class SpikeLog(wiring.Component):
    """Lists of the spikes of each spiking population in each of the last ``slots`` steps.

    ``more`` follows ``select`` and ``take`` by one cycle. ``number`` follows them by two cycles,
    if the first of these cycles has ``fetch``. Where spikes stream, ``number`` follows ``take``
    with ``fetch`` by one cycle. All lists are empty after configuration.

    A list has an entry for each group with at least one neuron that fired. It has room for all
    groups of its population. It is read neuron by neuron: the groups in the order in which they
    fired, the lanes of a group in ascending order.

    With an input log, the last list has an entry for each event, and ``number`` is its row. An
    event that finds the list full is lost.

    Parameters
    ----------
    params : :class:`SpikeLogParams`

    Members
    -------
    read : :py:`In(params.signature)`
    spike : :py:`In(params.spike)`
        Append a group to the selected list, whose ``delay`` must be 0.
    step : :py:`In(1)`
        The step ends. The lists of the next step start empty.
    clear : :py:`In(1)`
        Empty every list.
    event : :py:`In(event_layout(rows))`
        Append an event to the last list, which must be selected in the next cycle; only with
        ``room``.
    lost : :py:`Out(1)`
        An event is lost in this cycle; only with ``room``.
    restart : :py:`In(1)`
        Empty the selected list; only with ``restarts``.
    """

    def __init__(self, params: SpikeLogParams):
        self.params = params

        super().__init__({
            "read":  In(params.signature),
            "spike": In(params.spike),
            "step":  In(1),
            "clear": In(1),
        } | ({
            "event": In(event_layout(params.rows)),
            "lost":  Out(1),
        } if params.room else {}) | ({"restart": In(1)} if params.restarts else {}))

    def elaborate(self, platform):
        m = Module()

        params = self.params
        lists, slots = params.all_lists, params.slots
        most  = max(params.list_groups, params.room)
        place = data.StructLayout({
            "index": range(max(most, 2)),
            "slot":  range(slots),
            "list":  range(lists),
        })
        m.submodules.list = memory.Memory(shape=params.entry, depth=1 << place.size, init=[])
        read, write = m.submodules.list.read_port(), m.submodules.list.write_port()
        now    = Signal(range(slots))
        chosen = Signal(data.StructLayout({key: place[key].shape for key in ("slot", "list")}))
        index  = Signal(range(most + 1))
        counts = self._counts(index)
        count  = counts[chosen.list][self._age(m) if params.reach else chosen.slot]
        logs = (chosen.list == params.lists) if params.room else Const(0)
        following = self._walk(m, read.data, index, logs)
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
            write.data.group.eq(self.spike.group),
            (write.data.value.eq(self.spike.value) if params.value else
             write.data.fired.eq(self.spike.fired)),
            write.en.eq(self.spike.valid),
        ]
        if params.value:
            m.d.comb += self.read.value.eq(read.data.value)
        if params.room:
            self._log(m, write, count)
        if params.reach:
            self._move(m, counts, write.en, chosen.list, count)
        else:
            with m.If(write.en):
                m.d.sync += count.eq(count + 1)
        if params.restarts:
            with m.If(self.restart):
                m.d.sync += count.eq(0)
        with m.If(self.step):
            m.d.sync += now.eq(now + 1)
            if not params.reach:
                m.d.sync += [row[(now + 1)[:len(now)]].eq(0) for row in counts]
        with m.If(self.clear):
            m.d.sync += [count.eq(0) for row in counts for count in row]

        return m

    def _counts(self, index):
        """Entries of each list: by slot, or with ``reach`` by age."""
        params = self.params
        if not params.reach:
            return Array(Array(Signal.like(index, name=f"count_{k}_{t}")
                               for t in range(params.slots)) for k in range(params.all_lists))
        return Array(Array(Signal(range(groups + 1), name=f"count_{k}_{age}")
                           for age in range(longest + 1))
                     for k, (longest, groups) in enumerate(params.reach))

    def _age(self, m):
        """Age of the selected list."""
        age = Signal.like(self.read.delay)
        with m.If(self.read.select):
            m.d.sync += age.eq(self.read.delay)
        return age

    def _move(self, m, counts, writes, chosen, count):
        """Count what is appended to the list of this step, and move all counts on with the step."""
        more = Signal.like(count)
        m.d.comb += more.eq(count + 1)
        for k, row in enumerate(counts):
            with m.If(writes & (chosen == k)):
                m.d.sync += row[0].eq(more)
            with m.If(self.step):
                m.d.sync += [later.eq(before) for before, later in
                             zip([0, *row], row, strict=False)]

    def _log(self, m, write, count):
        """Append an event in the cycle after it was taken: its list is selected by then."""
        event = Signal.like(self.event)
        m.d.sync += event.eq(self.event)
        with m.If(event.valid):
            m.d.comb += [
                write.data.group.eq(event.row),
                write.data.fired.eq(1),
                write.en.eq(count != self.params.room),
                self.lost.eq(count == self.params.room),
            ]

    def _walk(self, m, entry, index, logs):
        """Go through the lanes of a group that fired, the lowest first, then to the next group.

        ``logs`` is whether the list is the input log. Returns the index to read at: that of the
        next group as soon as it is known, where it is needed so early.
        """
        units = self.params.units
        taken = Signal(units)               # lanes of the group that are done with
        left  = Signal(units)
        lane  = Signal(range(max(units, 2)))
        m.d.comb += [
            left.eq((C(1, 1) if self.params.value else entry.fired) & ~taken),
            self.read.number.eq(Mux(logs, entry.group, entry.group * units + lane)),
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
