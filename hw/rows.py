# SPDX-License-Identifier: Apache-2.0
"""Row adder: the weights of one event, added to the synaptic currents of their targets."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.timing import ROW_CYCLES

from .arith import overflows, saturate
from .layouts import currents_layout, row_layout
from .params import CoreParams
from .weights import WeightTable

__all__ = ["RowAdder"]


class RowAdder(wiring.Component):
    """Adds rows of weights, ``lanes`` synapses per cycle, without a multiplier.

    A row of n words occupies the adder for ``max(n, ROW_CYCLES)`` cycles from the one after it is
    taken; the next row may be taken in the last of them, so rows follow without a gap. Its last
    word is written n + 3 cycles after the row was taken, that is at most ROW_CYCLES after
    ``active`` falls.

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
    read_word, read, write_word, write_lanes, write
        To :class:`CurrentMemory`.
    """

    def __init__(self, params: CoreParams):
        self.params = params
        word = range(max(params.state_words, 2))

        super().__init__({
            "i":           In(stream.Signature(row_layout(params))),
            "active":      Out(1),
            "saturated":   Out(1),
            "read_word":   Out(word),
            "read":        In(currents_layout(params)),
            "write_word":  Out(word),
            "write_lanes": Out(params.lanes),
            "write":       Out(currents_layout(params)),
        })

    def elaborate(self, platform):
        m = Module()

        m.submodules.weights = weights = WeightTable(
            self.params.weight_image, width=self.params.widths.weight, lanes=self.params.lanes)
        # a: addresses the weights. b: addresses the currents, and takes the weights. c: adds.
        # d: clamps and writes.
        a_valid = Signal()
        a_word  = Signal.like(self.i.p.target)
        self._sequence(m, weights.address, a_valid, a_word)
        b_valid, c_valid, d_valid = Signal(), Signal(), Signal()
        b_word,  c_word,  d_word  = (Signal.like(a_word) for _ in range(3))
        c_weight = Signal.like(weights.weights)
        m.d.comb += [
            self.read_word.eq(b_word),
            self.write_word.eq(d_word),
        ]
        m.d.sync += [
            Cat(b_valid, c_valid, d_valid).eq(Cat(a_valid, b_valid, c_valid)),
            b_word.eq(a_word),
            c_word.eq(b_word),
            d_word.eq(c_word),
            c_weight.eq(weights.weights),
        ]

        # s = sat(s + (w << f))
        clamped = Signal(self.params.lanes)
        for lane in range(self.params.lanes):
            drive = c_weight[lane] << self.params.widths.fraction
            d_sum = Signal(signed(self.params.widths.current + 1), name=f"d_sum_{lane}")
            m.d.sync += d_sum.eq(self.read[lane] + drive)
            m.d.comb += [
                clamped[lane].eq(overflows(d_sum, self.params.widths.current)),
                self.write[lane].eq(saturate(d_sum, self.params.widths.current)),
            ]
        m.d.comb += [
            self.write_lanes.eq(d_valid.replicate(self.params.lanes)),
            self.saturated.eq(d_valid & clamped.any()),
        ]

        return m

    def _sequence(self, m, address, valid, word):
        """Count through the words of a row; ``valid`` while there is one to add."""
        next_address = Signal.like(address)
        words = Signal.like(self.i.p.words)     # still to be addressed
        rest  = Signal(range(ROW_CYCLES + 1))   # cycles for which the adder stays occupied at least
        m.d.comb += [
            address.eq(next_address),
            valid.eq(words != 0),
            self.active.eq((words != 0) | (rest != 0)),
            self.i.ready.eq((words <= 1) & (rest <= 1)),
        ]
        with m.If(words != 0):
            m.d.sync += [
                next_address.eq(next_address + 1),
                word.eq(word + 1),
                words.eq(words - 1),
            ]
        with m.If(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                next_address.eq(self.i.p.address),
                word.eq(self.i.p.target),
                words.eq(self.i.p.words),
                rest.eq(ROW_CYCLES),
            ]
