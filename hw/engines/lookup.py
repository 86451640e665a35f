# SPDX-License-Identifier: Apache-2.0
"""Row look-up: from the place of a row to its weights, word by word."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.formats import TableImages
from spikewright.plan.loads import LoadMap
from spikewright.plan.program import ROW_CYCLES

from ..layouts import TableFormat, load_layout, stored_layout
from ..memories.joiner import is_in
from ..memories.large_weights import LargeWeightTable
from ..memories.tables import BitmapTable, dense_table, listed_table
from ..signatures import WordSignature

__all__ = ["RowLookup", "RowParams", "WeightMemory"]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightMemory:
    """One memory of weights, all with the same number of bits and in the same format.

    Parameters
    ----------
    format : :class:`str`
        One of `plan.formats.FORMATS`.
    images : :class:`TableImages`
        Images of the tables of this width. The memory holds those of its format.
    shift : :class:`int`
        Left shift, in bits, that all weights of the width have at least. It is wires, not logic.
    """

    format: str
    images: TableImages
    shift:  int

    @property
    def bits(self) -> int:
        """Bits of a weight."""
        return self.images.weight_bits


@dataclass(frozen=True, kw_only=True, eq=False)
class RowParams:
    """Shape of the rows and of their weight memories.

    Parameters
    ----------
    lanes, words : :class:`int`
        Currents of a state word; state words.
    memories : :class:`tuple` of :class:`WeightMemory`
    row_words : :class:`int`
        Words of the longest row.
    row_shift : :class:`int`
        Largest left shift of a row, in bits, beyond the shift of its memory.
    streams : :class:`bool`
        A row of one word may be taken in every cycle.
    large : :class:`bool`
        The weights are in large RAMs, which a host fills.
    gain : :class:`int`
        Bits of the factor of a row; 0 if rows have none.
    loads : :class:`LoadMap`, optional
        What a host loads; None without large RAMs and where the model is that of the bitstream.
    staging : :class:`str`
        Memory in which a model that is loaded waits until it is whole, see `CoreConfig`.
    """

    lanes:     int
    words:     int
    memories:  tuple[WeightMemory, ...]
    row_words: int
    row_shift: int
    streams:   bool = False
    large:     bool = False
    gain:      int  = 0
    loads:     LoadMap | None = None
    staging:   str  = "none"

    @property
    def staged(self) -> bool:
        """A model that is loaded waits until it is whole. Its words are then copied."""
        return self.staging != "none"

    @property
    def formats(self) -> set[str]:
        """Formats of all memories."""
        return {memory.format for memory in self.memories}

    @property
    def widths(self) -> list[int]:
        """Bits of a weight in all memories, the widest first, each once."""
        return sorted({memory.bits for memory in self.memories}, reverse=True)

    @property
    def weight(self) -> int:
        """Bits that hold any weight after the shift of its memory."""
        return max(memory.bits + memory.shift for memory in self.memories)

    @property
    def load(self):
        """Shape of a byte that the host loads; where it loads none, the least."""
        return (load_layout(self.loads.words, self.loads.word_bytes, self.staged) if self.loads
                else load_layout(1, 1))

    @property
    def stored(self):
        """Shape of a word of the host for one of the tables."""
        assert self.loads is not None
        return stored_layout(self.loads.words, self.loads.word_bytes)

    @property
    def row(self):
        """Shape of a request for a row: where the row is, and where it is added.

        ``address`` is the address of its first word in its table, or of its first slice. ``row``
        is its entry in the directory of the bitmaps. ``target`` is its first state word. ``width``
        is the number of the width of its weights, and exists only where there are several. ``gain``
        is its factor, and exists only where rows have one.
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
        } | ({"width": range(len(self.widths))} if len(self.widths) > 1 else {})
          | ({"gain": signed(self.gain)} if self.gain else {}))

    @property
    def word(self):
        """Ports to the row adder."""
        return WordSignature(self.lanes, self.words, self.weight, self.row_shift, self.gain)


