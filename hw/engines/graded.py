# SPDX-License-Identifier: Apache-2.0
"""Graded update: gives each unit of a population its value."""

from dataclasses import dataclass, field
from typing import Any

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.images import UnitColumns
from spikewright.plan.program import tick_cycles

from ..layouts import membrane_layout, spike_layout
from ..signatures import CurrentsSignature, UpdateSignature
from .neurons import add_stages
from .serial import add_product, add_ticks
from .walk import LaneWalk

__all__ = ["GradedParams", "GradedUpdate", "Mode"]


@dataclass(frozen=True, kw_only=True, order=True)
class Mode:
    """What an update does with a population.

    Parameters
    ----------
    output : :class:`bool`
        Its values are outputs. Otherwise they are rectified and logged.
    keeps : :class:`bool`
        Its sums are those of a window, and stay.
    bits : :class:`int`
        Bits of a value that is logged, without a sign.
    pool : :class:`bool`
        A value is that of the larger one of two sums, and has a sign.
    holds : :class:`bool`
        Its sums are kept for the next pass, and there are no values.
    """

    output: bool
    keeps:  bool
    bits:   int
    pool:   bool = False
    holds:  bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class GradedParams:
    """Shape of a graded update, and the constants of its units.

    Parameters
    ----------
    lanes, words : :class:`int`
        Sums of a state word; state words.
    groups : :class:`int`
        Units of all populations.
    current, membrane : :class:`int`
        Bits of a sum, and of an output.
    value : :class:`int`
        Bits of a value that is logged, its sign included.
    modes : :class:`tuple` of :class:`Mode`
        What is done with the populations.
    columns : :class:`UnitColumns`
        What a word of ``image`` holds.
    image : :class:`list` of :class:`int`
        A word for each unit.
    late : :class:`bool`
        A value is logged a cycle later, when ``mode`` is still that of its pass. The population
        must not be the last one of a step.
    serial : :class:`bool`
        The multiplier takes one bit of a factor per cycle.
    """

    lanes:    int
    words:    int
    groups:   int
    current:  int
    membrane: int
    value:    int
    modes:    tuple[Mode, ...]
    columns:  UnitColumns
    image:    list = field(repr=False)
    late:     bool = False
    serial:   bool = False

    #: Units of a group.
    units = 1

    @property
    def currents(self):
        """Ports to the current memory."""
        return CurrentsSignature(self.lanes, self.words, self.current)

    @property
    def control(self):
        """Ports of the block that leads the update."""
        return UpdateSignature(self.groups, self.words, modes=len(self.modes))


