# SPDX-License-Identifier: Apache-2.0
"""Row adder: the weights of one event, added to the synaptic currents of their targets."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from spikewright.plan.timing import ROW_CYCLES

from ..arith import overflows, saturate
from ..layouts import (
    TableFormat,
    currents_layout,
    load_layout,
    row_layout,
    weights_layout,
    words_layout,
)
from ..memories.large_weights import LargeWeightTable
from ..memories.tables import BitmapTable, dense_table, listed_table
from ..params import CoreParams

__all__ = ["RowAdder"]


class RowAdder(wiring.Component):
    """Adds rows of weights, ``lanes`` synapses per cycle, without a multiplier.

    A row of n words occupies the adder for ``plan.timing.row_period`` cycles from the one after
    it is taken; the next row may be taken in the last of them, so rows follow without a gap. Its
    last word is written n + 3 cycles after the row was taken, or n + 4 where any table is a
    bitmap. From the third cycle in which ``active`` is low on, its words may be read in their
    order, one a cycle: each has been written when its turn comes, or where rows stream
    (``CoreParams.streams``), is written then.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    i : :py:`In(stream.Signature(row_layout(params)))`
        Row to add.
    active : :py:`Out(1)`
        A row occupies the adder.
    saturated : :py:`Out(1)`
        A current is clamped in this cycle.
    reads : :py:`Out(1)`
        Needs the words that it reads.
    read_words, read, write_words, write_lanes, write
        To :class:`CurrentMemory`.
    load_write, load
        To :class:`LargeWeightTable`, where the weights lie in large memory; else there are none.
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__({
            "i":           In(stream.Signature(row_layout(params))),
            "active":      Out(1),
            "saturated":   Out(1),
            "reads":       Out(1),
            "read_words":  Out(words_layout(params)),
            "read":        In(currents_layout(params)),
            "write_words": Out(words_layout(params)),
            "write_lanes": Out(params.lanes),
            "write":       Out(currents_layout(params)),
        } | ({
            "load_write":  In(1),
            "load":        In(load_layout(len(params.loaded), params.word_bytes)),
        } if params.large else {}))

    def elaborate(self, platform):
        m = Module()

        # a: asks the tables. b: addresses the currents, and takes the weights. c: adds.
        # d: clamps and writes. Where rows stream, c takes what d writes to the word that it adds
        # to, and the memory of currents gives b what d writes.
        a_row   = Signal(row_layout(self.params))   # `words` counts those still to be asked for
        a_first = Signal()
        self._sequence(m, a_row, a_first)
        weights, enable, shift = self._look_up(m, a_row, a_first, self.read_words)
        lanes    = self.params.lanes
        c_enable = Signal(lanes)
        d_enable = Signal(lanes)
        c_words  = Signal.like(self.read_words)
        # Shifted on the way into a register: its LUTs would only pass the weight on.
        c_weight = Signal(weights_layout(self.params, self.params.row_weight))
        m.d.sync += [
            c_enable.eq(enable),
            c_words.eq(self.read_words),
            d_enable.eq(c_enable),
            self.write_words.eq(c_words),
        ]

        # s = sat(s + (w << f << e))
        clamped = Signal(lanes)
        before  = self._before(m, c_words, c_enable)
        for lane in range(lanes):
            drive = c_weight[lane] << self.params.widths.fraction
            d_sum = Signal(signed(self.params.widths.current + 1), name=f"d_sum_{lane}")
            m.d.sync += [
                c_weight[lane].eq(weights[lane] << shift),
                d_sum.eq(before[lane] + drive),
            ]
            m.d.comb += [
                clamped[lane].eq(overflows(d_sum, self.params.widths.current)),
                self.write[lane].eq(saturate(d_sum, self.params.widths.current)),
            ]
        m.d.comb += [
            self.write_lanes.eq(d_enable),
            self.saturated.eq((d_enable & clamped).any()),
        ]

        return m

    def _before(self, m, words, enable):
        """Currents that c adds to."""
        if not self.params.streams:
            return self.read
        again = Signal()                # d holds the word of c, and lanes agree
        m.d.sync += again.eq(enable[0] & (self.read_words[0] == words[0]))
        return [Mux(again, self.write[lane], self.read[lane]) for lane in range(self.params.lanes)]

    def _sequence(self, m, row, first):
        """Count through the words of a row."""
        rest = Signal(range(ROW_CYCLES + 1))    # cycles for which the adder stays occupied at least
        m.d.comb += [
            self.active.eq((row.words != 0) | (rest != 0)),
            self.i.ready.eq((row.words <= 1) & (rest <= 1)),
        ]
        with m.If(row.words != 0):
            m.d.sync += [
                first.eq(0),
                row.address.eq(row.address + 1),
                row.target.eq(row.target + 1),
                row.words.eq(row.words - 1),
            ]
        with m.If(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        # Words of a listed row come in any order: the adder rests after every row.
        if "rows" in self.params.formats:
            with m.If(row.words != 0):
                m.d.sync += rest.eq(ROW_CYCLES - 1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                row.eq(self.i.payload),
                first.eq(1),
                rest.eq(0 if self.params.streams else ROW_CYCLES),
            ]

    def _look_up(self, m, row, first, words):
        """Weights of the present word, enabled lanes, shift and state ``words``, in stage b."""
        valid, target = row.words != 0, row.target
        choice, shift = row.format, row.shift
        if len(self.params.tables) > 1:
            choice = Cat(choice, row.width)
        found = {memory: self._table(m, row, first, *memory) for memory in self.params.memories}
        if "bitmap" in self.params.formats:
            # The others wait for it.
            found = {(bits, name): table if name == "bitmap" else _delayed(m, table)
                     for (bits, name), table in found.items()}
            valid, target, choice, shift = (
                _delayed(m, x) for x in (valid, target, choice, shift))
        valid, target, choice, shift = (_delayed(m, x) for x in (valid, target, choice, shift))

        weights = Signal(weights_layout(self.params, self.params.table_weight))
        enable  = Signal(self.params.lanes)
        m.d.comb += [
            self.reads.eq(valid),
            enable.eq(valid.replicate(self.params.lanes)),
            words.eq(target.replicate(self.params.lanes)),
        ]
        with m.Switch(choice):
            for (bits, name), table in found.items():
                width = self.params.width_number(bits) << len(row.format.as_value())
                with m.Case(width | TableFormat[name.upper()].value):
                    places = self.params.table_shift[bits]
                    if name == "rows":
                        self._take_listed(m, table, places, valid, weights, words, enable)
                    elif places or bits < self.params.table_weight:
                        m.d.comb += [weights[lane].eq(table[lane].shift_left(places))
                                     for lane in range(self.params.lanes)]
                    else:
                        m.d.comb += weights.eq(table)
        return weights, enable, shift

    def _table(self, m, row, first, bits, name):
        """Add the table of weights of ``bits`` in format ``name``, and ask it for the word."""
        if name == "bitmap":
            table = BitmapTable(self.params, bits)
            m.d.comb += [
                table.valid.eq(row.words != 0),
                table.first.eq(first),
                table.address.eq(row.address),
                table.row.eq(row.row),
            ]
        else:
            table = listed_table(self.params, bits) if name == "rows" else self._dense(m, bits)
            m.d.comb += [
                table.en.eq(row.words != 0),
                table.address.eq(row.address),
            ]
        narrow = "" if bits == self.params.widths.weight else f"_{bits}"
        m.submodules[self._NAMES[name] + narrow] = table
        return table.data

    _NAMES = {"dense": "dense", "rows": "listed", "bitmap": "bitmap"}

    def _dense(self, m, bits):
        if not self.params.large:
            return dense_table(self.params, bits)
        dense = LargeWeightTable(len(self.params.loaded), width=bits, lanes=self.params.lanes)
        m.d.comb += [
            dense.write.eq(self.load_write),
            dense.load.eq(self.load),
        ]
        return dense

    def _take_listed(self, m, listed, places, valid, weights, words, enable):
        for lane in range(self.params.lanes):
            m.d.comb += [
                weights[lane].eq(listed[lane].weight.shift_left(places)),
                words[lane].eq(listed[lane].word),
                # A zero that fills up a row must not be written: its state may be stale.
                enable[lane].eq(valid & (listed[lane].weight != 0)),
            ]


def _delayed(m, value):
    """``value`` one cycle later."""
    later = Signal.like(value)
    m.d.sync += later.eq(value)
    return later
