# SPDX-License-Identifier: Apache-2.0
"""Executor: turns a good frame into tokens for the core."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.frames import row_bytes

from ..arith import is_below
from ..layouts import TokenKind, result_layout, token_layout
from .answer import AnswerSignature
from .counters import CountSignature
from .layouts import COUNTERS, HASH, frame_layout
from .loader import LoadSignature
from .params import LinkParams
from .verdict import Verdict
from .walker import WalkSignature

__all__ = ["Executor"]


class Executor(wiring.Component):
    """Takes one frame after the other, feeds the core, and has the frame answered.

    A byte takes 5 cycles. An event or a byte that is loaded takes 6 cycles, or more if the core
    stalls. The result of a step is taken from the core with the next frame, not before. So a
    repeated frame is answered from the same result. The step is counted when its result is taken.
    A frame is repeated if its type and sequence number are those of the frame before.

    Parameters
    ----------
    params : :class:`LinkParams`
        Rows and outputs of the core, and whether a host loads it.

    Members
    -------
    i : :py:`In(stream.Signature(frame_layout()))`
        Frames.
    slot : :py:`Out(1)`
        Slot of the frame in work.
    walk, facts, i_bytes
        To :class:`Walker`.
    o_tokens : :py:`Out(stream.Signature(token_layout(rows)))`
        Requests to the core.
    i_results : :py:`In(stream.Signature(result_layout(outputs, width)))`
        Results of the core.
    decides : :py:`Out(1)`
        The executor may count in the next cycle.
    counts : :py:`Out(CountSignature())`
        To :class:`Counters`.
    loader, o_load : :py:`Out(LoadSignature())`, :py:`Out(stream.Signature(8))`
        To :class:`Loader`. Only with a table; no STEP fits unless it is loaded.
    """

    def __init__(self, params: LinkParams):
        self.params = params

        super().__init__({
            "i":         In(stream.Signature(frame_layout())),
            "slot":      Out(1),
            "walk":      Out(WalkSignature(params.keeps)),
            "facts":     Out(AnswerSignature(params)),
            "i_bytes":   In(stream.Signature(8)),
            "o_tokens":  Out(stream.Signature(token_layout(params.rows))),
            "i_results": In(stream.Signature(result_layout(params.outputs, params.width))),
            "decides":   Out(1),
            "counts":    Out(CountSignature()),
        } | ({
            "loader":    Out(LoadSignature(params.table)),
            "o_load":    Out(stream.Signature(8)),
        } if params.table else {}))
        self._again = Signal()          # a last LOAD is good, and gone through again

    def elaborate(self, platform):
        m = Module()

        walk, facts = self.walk, self.facts
        end    = Signal(8, reset_less=True)
        count  = Signal()
        number = Signal(5)
        table  = self.params.table is not None
        load   = facts.load if table else Const(0)
        m.submodules.verdict = verdict = Verdict(table)
        m.d.sync += [
            self.counts.count.eq(count),
            self.counts.number.eq(number),
        ]
        m.d.comb += [
            verdict.byte.eq(self.i_bytes.payload),
            verdict.ready.eq(self.i_bytes.valid & ~self.i_bytes.ready & ~self.counts.busy),
            verdict.position.eq(walk.position),
            verdict.end.eq(end),
            verdict.info.eq(facts.info),
            verdict.load.eq(load),
            verdict.whole.eq(self.loader.whole if table else 0),
            walk.stop.eq(verdict.stop),
            self.decides.eq(verdict.go | walk.checked),
            facts.result.eq(self.i_results.payload),
        ]

        with m.FSM() as fsm:
            m.d.sync += walk.reading.eq(~(fsm.ongoing("IDLE") | fsm.ongoing("STEP")
                                          | fsm.ongoing("ANSWER")))
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += self.slot.eq(self.i.p.slot), end.eq(self.i.p.end)
                with m.If(self.i.valid):
                    m.next = "CHECK"
            self._accept(m, verdict, load, count, number)
            self._execute(m, verdict.go, self.i_bytes.payload, count, number)
            if table:
                self._load(m, verdict.go)

            with m.State("ANSWER"):
                m.d.comb += walk.answer.eq(facts.info | load | facts.part | self.i_results.valid)
                with m.If(walk.done):
                    m.next = "IDLE"

        return m

    def _accept(self, m, verdict, load, count, number):
        """Look at the CRC, the type and the sequence number of a frame."""
        walk, facts, byte, go = self.walk, self.facts, self.i_bytes.payload, verdict.go
        table = self.params.table is not None
        # A cycle late: the core does much in the cycle in which its result is taken.
        take = Signal()
        m.d.sync += self.i_results.ready.eq(take)

        with m.State("CHECK"):
            m.d.comb += number.eq(COUNTERS["corrupt"]), count.eq(walk.checked & ~walk.good)
            with m.If(walk.checked):
                m.next = "TYPE"
                with m.If(~walk.good):
                    m.next = "IDLE"

        with m.State("TYPE"):
            m.d.comb += [
                number.eq(COUNTERS["foreign"]),
                count.eq(go & ~verdict.fits),
                self.i_bytes.ready.eq(go),
            ]
            m.d.sync += facts.info.eq(byte[0] & ~(byte[1] & table))
            if table:
                m.d.sync += load.eq(byte[0] & byte[1])
            with m.If(go):
                m.next = "SEQ"
                with m.If(~verdict.fits):
                    m.next = "IDLE"

        with m.State("SEQ"):
            m.d.comb += [
                number.eq(Mux(verdict.same, COUNTERS["repeated"], COUNTERS["steps"])),
                count.eq(go & (verdict.same | self.i_results.valid)),
                self.i_bytes.ready.eq(go),
                take.eq(go & ~verdict.same),
                verdict.remember.eq(go),
            ]
            with m.If(go):
                m.next = "FLAGS"
                with m.If(facts.info | verdict.same):
                    m.next = "ANSWER"

    def _execute(self, m, go, byte, count, number):
        tokens = self.o_tokens
        half   = Signal()               # a row's low byte has come, and its high byte is due
        low    = Signal(8, reset_less=True)
        wide   = row_bytes(self.params.rows) == 2
        row    = Cat(low, byte) if wide else byte
        exists = Signal()
        m.d.sync += exists.eq(is_below(row, self.params.rows))
        m.d.comb += tokens.p.row.eq(row)

        with m.State("FLAGS"):
            m.d.comb += self.i_bytes.ready.eq(go)
            m.d.sync += self.facts.lost.eq(0), self.facts.part.eq(byte[1]), half.eq(0)
            with m.If(go):
                m.next = "EVENTS"
                with m.If(byte[0]):
                    m.next = "RESET"
                if self.params.table:
                    with m.If(self.facts.load):
                        m.d.comb += self.loader.restart.eq(byte[0])
                        m.d.sync += self._again.eq(0)
                        m.next = "LOAD"

        with m.State("RESET"):
            m.d.comb += tokens.valid.eq(1), tokens.p.kind.eq(TokenKind.RESET)
            with m.If(tokens.ready):
                m.next = "EVENTS"
                if self.params.keeps:
                    with m.If(self.facts.load):
                        m.next = "ANSWER"

        with m.State("EVENTS"):
            m.d.comb += number.eq(COUNTERS["dropped"])
            with m.If(go):
                with m.If(self.walk.stop):
                    m.d.comb += count.eq(half)
                    m.d.sync += self.facts.lost.eq(self.facts.lost | half)
                    m.next = "STEP"
                    with m.If(self.facts.part):
                        m.next = "ANSWER"
                if wide:
                    with m.Elif(~half):
                        m.d.comb += self.i_bytes.ready.eq(1)
                        m.d.sync += low.eq(byte), half.eq(1)
                with m.Elif(exists):
                    m.next = "EVENT"
                with m.Else():
                    m.d.comb += self.i_bytes.ready.eq(1), count.eq(1)
                    m.d.sync += self.facts.lost.eq(1), half.eq(0)

        with m.State("EVENT"):
            m.d.comb += [
                tokens.valid.eq(1),
                tokens.p.kind.eq(TokenKind.EVENT),
                self.i_bytes.ready.eq(tokens.ready),
            ]
            with m.If(tokens.ready):
                m.d.sync += half.eq(0)
                m.next = "EVENTS"

        with m.State("STEP"):
            m.d.comb += tokens.valid.eq(1), tokens.p.kind.eq(TokenKind.STEP)
            with m.If(tokens.ready):
                m.next = "ANSWER"

    def _load(self, m, go):
        loader, facts = self.loader, self.facts
        m.d.comb += [
            self.o_load.payload.eq(self.i_bytes.payload),
            facts.loaded.eq(Mux(facts.load, loader.loaded, loader.whole)),
            facts.words.eq(loader.words),
        ]

        with m.State("LOAD"):
            with m.If(go):
                m.next = "BYTE"
                with m.If(self.walk.stop):
                    m.next = "ANSWER"
                if self.params.keeps:
                    self._finish(m)

        with m.State("BYTE"):
            m.d.comb += [
                self.o_load.valid.eq(1),
                self.i_bytes.ready.eq(self.o_load.ready),
            ]
            with m.If(self.o_load.ready):
                m.next = "LOAD"

        if self.params.keeps:
            # The flag of a step that goes on is that of a last LOAD.
            m.d.comb += loader.last.eq(facts.part)
            self._commit(m)

    def _finish(self, m):
        """End a last LOAD: check it; then go through it again to keep its hash, and reset."""
        with m.If(self._again):
            m.d.comb += self.i_bytes.ready.eq(1)
            m.next = "LOAD"
            with m.If(self.walk.position[3:] == HASH // 8):
                m.d.comb += self.i_bytes.ready.eq(0)
                m.next = "KEEP"
            with m.If(self.walk.stop):
                m.next = "RESET"
        with m.Elif(self.walk.stop & self.facts.part):
            m.d.comb += self.loader.finish.eq(1)
            m.next = "COMMIT"

    def _commit(self, m):
        """Take a model that is whole: its hash, which is in the frame that is at hand."""
        with m.State("COMMIT"):
            with m.If(~self.loader.copying):
                m.next = "ANSWER"
                with m.If(self.loader.loaded):
                    m.d.comb += self.walk.rewind.eq(1), self.i_bytes.ready.eq(1)
                    m.d.sync += self._again.eq(1)
                    m.next = "LOAD"

        with m.State("KEEP"):
            m.d.comb += [
                self.walk.keep.eq(1),
                self.i_bytes.ready.eq(self.walk.kept),
            ]
            with m.If(self.walk.kept):
                m.next = "LOAD"
