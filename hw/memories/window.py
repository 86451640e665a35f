# SPDX-License-Identifier: Apache-2.0
"""Window log: what came in the last steps, such as the input events that leave a window again."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..signatures import SpikeListSignature, WindowSignature

__all__ = ["WindowLog", "WindowLogParams"]


@dataclass(frozen=True, kw_only=True)
class WindowLogParams:
    """Shape of the log of the windows.

    Parameters
    ----------
    rows : :class:`int`
        Input rows.
    room : :class:`int`
        Events of all steps that the log keeps, a power of two.
    longest : :class:`int`
        Steps after which an event leaves its last window.
    streams : :class:`bool`
        An event may be taken in every cycle.
    fills : :class:`bool`
        A look has steps in which it is made, and the present step may be looked at.
    value : :class:`int`
        Bits of a value that comes with a row, which is then a unit. The present step may be looked
        at. 0 for input events.
    """

    rows:    int
    room:    int
    longest: int
    streams: bool = False
    fills:   bool = False
    value:   int  = 0

    @property
    def signature(self):
        """Ports of the block that reads the log."""
        return SpikeListSignature(self.slots, 1, self.rows, self.value, self.ages)

    @property
    def ample(self) -> bool:
        """Whether it is never full. A unit gives one value in a step."""
        return self.value > 0 and self.room >= (self.longest + 1) * self.rows

    @property
    def ages(self) -> int:
        """Numbers of steps after a reset that a look may name; 0 if none does."""
        return self.longest + 2 if self.fills else 0

    @property
    def slots(self) -> int:
        """Steps that the marks are kept for: a power of two."""
        return 1 << self.longest.bit_length()

    @property
    def age(self):
        """Shape of a number of steps, which stops at ``longest``."""
        return range(self.longest + 1)


class WindowLog(wiring.Component):
    """Ring of the input events of the last ``longest`` steps, with a mark for each step.

    It is read like a list of :class:`SpikeLog`: ``more`` follows ``select`` and ``take`` by one
    cycle, and ``number`` by two. It is empty after configuration. Steps before the last reset have
    no events. The events of a step are free once they were looked at with the delay ``longest``.

    Parameters
    ----------
    params : :class:`WindowLogParams`

    Members
    -------
    read : :py:`In(params.signature)`
        ``delay`` is 1 to ``longest``, or with ``fills`` or ``value`` 0 to ``longest``. ``list`` has
        no meaning.
    input : :py:`In(WindowSignature(rows, value))`
        Append an event to this step.
    lost : :py:`Out(1)`
        An event is lost in this cycle.
    age : :py:`Out(params.age)`
        Steps since the last reset, ``longest`` at most.
    step : :py:`In(1)`
        The step ends.
    clear : :py:`In(1)`
        Forget all events and steps.
    """

    def __init__(self, params: WindowLogParams):
        self.params = params

        super().__init__({
            "read":  In(params.signature),
            "input": In(WindowSignature(params.rows, params.value)),
            "lost":  Out(1),
            "age":   Out(params.age),
            "step":  In(1),
            "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()

        params = self.params
        # Places count to twice the room, so that a full ring is not taken for an empty one.
        place = unsigned(params.room.bit_length())
        first = Signal(place)       # of this step
        stop  = Signal(place)
        kept  = Signal(place)       # the oldest event that may still leave a window
        self._ring(m, self._walk(m, self._mark(m, place, first, stop), kept), stop)
        m.d.comb += [
            self.input.full.eq(0 if params.ample else (stop ^ kept) == params.room),
            self.lost.eq(self.input.event.valid & self.input.full),
        ]
        with m.If(self.input.event.valid & ~self.input.full):
            m.d.sync += stop.eq(stop + 1)
        with m.If(self.step):
            m.d.sync += [
                first.eq(stop),
                self.age.eq(self.age + (self.age != params.longest)),
            ]
        with m.If(self.clear):
            m.d.sync += [signal.eq(0) for signal in (first, stop, kept, self.age)]

        return m

    def _ring(self, m, at, stop):
        """Read the event at a place, and write the one that comes."""
        m.submodules.ring = ring = memory.Memory(
            shape=self._entry, depth=self.params.room, init=[])
        read, write = ring.read_port(), ring.write_port()
        m.d.comb += [
            self.read.number.eq(read.data.row if self.params.value else read.data),
            read.en.eq(self.read.fetch),
            read.addr.eq(at),
            write.addr.eq(stop),
            *([write.data.row.eq(self.input.event.row), write.data.value.eq(self.input.event.value)]
              if self.params.value else [write.data.eq(self.input.event.row)]),
            write.en.eq(self.input.event.valid & ~self.input.full),
        ]
        if self.params.value:
            m.d.comb += self.read.value.eq(read.data.value)

    @property
    def _entry(self):
        """Shape of an entry of the ring."""
        row = range(max(self.params.rows, 2))
        if not self.params.value:
            return row
        return data.StructLayout({"row": row, "value": signed(self.params.value)})

    def _mark(self, m, place, first, stop):
        """Keep where the events of a step are, and read it for the step that is selected."""
        m.submodules.marks = marks = memory.Memory(
            shape=data.StructLayout({"first": place, "stop": place}), depth=self.params.slots,
            init=[])
        read, write = marks.read_port(), marks.write_port()
        now = Signal(range(self.params.slots))
        m.d.sync += now.eq(now + self.step)
        m.d.comb += [
            write.addr.eq(now),
            write.data.first.eq(first),
            write.data.stop.eq(stop),
            write.en.eq(self.step),
            read.addr.eq(now - self.read.delay),
            read.en.eq(self.read.select),
        ]
        if not (self.params.fills or self.params.value):
            return read.data.first, read.data.stop
        present = Signal()
        with m.If(self.read.select):
            m.d.sync += present.eq(self.read.delay == 0)
        return Mux(present, first, read.data.first), Mux(present, stop, read.data.stop)

    def _walk(self, m, mark, kept):
        """Go through the events of the selected step. Returns the place to read at."""
        first, stop = mark
        fresh = Signal()            # the mark has just been read
        known = Signal()            # the step has events to look at
        last  = Signal()            # no window has the events any more
        index = Signal.like(kept)
        at    = Signal.like(kept)
        m.d.comb += [
            at.eq(Mux(fresh, first, index)),
            self.read.more.eq(known & (at != stop)),
        ]
        m.d.sync += fresh.eq(self.read.select)
        with m.If(self.read.select):
            old = (self.age >= self.read.delay if not self.params.fills else
                   (self.age >= self.read.since) & (self.age < self.read.before))
            m.d.sync += [
                known.eq(old),
                last.eq(old & (self.read.delay == self.params.longest)),
            ]
        with m.If(fresh):
            m.d.sync += index.eq(first)
            if not self.params.ample:
                with m.If(last):
                    m.d.sync += kept.eq(stop)
        with m.If(self.read.take):
            m.d.sync += index.eq(index + 1)
        # Where events are taken in every cycle, the next one is read while this one is taken.
        return at + self.read.take if self.params.streams else at
