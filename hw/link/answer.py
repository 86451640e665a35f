# SPDX-License-Identifier: Apache-2.0
"""What stands where in an answer."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.frames import ANSWER, VERSION

from ..layouts import result_layout
from .layouts import CYCLES, INFO_END
from .params import LinkParams

__all__ = ["AnswerBytes", "AnswerSignature"]


class AnswerSignature(wiring.Signature):
    """What to answer; steady while an answer is built. ``Out`` is the executor's side.

    Members
    -------
    info, part, lost : :py:`Out(1)`
        INFO, not STEP; the step goes on in the next frame; an event was dropped in the frame.
    result : :py:`Out(result_layout(outputs, width))`
        The step's result.
    load : :py:`Out(1)`
        LOAD, not STEP. This and the rest only with a table.
    loaded, words : :py:`Out(1)`, :py:`Out(16)`
        From :class:`Loader`.
    """

    def __init__(self, params: LinkParams):
        super().__init__({
            "info":   Out(1),
            "part":   Out(1),
            "lost":   Out(1),
            "result": Out(result_layout(params.outputs, params.width)),
        } | ({
            "load":   Out(1),
            "loaded": Out(1),
            "words":  Out(16),
        } if params.table else {}))


def _sum(terms):
    """Bitwise or of ``terms``, in few levels."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return _sum(terms[:half]) | _sum(terms[half:])


class AnswerBytes(wiring.Component):
    """Picks the byte at a position of an answer. ``o`` follows ``position`` one cycle later.

    The first four positions are: the code in front, here zero; type and sequence number, which are
    those of the request in the slot; VERSION in INFO, flags in STEP. From there on INFO lies in the
    status page, as do the steps of STEP; the cycles and the outputs are the core's. LOAD has a
    VERSION like INFO, then how far the table is loaded, and its form.

    Parameters
    ----------
    params : :class:`LinkParams`
        Outputs of the core, their width, and its table.

    Members
    -------
    build : :py:`In(1)`
        Pick; otherwise ``o`` is ``value``.
    facts : :py:`In(AnswerSignature(params))`
    crc : :py:`In(8)`
        Byte that stands after the end.
    position : :py:`In(8)`
        Position in the answer.
    value : :py:`In(8)`
        Byte at this position of the slot or of the status page.
    cycles : :py:`Out(1)`
        The byte is of the cycles of a step.
    tail : :py:`Out(1)`
        The answer has ended. Its end is a multiple of four.
    o : :py:`Out(8)`
        The byte.
    """

    def __init__(self, params: LinkParams):
        self.params = params

        super().__init__({
            "build":    In(1),
            "facts":    In(AnswerSignature(params)),
            "crc":      In(8),
            "position": In(8),
            "value":    In(8),
            "cycles":   Out(1),
            "tail":     Out(1),
            "o":        Out(8),
        })

    def elaborate(self, platform):
        m = Module()

        facts  = self.facts
        first  = CYCLES // 4 + 1
        last   = max(INFO_END // 4, first + self.params.outputs)
        index  = self.position[2:2 + last.bit_length()]
        offset = self.position[:2]
        head   = index == 0
        load   = facts.load if self.params.table else Const(0)
        step   = ~facts.info & ~load
        part   = step & facts.part
        tail   = index == Mux(facts.info, INFO_END // 4,
                              Mux(load, 2, Mux(part, 1, first + self.params.outputs)))
        cycles = step & (index == CYCLES // 4)
        stored = Mux(head, (offset == 1) | (offset == 2),
                     ((index == 1) & ~load & ~part) | (facts.info & ~tail))
        m.d.comb += [
            self.tail.eq(tail),
            self.cycles.eq(cycles),
        ]

        # Each byte has a gate of its own, and the answer is their sum: smaller than a tree of
        # choices, and the registers in the gates keep it so.
        version = Cat(Const(VERSION, 6), facts.loaded, 1) if self.params.table else VERSION
        flags   = Mux(step, Cat(facts.result.saturated & ~part, facts.lost), version)
        picks = [
            (~self.build | stored,               self.value),
            (self.build & head & (offset == 1),  ANSWER),
            (self.build & head & (offset == 3),  flags),
            (self.build & tail,                  self.crc),
        ]
        for number, word in enumerate([facts.result.cycles, *self._outputs()], first - 1):
            here = self.build & step & (index == number)
            picks += [(here & (offset == k), word[8 * k:8 * k + 8])
                      for k in range((len(word) + 7) // 8)]
        picks += self._signs(self.build & step, index, offset, first)
        if self.params.table:
            here = self.build & load & (index == 1)
            form = (facts.words[:8], facts.words[8:], self.params.table.lanes,
                    self.params.table.word_bytes)
            picks += [(here & (offset == k), byte) for k, byte in enumerate(form)]
        for number, (where, byte) in enumerate(picks):
            gate = Signal(name=f"pick_{number}")
            m.d.sync += gate.eq(where)
            picks[number] = Mux(gate, byte, 0)
        m.d.comb += self.o.eq(_sum(picks))

        return m

    def _outputs(self):
        return [Value.cast(self.facts.result.outputs[k]).as_unsigned()
                for k in range(self.params.outputs)]

    def _signs(self, step, index, offset, first):
        """Gates that fill each output above its width, up to 32 bits."""
        byte, bit = divmod(self.params.width, 8)
        negative  = step & Cat((index == number) & output[-1]
                               for number, output in enumerate(self._outputs(), first)).any()
        return [(negative & (offset >= byte),     0xff & 0xff << bit),
                (negative & (offset >= byte + 1), 0xff >> 8 - bit)]