class GradedUpdate(wiring.Component):
    """Gives the units of a population their values, as ``golden.core.map_units`` does.

    A unit takes one cycle. The first one is addressed 3 cycles after ``start``. ``done`` comes
    ``Map.cycles - 1`` cycles after ``start``. Nothing stalls the pipeline.

    With a serial multiplier, a unit takes a tick of ``plan.program.tick_cycles``, and the first one
    is addressed in the tick after ``start``. The pipeline then moves on by one stage per tick.

    Parameters
    ----------
    params : :class:`GradedParams`

    Members
    -------
    control : :py:`In(params.control)`
        From the sequencer. ``decay`` has no meaning.
    currents : :py:`Out(params.currents)`
        To :class:`CurrentMemory`.
    o : :py:`Out(membrane_layout(groups, 1, membrane))`
        Values of outputs.
    spike : :py:`Out(spike_layout(groups, 1, value))`
        Values for the log, those of 0 left out.
    saturated : :py:`Out(1)`
        A value is clamped in this cycle.
    """

    def __init__(self, params: GradedParams):
        self.params = params

        super().__init__({
            "control":   In(params.control),
            "currents":  Out(params.currents),
            "o":         Out(membrane_layout(params.groups, 1, params.membrane)),
            "spike":     Out(spike_layout(params.groups, 1, params.value)),
            "saturated": Out(1),
        })
        self._tick: Any = None          # with a serial multiplier: the pipeline moves on

    def elaborate(self, platform):
        m = top = Module()

        # a: addresses sum and constants. b: adds the bias. c: multiplies. d: rounds and clamps; or
        # shifts, and the cycle after rounds and clamps. With a serial multiplier, what is in d is
        # in the last cycle of c.
        params, control = self.params, self.control
        if params.serial:
            m = Module()
            self._tick = add_ticks(top, control, tick_cycles(params.columns.factor, "serial"))
            top.submodules.pipeline = EnableInserter(self._tick | control.start)(m)
        a, b, c, *d = add_stages(m, "abc" if params.serial else "abcd")
        last = d[0] if d else c
        mode  = control.mode if len(params.modes) > 1 else Const(0)
        output, keeps, pool, holds = (
            _choice(m, name, mode, [int(getattr(of, name)) for of in params.modes])
            for name in ("output", "keeps", "pool", "holds"))
        unit = self._walk(m, a)
        bias, factor, shift = self._constants(m, a.valid, unit)
        total, c_factor, c_shift = (Signal(signed(params.current)), Signal.like(factor),
                                    Signal.like(shift))
        m.d.sync += [       # nothing overflows: see `model.graded.sum_limits`
            total.eq(self._larger(m, self._sum(m, a.valid, b.valid, keeps), unit, a.valid,
                                  b.valid, pool, holds) + bias),
            c_factor.eq(factor),
            c_shift.eq(shift),
        ]
        m.d.comb += [
            self.o.valid.eq(c.valid & output),
            self.o.membranes[0].eq(Mux(control.clear, 0, total)),
            control.done.eq(self._once(last.valid & last.last)),
        ]
        gives = self._once(last.valid & ~output & ~control.clear)
        if any(of.holds for of in params.modes):
            gives = gives & ~holds
        self._value(m, top, gives, total, factor if params.serial else c_factor, c_shift, mode,
                    pool)
        given = _later(m, self.o.group) if params.late else self.o.group
        m.d.sync += self.o.group.eq(Mux(control.start, control.first, self.o.group + c.valid))
        spike_group = m.d.comb if params.serial else m.d.sync
        spike_group += self.spike.group.eq(given)

        return top

    def _once(self, flag):
        """A flag of a stage, in one cycle of it."""
        return flag if self._tick is None else flag & self._tick

    def _sum(self, m, reads, has, keeps):
        """The sum of a unit, in the cycle with ``has``. Unless it is kept, it becomes 0."""
        params, control, currents = self.params, self.control, self.currents
        m.submodules.reads  = read  = LaneWalk(params.lanes, params.words)
        m.submodules.writes = write = LaneWalk(params.lanes, params.words)
        for lanes, step in ((read, reads), (write, has)):
            m.d.comb += [
                lanes.start.eq(control.start),
                lanes.word.eq(control.word),
                lanes.step.eq(step),
            ]
        m.d.comb += [
            currents.reads.eq(self._once(reads)),
            currents.read_words.eq(read.at_word.replicate(params.lanes)),
            currents.write_words.eq(write.at_word.replicate(params.lanes)),
            currents.write_lanes.eq((has & (~keeps | control.clear)) << write.at_lane),
        ]
        return currents.read[write.at_lane]

    def _larger(self, m, found, unit, reads, has, pool, holds):
        """The larger one of a sum and the one that was kept, for a pool; otherwise the sum."""
        params, clear = self.params, self.control.clear
        if not any(of.pool for of in params.modes):
            return found
        m.submodules.kept = kept = memory.Memory(shape=signed(params.current), init=[],
                                                 depth=params.groups)
        read, write = kept.read_port(), kept.write_port()
        m.d.sync += write.addr.eq(unit)
        m.d.comb += [
            read.en.eq(reads),
            read.addr.eq(unit),
            write.en.eq(has & (holds | clear)),
            write.data.eq(Mux(clear, 0, found)),
        ]
        return Mux(pool & (read.data > found), read.data, found)

    def _walk(self, m, a):
        """Count through the units of a pass, from the third cycle after ``start`` on.

        By the first write of the pass, the adder has written its last word. A tick is long enough.
        """
        control = self.control
        waits = Signal(2)
        unit  = Signal.like(control.first)
        left  = Signal.like(control.count)
        m.d.comb += [
            a.valid.eq((left != 0) if self.params.serial else (left != 0) & ~waits.any()),
            a.last.eq(left == 1),
        ]
        if not self.params.serial:
            m.d.sync += waits.eq(Cat(control.start, waits[0]))
        with m.If(control.start):
            m.d.sync += [
                unit.eq(control.first),
                left.eq(control.count),
            ]
        with m.Elif(a.valid):
            m.d.sync += [
                unit.eq(unit + 1),
                left.eq(left - 1),
            ]
        return unit

    def _constants(self, m, reads, unit):
        """Bias, factor and number of the shift of a unit, one cycle after its number."""
        columns = self.params.columns
        m.submodules.constants = constants = memory.Memory(
            shape=columns.bits, depth=len(self.params.image), init=self.params.image,
            attrs={"ram_style": "block"})
        port = constants.read_port()
        m.d.comb += [
            port.en.eq(reads),
            port.addr.eq(unit),
        ]
        factor, shift = port.data[columns.bias:], columns.bias + columns.factor
        return (port.data[:columns.bias].as_signed(), factor[:columns.factor],
                port.data[shift:])

    def _value(self, m, top, valid, total, factor, shift, mode, pool):
        """``min(rnd(max(total, 0) * factor), largest)``, in the cycle after its operands.

        A value of a pool may be negative. A serial multiplier works in ``top``, and takes its
        factor a tick before.
        """
        params, shifts = self.params, self.params.columns.shifts
        width = params.current - 1
        some  = any(of.pool for of in params.modes)
        operand = (Mux(total[-1] & ~pool, 0, total).as_signed() if some else
                   Mux(total[-1], 0, total[:width]))
        if params.serial:
            product = add_product(top, operand, factor, self._tick, len(factor))
            d_shift = shift
        else:
            product = Signal(signed(width + len(factor) + 1) if some else width + len(factor),
                             reset_less=True)
            d_shift = Signal.like(shift)
            m.d.sync += [
                product.eq(operand * factor),
                d_shift.eq(shift),
            ]
        # One bit below those that stay: the one that rounds.
        kept    = _choice(m, "kept", d_shift, [product >> by - 1 for by in shifts])
        if some:
            kept = kept.as_signed()
        if params.late:
            kept, valid = _later(m, kept), _later(m, valid)
        rounded = (kept >> 1) + kept[0]
        below   = rounded[-1]
        above   = _choice(m, "above", mode, [
            (rounded[of.bits:] ^ below.replicate(len(rounded) - of.bits) if some else
             rounded[of.bits:]).any() for of in params.modes])
        largest = _choice(m, "largest", mode, [(1 << of.bits) - 1 for of in params.modes])
        m.d.comb += [
            self.spike.valid.eq(valid & (rounded != 0)),
            self.spike.fired.eq(1),
            self.spike.value.eq(Mux(above, Mux(below, -largest - 1, largest) if some else largest,
                                    rounded)),
            self.saturated.eq(valid & above),
        ]


def _later(m, value):
    """``value`` one cycle later."""
    later = Signal.like(value, name="later")
    m.d.sync += later.eq(value)
    return later


def _choice(m, name, number, values):
    """The value with this number; a constant or an expression if all are the same."""
    if all(value is values[0] or repr(value) == repr(values[0]) for value in values):
        return Value.cast(values[0])
    values = [Value.cast(value) for value in values]
    chosen = Signal(max(len(value) for value in values), name=name)
    with m.Switch(number):
        for k, value in enumerate(values):
            with m.Case(k):
                m.d.comb += chosen.eq(value)
    return chosen
