# SPDX-License-Identifier: Apache-2.0
"""Row adder: words of weights, added to the synaptic currents of their targets."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..arith import overflows, saturate
from ..layouts import weights_layout
from ..signatures import CurrentsSignature, WordSignature

__all__ = ["AdderParams", "RowAdder"]


@dataclass(frozen=True, kw_only=True)
class AdderParams:
    """Shape of the row adder.

    Parameters
    ----------
    lanes, words : :class:`int`
        Currents of a state word; state words.
    current : :class:`int`
        Bits of a current.
    fraction : :class:`int`
        Fraction bits of the model: every weight is shifted left by as many.
    weight : :class:`int`
        Bits of a weight as the look-up gives it.
    row_shift : :class:`int`
        Largest left shift of a row, in bits.
    shifted : :class:`int`
        Bits that hold any weight after the shift and the factor of its row.
    streams : :class:`bool`
        A word may be added in the cycle after another one for the same state word.
    gain : :class:`int`
        Bits of the factor of a row; 0 if rows have none.
    clamps : :class:`bool`
        A sum may exceed a current. Otherwise it is proven that none does.
    """

    lanes:     int
    words:     int
    current:   int
    fraction:  int
    weight:    int
    row_shift: int
    shifted:   int
    streams:   bool = False
    gain:      int  = 0
    clamps:    bool = True

    @property
    def word(self):
        """Ports to the row look-up."""
        return WordSignature(self.lanes, self.words, self.weight, self.row_shift, self.gain)

    @property
    def currents(self):
        """Ports to the current memory."""
        return CurrentsSignature(self.lanes, self.words, self.current)


class RowAdder(wiring.Component):
    """Adds a word of weights per cycle to the currents.

    A word reads its currents in the cycle in which it comes. The sums are written 2 cycles later,
    clamped to the width of a current. Nothing stalls a word. There is a multiplier in each lane
    only where rows have factors of more than 2 bits.

    A current that a word reads must not be in one of the two words before it. Where words stream,
    it may be: the adder then uses the sum that is not yet written.

    Parameters
    ----------
    params : :class:`AdderParams`

    Members
    -------
    i : :py:`In(params.word)`
        From :class:`RowLookup`.
    saturated : :py:`Out(1)`
        A current is clamped in this cycle.
    currents : :py:`Out(params.currents)`
        To :class:`CurrentMemory`.
    """

    def __init__(self, params: AdderParams):
        self.params = params

        super().__init__({
            "i":         In(params.word),
            "saturated": Out(1),
            "currents":  Out(params.currents),
        })

    def elaborate(self, platform):
        m = Module()

        # b: takes the weights, and addresses the currents. c: adds. d: clamps and writes.
        # Where words stream, c takes what d writes to the word that it adds to, and the memory of
        # currents gives b what d writes.
        params, word, currents = self.params, self.i, self.currents
        lanes   = params.lanes
        c_lanes = Signal(lanes)
        d_lanes = Signal(lanes)
        c_words = Signal.like(word.words)
        # Shifted on the way into a register: its LUTs would only pass the weight on.
        c_weight = self._weights()
        m.d.comb += [
            currents.reads.eq(word.valid),
            currents.read_words.eq(word.words),
            currents.write_lanes.eq(d_lanes),
        ]
        m.d.sync += [
            c_lanes.eq(word.lanes),
            c_words.eq(word.words),
            d_lanes.eq(c_lanes),
            currents.write_words.eq(c_words),
        ]

        # s = sat(s + (w << f << e)), with w times the gain where rows have one
        clamped = Signal(lanes)
        before  = self._before(m, c_words, c_lanes)
        for lane in range(lanes):
            drive = c_weight[lane] << params.fraction
            # Without a clamp, an iCE40 has this sum and its register in the multiplier, too: such
            # a register has no reset.
            d_sum = Signal(signed(params.current + params.clamps), name=f"d_sum_{lane}",
                           reset_less=not params.clamps)
            weight = self._product(word.weights[lane])
            m.d.sync += [
                c_weight[lane].eq(weight << word.shift),
                d_sum.eq(before[lane] + drive),
            ]
            if params.clamps:
                m.d.comb += clamped[lane].eq(overflows(d_sum, params.current))
            m.d.comb += currents.write[lane].eq(saturate(d_sum, params.current) if params.clamps
                                                else d_sum)
        m.d.comb += self.saturated.eq((d_lanes & clamped).any())

        return m

    def _product(self, weight):
        """``weight`` times the factor of its row. A factor of 1, -1 or 0 takes no multiplier."""
        if not self.params.gain:
            return weight
        gain = self.i.gain
        return Mux(gain[0], Mux(gain[1], -weight, weight), 0) if len(gain) == 2 else weight * gain

    def _weights(self):
        """Weights of stage c, in the lanes.

        A product is in a register of its own without a reset, which is that of the multiplier. Of
        products in one register, synthesis for an iCE40 loses all but the first.
        """
        params = self.params
        if not params.gain:
            return Signal(weights_layout(params.lanes, params.shifted), name="c_weight")
        return [Signal(signed(params.shifted), name=f"c_weight_{lane}", reset_less=True)
                for lane in range(params.lanes)]

    def _before(self, m, words, lanes):
        """Currents that stage c adds to."""
        read, write = self.currents.read, self.currents.write
        if not self.params.streams:
            return read
        again = Signal()                # d holds the word of c, and lanes agree
        m.d.sync += again.eq(lanes[0] & (self.i.words[0] == words[0]))
        return [Mux(again, write[lane], read[lane]) for lane in range(self.params.lanes)]