class RowLookup(wiring.Component):
    """Takes rows, and reads their weights: one word of ``lanes`` weights per cycle.

    A row of n words occupies the look-up for ``plan.program.row_period`` cycles, from the cycle
    after it is taken. The next row may be taken in the last of these cycles, so rows follow
    without a gap. The first word of a row comes 2 cycles after the row is taken, or 3 cycles
    where any table is a bitmap. The others follow, one per cycle. Nothing stalls a word.

    The row adder writes a sum 2 cycles after its word. So from the third cycle in which
    ``active`` is low on, the neuron update may read the state words in their order, one per
    cycle: each has been written when its turn comes. Where rows stream, each is written in the
    cycle in which it is read.

    Parameters
    ----------
    params : :class:`RowParams`

    Members
    -------
    i : :py:`In(stream.Signature(params.row))`
        Row to look up.
    active : :py:`Out(1)`
        A row occupies the look-up.
    o : :py:`Out(params.word)`
        To :class:`RowAdder`.
    load_write, load : :py:`In(1)`, :py:`In(params.load)`
        To :class:`LargeWeightTable`; only with large weight memory
        and no staging.
    stored : :py:`In(params.stored)`
        To the tables in block RAM, or from a staging memory to all; only where a host loads them.
    """

    def __init__(self, params: RowParams):
        self.params = params

        super().__init__({
            "i":      In(stream.Signature(params.row)),
            "active": Out(1),
            "o":      Out(params.word),
        } | ({
            "load_write": In(1),
            "load":       In(params.load),
        } if params.large and not params.staged else {
            "stored":     In(params.stored),
        } if params.loads else {}))

    def elaborate(self, platform):
        m = Module()

        # a: asks the tables. b: has the weights.
        params = self.params
        a_row   = Signal(params.row)        # `words` counts those still to be asked for
        a_first = Signal()
        self._sequence(m, a_row, a_first)
        valid, target = a_row.words != 0, a_row.target
        choice, shift = a_row.format, [a_row[name] for name in ("shift", "gain")
                                       if name in params.row.members]
        if len(params.widths) > 1:
            choice = Cat(choice, a_row.width)
        found = [(memory, self._table(m, a_row, a_first, memory)) for memory in params.memories]
        if "bitmap" in params.formats:
            # The others wait for it.
            found = [(memory, table if memory.format == "bitmap" else _delayed(m, table)[0])
                     for memory, table in found]
            valid, target, choice, *shift = _delayed(m, valid, target, choice, *shift)
        valid, target, choice, *shift = _delayed(m, valid, target, choice, *shift)

        word = self.o
        m.d.comb += [
            word.valid.eq(valid),
            word.lanes.eq(valid.replicate(params.lanes)),
            word.words.eq(target.replicate(params.lanes)),
            word.shift.eq(shift[0]),
        ]
        if params.gain:
            m.d.comb += word.gain.eq(shift[1])
        self._choose(m, choice, found)

        return m

    def _choose(self, m, choice, found):
        """Give the word of the table that the row is in."""
        with m.Switch(choice):
            for memory, table in found:
                number = self.params.widths.index(memory.bits) << len(Value.cast(TableFormat(0)))
                with m.Case(number | TableFormat[memory.format.upper()].value):
                    self._take(m, table, memory)

    def _sequence(self, m, row, first):
        """Count through the words of a row."""
        rest = Signal(range(ROW_CYCLES + 1))    # cycles that the look-up stays occupied at least
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
        # Words of a listed row come in any order: the look-up rests after every row.
        if "rows" in self.params.formats:
            with m.If(row.words != 0):
                m.d.sync += rest.eq(ROW_CYCLES - 1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                row.eq(self.i.payload),
                first.eq(1),
                rest.eq(0 if self.params.streams else ROW_CYCLES),
            ]

    def _table(self, m, row, first, memory):
        """Add a weight memory, and ask it for the word."""
        loads = None if self.params.large else self.params.loads
        if memory.format == "bitmap":
            table = BitmapTable(memory.images, loads)
            m.d.comb += [
                table.valid.eq(row.words != 0),
                table.first.eq(first),
                table.address.eq(row.address),
                table.row.eq(row.row),
            ]
        else:
            table = (listed_table(memory.images, loads) if memory.format == "rows"
                     else self._large(m, memory.images) if self.params.large
                     else dense_table(memory.images, loads))
            m.d.comb += [
                table.en.eq(row.words != 0),
                table.address.eq(row.address),
            ]
        narrow = "" if memory.bits == self.params.widths[0] else f"_{memory.bits}"
        m.submodules[self._NAMES[memory.format] + narrow] = table
        if loads:
            m.d.comb += table.stored.eq(self.stored)
        return table.data

    _NAMES = {"dense": "dense", "rows": "listed", "bitmap": "bitmap"}

    def _large(self, m, images):
        """The table in large RAMs, which takes the bytes or words of its region."""
        staged, loads = self.params.staged, self.params.loads
        dense = LargeWeightTable(len(images.dense), width=images.weight_bits, lanes=images.lanes,
                                 staged=staged)
        assert loads is not None
        region = loads.region(f"dense_{images.weight_bits}")
        load = self.stored if staged else self.load
        write, here = load.valid if staged else self.load_write, Const(1)
        if len(loads.regions) > 1:
            here = is_in(load.word, region, 0, len(images.dense))
            if not staged:              # words of other memories may have more bytes
                here &= load.byte < -(-region.bits // 8)
        m.d.comb += [
            dense.write.eq(write & here),
            dense.load.word.eq(load.word),
            dense.load.data.eq(load.data),
        ]
        if not staged:
            m.d.comb += dense.load.byte.eq(load.byte)
        return dense

    def _take(self, m, table, memory):
        """Give the weights of a table, shifted as its memory is."""
        word = self.o
        for lane in range(self.params.lanes):
            listed = memory.format == "rows"
            weight = table[lane].weight if listed else table[lane]
            m.d.comb += word.weights[lane].eq(weight.shift_left(memory.shift))
            if listed:
                m.d.comb += [
                    word.words[lane].eq(table[lane].word),
                    # A zero that fills up a row must not be written: its state may be stale.
                    word.lanes[lane].eq(word.valid & (weight != 0)),
                ]


def _delayed(m, *values):
    """``values`` one cycle later."""
    later = [Signal.like(value) for value in values]
    m.d.sync += [after.eq(value) for after, value in zip(later, values, strict=True)]
    return later
