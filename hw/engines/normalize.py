# SPDX-License-Identifier: Apache-2.0
"""Normalization: gives the first layer of an inner step its currents from a part of the window."""

from dataclasses import dataclass, field

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spikewright.model.inner import INDEX_BITS, ROOT_BITS, root_table

from ..arith import overflows, round_half_up, saturate
from ..signatures import CurrentsSignature, MomentsSignature, UpdateSignature
from .walk import LaneWalk

__all__ = ["NormalizeParams", "NormalizeUpdate"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NormalizeParams:
    """Shape of a normalization, and the constants of its units.

    Parameters
    ----------
    lanes, words : :class:`int`
        Sums of a state word; state words.
    groups : :class:`int`
        Units of all parts.
    current, fraction : :class:`int`
        Bits of a current, and its fraction bits.
    parts, rows : :class:`int`
        Parts of the window; input rows.
    target : :class:`int`
        State word at which the currents of the first layer begin.
    epsilon : :class:`int`
        What is added to the square of the spread.
    count, square, spread : :class:`int`
        Bits of the sum of all counts, of that of their squares, and of the square of the spread.
    wide : :class:`int`
        Bits of a sum times the number of counts, less its mean.
    bias, total : :class:`int`
        Bits of a bias, and of the sum of the weights of a unit.
    image : :class:`list` of :class:`int`
        A word for each unit, the bias in its lowest bits, then the sum of its weights.
    """

    lanes:    int
    words:    int
    groups:   int
    current:  int
    fraction: int
    parts:    int
    rows:     int
    target:   int
    epsilon:  int
    count:    int
    square:   int
    spread:   int
    wide:     int
    bias:     int
    total:    int
    image:    list = field(repr=False)

    #: Units of a group, and bits of a value: it logs none.
    units = 1
    value = 0

    @property
    def cells(self):
        """Counts of the window."""
        return self.parts * self.rows

    @property
    def exponents(self):
        """The largest exponent of a root."""
        return self.spread // 2 - 1

    @property
    def currents(self):
        """Ports to the current memory."""
        return CurrentsSignature(self.lanes, self.words, self.current)

    @property
    def control(self):
        """Ports of the block that leads the update."""
        return UpdateSignature(self.groups, self.words, inner=self.parts)

    @property
    def moments(self):
        """Ports to the moments of the window."""
        return MomentsSignature(self.parts, self.rows, self.count, self.square)


class NormalizeUpdate(wiring.Component):
    """Gives the first layer its currents, as ``golden.core.normalize`` does.

    One multiplier forms all products, one after the other. ``done`` comes ``Map.cycles - 1`` cycles
    after ``start``. Nothing stalls. A pass that clears writes 0 to the counts and to the sums of
    its part, and takes a cycle for each.

    Parameters
    ----------
    params : :class:`NormalizeParams`

    Members
    -------
    control : :py:`In(params.control)`
        From the sequencer. ``inner`` is the number of the part. ``decay`` has no meaning.
    currents : :py:`Out(params.currents)`
        To :class:`CurrentMemory`.
    moments : :py:`Out(params.moments)`
        To :class:`Moments`.
    saturated : :py:`Out(1)`
        A current is clamped in this cycle.
    """

    def __init__(self, params: NormalizeParams):
        self.params = params

        super().__init__({
            "control":   In(params.control),
            "currents":  Out(params.currents),
            "moments":   Out(params.moments),
            "saturated": Out(1),
        })
        factor = max(ROOT_BITS, params.count, params.cells.bit_length())
        # What the states share: operands of the multiplier, and their product a cycle later.
        self._x       = Signal(signed(max(params.wide, params.square + 1)), reset_less=True)
        self._k       = Signal(factor, reset_less=True)
        self._product = Signal(signed(len(self._x) + factor), reset_less=True)
        self._left     = Signal(range(max(params.exponents, params.rows) + 1))
        self._exponent = Signal(range(params.exponents + 1))
        self._step     = Signal()       # a unit is done

    def elaborate(self, platform):
        m = Module()

        control = self.control
        unit, last = self._units(m)
        bias, total = self._constants(m, unit)
        m.d.sync += self._product.eq(self._x * self._k)
        m.d.comb += control.done.eq(self._step & last)
        with m.FSM():
            with m.State("REST"):
                m.d.sync += self._left.eq(self.params.rows)
                with m.If(control.start):
                    self._multiply(m, self.moments.squares, self.params.cells)
                    m.next = "ONCE"
                    with m.If(control.clear):
                        m.next = "COUNTS"
            self._root(m)
            self._unit(m, total, bias, last)
            self._clear(m, last)

        return m

    def _multiply(self, m, x, k):
        """Form a product. It is there 2 cycles later."""
        m.d.sync += [
            self._x.eq(x),
            self._k.eq(k),
        ]

    def _units(self, m):
        """Count through the units of a pass. Returns the number of one, and whether it is last."""
        control = self.control
        unit = Signal.like(control.first)
        left = Signal.like(control.count)
        with m.If(control.start):
            m.d.sync += [
                unit.eq(control.first),
                left.eq(control.count),
            ]
        with m.Elif(self._step):
            m.d.sync += [
                unit.eq(unit + 1),
                left.eq(left - 1),
            ]
        return unit, left == 1

    def _constants(self, m, unit):
        """Bias and sum of the weights of a unit."""
        params = self.params
        m.submodules.constants = constants = memory.Memory(
            shape=params.bias + params.total, depth=len(params.image), init=params.image,
            attrs={"ram_style": "block"})
        port = constants.read_port()
        m.d.comb += port.addr.eq(unit)
        return port.data[:params.bias].as_signed(), port.data[params.bias:].as_signed()

    def _root(self, m):
        """``N S2 - S1**2 + epsilon``, shifted up to its leading bits, and its root."""
        spread, most = Signal(self.params.spread), self.params.exponents
        table = root_table()
        m.submodules.roots = roots = memory.Memory(
            shape=ROOT_BITS, depth=len(table), init=table, attrs={"ram_style": "block"})
        self._port = port = roots.read_port()
        leading = spread[-INDEX_BITS:]
        m.d.comb += [
            port.en.eq(0),
            # Its first two bits are not both 0, and the table begins at 01.
            port.addr.eq(Cat(leading[:-2], leading[-2:] - 1)),
        ]
        with m.State("ONCE"):
            self._multiply(m, self.moments.once, self.moments.once)
            m.next = "SQUARES"
        with m.State("SQUARES"):
            m.d.sync += spread.eq(self._product + self.params.epsilon)
            m.next = "LESS"
        with m.State("LESS"):
            m.d.sync += [
                spread.eq(spread - self._product),
                self._exponent.eq(most),
                self._left.eq(most),
            ]
            m.next = "SHIFT"
        with m.State("SHIFT"):
            m.d.sync += self._left.eq(self._left - 1)
            with m.If(~spread[-2:].any()):
                m.d.sync += [
                    spread.eq(spread << 2),
                    self._exponent.eq(self._exponent - 1),
                ]
            with m.If(self._left == 1):
                m.next = "ROOT"
        with m.State("ROOT"):
            m.d.comb += port.en.eq(1)
            m.next = "UNIT"

    def _unit(self, m, total, bias, last):
        """``sat(rnd((N s - S1 total) root) + bias)``, shifted bit by bit."""
        params, currents = self.params, self.currents
        m.submodules.sums    = sums    = LaneWalk(params.lanes, params.words)
        m.submodules.targets = targets = LaneWalk(params.lanes, params.words)
        for walk, word in ((sums, self.control.word), (targets, params.target)):
            m.d.comb += [
                walk.start.eq(self.control.start),
                walk.word.eq(word),
                walk.step.eq(self._step),
            ]
        clear = self.control.clear
        # Registers behind the multiplier have a reset: synthesis for an iCE40 would lose them.
        wide  = Signal(self._x.shape())
        # One bit below those that stay: the one that rounds.
        fixed = self._product >> ROOT_BITS - params.fraction - 1
        value = Signal(signed(len(fixed)))
        current = Signal(signed(max(len(value), params.bias) + 1))
        m.d.sync += current.eq(round_half_up(value, 1, bias))
        m.d.comb += [
            currents.read_words.eq(sums.at_word.replicate(params.lanes)),
            currents.write_words.eq(Mux(clear, sums.at_word, targets.at_word)
                                    .replicate(params.lanes)),
            currents.write_lanes.eq(self._step << Mux(clear, sums.at_lane, targets.at_lane)),
            [lane.eq(Mux(clear, 0, saturate(current, params.current)))
             for lane in currents.write],
            self.saturated.eq(self._step & ~clear & overflows(current, params.current)),
        ]
        with m.State("UNIT"):
            m.d.comb += currents.reads.eq(1)
            m.next = "READ"
        with m.State("READ"):
            self._multiply(m, currents.read[sums.at_lane], params.cells)
            m.next = "TOTAL"
        with m.State("TOTAL"):
            self._multiply(m, total, self.moments.once)
            m.next = "WIDE"
        with m.State("WIDE"):
            m.d.sync += wide.eq(self._product)
            m.next = "SPREAD"
        with m.State("SPREAD"):
            self._multiply(m, wide - self._product, self._port.data)
            m.next = "WAIT"
        with m.State("WAIT"):
            m.d.sync += self._left.eq(params.exponents)
            m.next = "TAKE"
        with m.State("TAKE"):
            m.d.sync += value.eq(fixed)
            m.next = "FIT"
        with m.State("FIT"):
            m.d.sync += self._left.eq(self._left - 1)
            with m.If(self._left <= self._exponent):
                m.d.sync += value.eq(value >> 1)
            with m.If(self._left == 1):
                m.next = "ADD"
        with m.State("ADD"):            # the bias
            m.next = "GIVE"
        with m.State("GIVE"):
            m.d.comb += self._step.eq(1)
            m.next = "UNIT"
            with m.If(last):
                m.next = "REST"

    def _clear(self, m, last):
        """Write 0 to the counts of the part, then to its sums."""
        with m.State("COUNTS"):
            m.d.comb += [
                self.moments.zero.valid.eq(1),
                self.moments.zero.part.eq(self.control.inner),
                self.moments.zero.row.eq(self._left - 1),
            ]
            m.d.sync += self._left.eq(self._left - 1)
            with m.If(self._left == 1):
                m.next = "SUMS"
        with m.State("SUMS"):
            m.d.comb += self._step.eq(1)
            with m.If(last):
                m.next = "REST"
