# SPDX-License-Identifier: Apache-2.0
"""Row adder: the weights of one event, added to the synaptic currents of their targets."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.formats import TableImages
from spikewright.plan.program import ROW_CYCLES

from ..arith import overflows, saturate
from ..layouts import TableFormat, load_layout, weights_layout
from ..memories.large_weights import LargeWeightTable
from ..memories.tables import BitmapTable, dense_table, listed_table
from ..signatures import CurrentsSignature

__all__ = ["RowAdder", "RowParams", "WeightMemory"]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightMemory:
    """One memory of weights: all of one width and one format.

    Parameters
    ----------
    format : :class:`str`
        One of `plan.formats.FORMATS`.
    images : :class:`TableImages`
        Those of the width; the memory has the ones of its format.
    shift : :class:`int`
        Shift that all weights of the width have at least: wires, not logic.
    """

    format: str
    images: TableImages
    shift:  int

    @property
    def bits(self) -> int:
        return self.images.weight_bits


@dataclass(frozen=True, kw_only=True, eq=False)
class RowParams:
    """Shape of the row adder and of its weight memories.

    Parameters
    ----------
    lanes, words : :class:`int`
        Currents of a state word; state words.
    current, fraction : :class:`int`
        Bits of a current; fraction bits of the model.
    memories : :class:`tuple` of :class:`WeightMemory`
    row_words : :class:`int`
        Words of the longest row.
    row_shift : :class:`int`
        Most that a row is shifted beyond its memory.
    weight : :class:`int`
        Bits that hold any weight, shifted as its row is.
    streams : :class:`bool`
        A row of one word may be taken in every cycle.
    large : :class:`bool`
        The weights are in large RAMs, which a host fills.
    """

    lanes:     int
    words:     int
    current:   int
    fraction:  int
    memories:  tuple[WeightMemory, ...]
    row_words: int
    row_shift: int
    weight:    int
    streams:   bool = False
    large:     bool = False

    @property
    def formats(self) -> set[str]:
        return {memory.format for memory in self.memories}

    @property
    def widths(self) -> list[int]:
        """Bits of a weight in all memories, the widest first, each once."""
        return sorted({memory.bits for memory in self.memories}, reverse=True)

    @property
    def table_weight(self) -> int:
        """Bits that hold any weight, shifted as its memory is."""
        return max(memory.bits + memory.shift for memory in self.memories)

    @property
    def load(self):
        """Shape of a byte that the host loads."""
        images = self.memories[0].images
        return load_layout(len(images.dense), -(-images.lanes * images.weight_bits // 8))

    @property
    def row(self):
        """Shape of a request for a row: where the row is, and where it is added.

        ``address`` is that of its first word in its table, or of its first slice. ``row`` is its
        entry in the directory of the bitmaps. ``width`` is the number of the width of its weights,
        where there are several.
        """
        images = [memory.images for memory in self.memories]
        depth = max(len(image) for i in images for image in (i.dense, i.slices, i.rows))
        return data.StructLayout({
            "format":  TableFormat,
            "address": range(max(depth, 2)),
            "row":     range(max(max(len(i.directory) for i in images), 2)),
            "target":  range(max(self.words, 2)),
            "words":   range(self.row_words + 1),
            "shift":   range(self.row_shift + 1),
        } | ({"width": range(len(self.widths))} if len(self.widths) > 1 else {}))

    @property
    def currents(self):
        """Ports to the current memory."""
        return CurrentsSignature(self.lanes, self.words, self.current)


class RowAdder(wiring.Component):
    """Adds rows of weights, ``lanes`` synapses per cycle, without a multiplier.

    A row of n words occupies the adder for ``plan.program.row_period`` cycles from the one after
    it is taken. The next row may be taken in the last of them, so rows follow without a gap. Its
    last word is written n + 3 cycles after the row was taken, or n + 4 where any table is a
    bitmap. From the third cycle in which ``active`` is low on, its words may be read in their
    order, one a cycle: each has been written when its turn comes. Where rows stream, each is
    written then.

    Parameters
    ----------
    params : :class:`RowParams`

    Members
    -------
    i : :py:`In(stream.Signature(params.row))`
        Row to add.
    active : :py:`Out(1)`
        A row occupies the adder.
    saturated : :py:`Out(1)`
        A current is clamped in this cycle.
    currents : :py:`Out(params.currents)`
        To :class:`CurrentMemory`.
    load_write, load : :py:`In(1)`, :py:`In(params.load)`
        To :class:`LargeWeightTable`; only with large weight memory.
    """

    def __init__(self, params: RowParams):
        self.params = params

        super().__init__({
            "i":         In(stream.Signature(params.row)),
            "active":    Out(1),
            "saturated": Out(1),
            "currents":  Out(params.currents),
        } | ({
            "load_write": In(1),
            "load":       In(params.load),
        } if params.large else {}))

    def elaborate(self, platform):
        m = Module()

        # a: asks the tables. b: addresses the currents, and takes the weights. c: adds.
        # d: clamps and writes. Where rows stream, c takes what d writes to the word that it adds
        # to, and the memory of currents gives b what d writes.
        params, currents = self.params, self.currents
        a_row   = Signal(params.row)        # `words` counts those still to be asked for
        a_first = Signal()
        self._sequence(m, a_row, a_first)
        weights, enable, shift = self._look_up(m, a_row, a_first)
        lanes    = params.lanes
        c_enable = Signal(lanes)
        d_enable = Signal(lanes)
        c_words  = Signal.like(currents.read_words)
        # Shifted on the way into a register: its LUTs would only pass the weight on.
        c_weight = Signal(weights_layout(lanes, params.weight))
        m.d.sync += [
            c_enable.eq(enable),
            c_words.eq(currents.read_words),
            d_enable.eq(c_enable),
            currents.write_words.eq(c_words),
        ]

        # s = sat(s + (w << f << e))
        clamped = Signal(lanes)
        before  = self._before(m, c_words, c_enable)
        for lane in range(lanes):
            drive = c_weight[lane] << params.fraction
            d_sum = Signal(signed(params.current + 1), name=f"d_sum_{lane}")
            m.d.sync += [
                c_weight[lane].eq(weights[lane] << shift),
                d_sum.eq(before[lane] + drive),
            ]
            m.d.comb += [
                clamped[lane].eq(overflows(d_sum, params.current)),
                currents.write[lane].eq(saturate(d_sum, params.current)),
            ]
        m.d.comb += [
            currents.write_lanes.eq(d_enable),
            self.saturated.eq((d_enable & clamped).any()),
        ]

        return m

    def _before(self, m, words, enable):
        """Currents that c adds to."""
        read, write = self.currents.read, self.currents.write
        if not self.params.streams:
            return read
        again = Signal()                # d holds the word of c, and lanes agree
        m.d.sync += again.eq(enable[0] & (self.currents.read_words[0] == words[0]))
        return [Mux(again, write[lane], read[lane]) for lane in range(self.params.lanes)]

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

    def _look_up(self, m, row, first):
        """Weights of the present word, enabled lanes and shift, in stage b; addresses currents."""
        params = self.params
        valid, target = row.words != 0, row.target
        choice, shift = row.format, row.shift
        if len(params.widths) > 1:
            choice = Cat(choice, row.width)
        found = [(memory, self._table(m, row, first, memory)) for memory in params.memories]
        if "bitmap" in params.formats:
            # The others wait for it.
            found = [(memory, table if memory.format == "bitmap" else _delayed(m, table))
                     for memory, table in found]
            valid, target, choice, shift = (
                _delayed(m, x) for x in (valid, target, choice, shift))
        valid, target, choice, shift = (_delayed(m, x) for x in (valid, target, choice, shift))

        weights = Signal(weights_layout(params.lanes, params.table_weight))
        enable  = Signal(params.lanes)
        m.d.comb += [
            self.currents.reads.eq(valid),
            enable.eq(valid.replicate(params.lanes)),
            self.currents.read_words.eq(target.replicate(params.lanes)),
        ]
        with m.Switch(choice):
            for memory, table in found:
                number = params.widths.index(memory.bits) << len(row.format.as_value())
                with m.Case(number | TableFormat[memory.format.upper()].value):
                    if memory.format == "rows":
                        self._take_listed(m, table, memory.shift, valid, weights, enable)
                    elif memory.shift or memory.bits < params.table_weight:
                        m.d.comb += [weights[lane].eq(table[lane].shift_left(memory.shift))
                                     for lane in range(params.lanes)]
                    else:
                        m.d.comb += weights.eq(table)
        return weights, enable, shift

    def _table(self, m, row, first, memory):
        """Add a weight memory, and ask it for the word."""
        if memory.format == "bitmap":
            table = BitmapTable(memory.images)
            m.d.comb += [
                table.valid.eq(row.words != 0),
                table.first.eq(first),
                table.address.eq(row.address),
                table.row.eq(row.row),
            ]
        else:
            table = (listed_table(memory.images) if memory.format == "rows"
                     else self._dense(m, memory.images))
            m.d.comb += [
                table.en.eq(row.words != 0),
                table.address.eq(row.address),
            ]
        narrow = "" if memory.bits == self.params.widths[0] else f"_{memory.bits}"
        m.submodules[self._NAMES[memory.format] + narrow] = table
        return table.data

    _NAMES = {"dense": "dense", "rows": "listed", "bitmap": "bitmap"}

    def _dense(self, m, images):
        if not self.params.large:
            return dense_table(images)
        dense = LargeWeightTable(len(images.dense), width=images.weight_bits, lanes=images.lanes)
        m.d.comb += [
            dense.write.eq(self.load_write),
            dense.load.eq(self.load),
        ]
        return dense

    def _take_listed(self, m, listed, shift, valid, weights, enable):
        for lane in range(self.params.lanes):
            m.d.comb += [
                weights[lane].eq(listed[lane].weight.shift_left(shift)),
                self.currents.read_words[lane].eq(listed[lane].word),
                # A zero that fills up a row must not be written: its state may be stale.
                enable[lane].eq(valid & (listed[lane].weight != 0)),
            ]


def _delayed(m, value):
    """``value`` one cycle later."""
    later = Signal.like(value)
    m.d.sync += later.eq(value)
    return later
