# SPDX-License-Identifier: Apache-2.0
"""Weight tables in the formats of plan.formats: from the place of a word to its weights."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.formats import TableImages
from spikewright.plan.loads import LoadMap

from ..layouts import listed_layout, stored_layout, weights_layout
from .weights import BankedRom

__all__ = ["BitmapTable", "dense_table", "listed_table"]


def dense_table(images: TableImages, loads: LoadMap | None = None) -> BankedRom:
    """Table in format dense; its data is of ``weights_layout``."""
    return BankedRom(images.dense, weights_layout(images.lanes, images.weight_bits), loads,
                     f"dense_{images.weight_bits}")


def listed_table(images: TableImages, loads: LoadMap | None = None) -> BankedRom:
    """Table in format rows; its data is of ``listed_layout``."""
    return BankedRom(images.rows, listed_layout(images.lanes, images.weight_bits,
                                                images.word_bits), loads,
                     f"rows_{images.weight_bits}")


class BitmapTable(wiring.Component):
    """Table in format bitmap: the weights of a word, two cycles after its address.

    One word is read in each cycle. The words of a row must be asked for in order, from its first
    word on. Nothing stalls.

    Parameters
    ----------
    images : :class:`TableImages`
    loads : :class:`LoadMap`, optional
        What a host loads.

    Members
    -------
    valid : :py:`In(1)`
        Read a word in this cycle.
    first : :py:`In(1)`
        The word is the first one of its row.
    address : :py:`In(range(slices))`
        Slice of the word.
    row : :py:`In(range(rows))`
        Entry of the row in the directory; counts only with ``first``.
    data : :py:`Out(weights_layout(lanes, bits))`
        Zero in lanes without a weight.
    stored : :py:`In(stored_layout(words, word_bytes))`
        Only with ``loads``: a word to store, if it is in one of the regions of the tables.
    """

    def __init__(self, images: TableImages, loads: LoadMap | None = None):
        self.images = images
        self.loads  = loads

        super().__init__({
            "valid":   In(1),
            "first":   In(1),
            "address": In(range(max(len(images.slices), 2))),
            "row":     In(range(max(len(images.directory), 2))),
            "data":    Out(weights_layout(images.lanes, images.weight_bits)),
        } | ({
            "stored":  In(stored_layout(loads.words, loads.word_bytes)),
        } if loads else {}))

    def elaborate(self, platform):
        m = Module()

        tables, lanes = self.images, self.images.lanes
        weights = weights_layout(lanes, tables.weight_bits)
        slices    = self._part(m, "slices", tables.slices, unsigned(lanes))
        directory = self._part(m, "directory", tables.directory, tables.pointer_bits)
        even      = self._part(m, "even", tables.even, weights)
        odd       = self._part(m, "odd", tables.odd, weights)
        m.d.comb += [
            slices.en.eq(self.valid),
            slices.address.eq(self.address),
            directory.en.eq(self.valid & self.first),
            directory.address.eq(self.row),
        ]

        # b: the slice is there, and says how many weights the word takes from where on.
        b_valid, b_first = Signal(), Signal()
        m.d.sync += Cat(b_valid, b_first).eq(Cat(self.valid, self.first))
        begin   = Signal(tables.pointer_bits)
        c_begin = Signal(tables.pointer_bits)
        c_ones  = Signal(range(lanes + 1))
        # Nothing but a count follows the slice in its cycle, because the banks are slow.
        m.d.comb += begin.eq(Mux(b_first, directory.data, c_begin + c_ones))
        with m.If(b_valid):
            m.d.sync += [
                c_begin.eq(begin),
                c_ones.eq(_ones(slices.data)),
            ]
        offset_bits = (lanes - 1).bit_length()
        word = begin >> offset_bits
        m.d.comb += [
            odd.en.eq(b_valid),
            odd.address.eq(word >> 1),
            even.en.eq(b_valid),
            even.address.eq((word + 1) >> 1),
        ]

        # c: both words are there; lane k takes the next of the weights that no lane below took.
        c_swap   = Signal()
        c_slice  = Signal(lanes)
        c_offset = Signal(offset_bits)
        m.d.sync += [
            c_swap.eq(word[0]),
            c_slice.eq(slices.data),
            c_offset.eq(begin[:offset_bits]),
        ]
        window = Signal(data.ArrayLayout(weights.elem_shape, 2 * lanes))
        m.d.comb += Value.cast(window).eq(Mux(c_swap, Cat(odd.data, even.data),
                                              Cat(even.data, odd.data)))
        for lane in range(lanes):
            # At most all lanes but one lie before the first of the window, and below this lane.
            c_below = Signal(range(lane + 1), name=f"c_below_{lane}")
            m.d.sync += c_below.eq(_ones(slices.data[:lane]))
            c_place = Signal(range(lanes + lane), name=f"c_place_{lane}")
            m.d.comb += c_place.eq(c_offset + c_below)
            reach = Array(window[k] for k in range(lanes + lane))
            m.d.comb += self.data[lane].eq(Mux(c_slice[lane], reach[c_place], 0))

        return m

    def _part(self, m, name, image, shape):
        """Add one of the tables."""
        table = BankedRom(image, shape, self.loads, f"{name}_{self.images.weight_bits}")
        m.submodules[name] = table
        if self.loads:
            m.d.comb += table.stored.eq(self.stored)
        return table


def _ones(bits):
    """How many of ``bits`` are set, as a tree."""
    if len(bits) < 2:
        return bits if len(bits) else Const(0)
    half = len(bits) // 2
    return _ones(bits[:half]) + _ones(bits[half:])
