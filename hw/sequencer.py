# SPDX-License-Identifier: Apache-2.0
"""Sequencer: runs the operations of the program, step after step."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import TokenKind, token_layout
from .program import Kind, ProgramParams, ProgramTable

__all__ = ["Sequencer", "SequencerParams"]

# The state in which an operation of each kind begins.
ENTRY = {Kind.SPIKES: "SELECT", Kind.INPUT: "INPUT", Kind.MAP: "UPDATE"}


@dataclass(frozen=True, kw_only=True, eq=False)
class SequencerParams:
    """What the sequencer runs.

    Parameters
    ----------
    program : :class:`ProgramParams`
    rows : :class:`int`
        Input rows.
    words : :class:`int`
        State words, all of which decay after a result where ``decays``.
    decays : :class:`bool`
        There is a neuron unit per lane.
    streams : :class:`bool`
        A row may be taken in every cycle.
    """

    program: ProgramParams
    rows:    int
    words:   int
    decays:  bool = False
    streams: bool = False


class Sequencer(wiring.Component):
    """Leads the row adder and the neuron update through a step; RESET clears with the MAPs alone.

    The cycle contract is that of `plan.program`. STEP and RESET are taken once the rows before
    them have passed the adder.

    Parameters
    ----------
    params : :class:`SequencerParams`

    Members
    -------
    i : :py:`In(stream.Signature(token_layout(rows)))`
    rows : :py:`Out(stream.Signature(params.program.rows.row))`
    rows_active : :py:`In(1)`
        The adder holds a row.
    spikes : :py:`Out(params.program.spikes)`
        To :class:`SpikeLog`.
    update : :py:`Out(params.program.update)`
        To the block that updates neurons.
    cleared : :py:`Out(1)`
        The state is zero: the step starts over.
    result : :py:`Out(1)`
        The outputs are valid; steady until ``next_step``.
    next_step : :py:`In(1)`
        The outputs are taken.
    busy : :py:`Out(1)`
        Works, and waits for nobody.
    """

    def __init__(self, params: SequencerParams):
        self.params = params

        program = params.program
        super().__init__({
            "i":           In(stream.Signature(token_layout(params.rows))),
            "rows":        Out(stream.Signature(program.rows.row)),
            "rows_active": In(1),
            "spikes":      Out(program.spikes),
            "update":      Out(program.update),
            "cleared":     Out(1),
            "result":      Out(1),
            "next_step":   In(1),
            "busy":        Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        operations, decays = self.params.program.operations, self.params.decays
        number = Signal(max(len(self.spikes.number), len(self.i.p.row)))
        m.submodules.table = table = ProgramTable(self.params.program, 1 << len(number))
        at = Signal.like(table.at)
        # After configuration as after a result: the currents decay, which leaves zeros as they are.
        taken = Signal(init=decays)
        self.rows_at = Signal(self.params.program.rows.row)
        begin = ENTRY[operations[0].kind]
        with m.If(self.rows.ready):
            m.d.sync += self.rows.valid.eq(0)
        with m.FSM(init="RESULT" if decays else begin) as fsm:
            self._add_spikes(m, at, table)
            self._add_input(m, at, table)
            self._update(m, at, table)
            with m.State("RESULT"):
                m.d.comb += self.result.eq(~taken)
                with m.If(self.next_step):
                    m.d.sync += taken.eq(1)
                with m.If((taken | self.next_step) & ~self.update.decays):
                    m.d.sync += taken.eq(0)
                    m.next = begin
            with m.State("CLEAR"):
                with m.If(self.update.done | (not decays)):
                    m.d.comb += self.cleared.eq(1)
                    m.d.sync += self.update.clear.eq(0), at.eq(0)
                    m.next = begin
        waits = fsm.ongoing("INPUT")
        for name, _ in self.rows.p.shape():
            asked = self.rows_at if name in ("address", "row") else table.row
            m.d.comb += self.rows.p[name].eq(asked[name])
        m.d.comb += [
            table.at.eq(at),
            table.number.eq(number),
            number.eq(Mux(waits, self.i.p.row, self.spikes.number)),
            self.spikes.delay.eq(table.delay),
            self.spikes.list.eq(table.list),
            self.busy.eq(~(waits | fsm.ongoing("RESULT")) | self.rows_active
                         | self.update.decays),
        ]

        return m

    def _advance(self, m, at, table):
        """Go to the next operation, or to the result."""
        kinds = {operation.kind for operation in self.params.program.operations}
        m.d.sync += at.eq(at + 1)
        with m.If(table.last):
            m.d.sync += at.eq(0)
            m.next = "RESULT"
        with m.Else():
            with m.Switch(table.following):
                for kind in sorted(kinds, key=lambda kind: kind.value):
                    with m.Case(kind):
                        m.next = ENTRY[kind]

    def _request(self, m, table):
        # No operation ends before the adder has taken its last row: the rest stays as it is.
        m.d.sync += [
            self.rows.valid.eq(1),
            self.rows_at.eq(table.row),
        ]

    def _add_spikes(self, m, at, table):
        """Add the rows of the spikes that fall due, in the order in which they were fired."""
        spikes = self.spikes
        with m.State("SELECT"):
            m.d.comb += spikes.select.eq(1)
            m.next = "FETCH"
        with m.State("FETCH"):
            m.d.comb += spikes.fetch.eq(1)
            with m.If(spikes.more):
                m.next = "STREAM" if self.params.streams else "LATCH"
            with m.Else():
                self._advance(m, at, table)
        if self.params.streams:
            # Ask for a row in every cycle, if the adder takes one.
            with m.State("STREAM"):
                m.d.comb += spikes.fetch.eq(1)
                with m.If(spikes.more):
                    with m.If(~self.rows.valid | self.rows.ready):
                        self._request(m, table)
                        m.d.comb += spikes.take.eq(1)
                with m.Elif(~self.rows.valid):
                    self._advance(m, at, table)
        else:
            with m.State("LATCH"):
                self._request(m, table)
                m.d.comb += spikes.take.eq(1)
                m.next = "ISSUE"
            with m.State("ISSUE"):
                with m.If(self.rows.ready):
                    m.next = "FETCH"

    def _add_input(self, m, at, table):
        """Take tokens: rows as they come, then the end of the step, or a reset."""
        with m.State("INPUT"):
            free = ~self.rows.valid | self.rows.ready
            with m.Switch(self.i.p.kind):
                with m.Case(TokenKind.EVENT):
                    m.d.comb += self.i.ready.eq(free)
                    with m.If(self.i.valid & free):
                        self._request(m, table)
                with m.Default():
                    # The last row has at most the cycle left in which the adder could take another.
                    m.d.comb += self.i.ready.eq(~self.rows.valid & self.rows.ready)
                    with m.If(self.i.valid & self.i.ready):
                        self._advance(m, at, table)
                        with m.If(self.i.p.kind == TokenKind.RESET):
                            m.d.sync += [
                                self.update.clear.eq(1),
                                at.eq(self.params.program.maps[0]),
                            ]
                            m.next = "UPDATE"

    def _update(self, m, at, table):
        """Advance a population once the adder holds no row; then start the decay, if it is last."""
        update = self.update
        m.d.comb += [
            update.first.eq(table.first),
            update.count.eq(table.count),
            update.word.eq(table.word),
        ]
        with m.State("UPDATE"):
            m.d.comb += [
                update.start.eq(~self.rows_active),
                # The log takes the spikes of this population.
                self.spikes.select.eq(1),
            ]
            with m.If(update.start):
                m.next = "RUN"
        with m.State("RUN"):
            with m.If(update.done):
                self._advance(m, at, table)
                with m.If(update.clear):
                    m.d.sync += at.eq(table.next_map)
                    m.next = "UPDATE"
                    with m.If(table.last_map):
                        m.next = "CLEAR"
                if self.params.decays:
                    with m.If(table.last_map):
                        m.d.comb += [
                            update.start.eq(1),
                            update.decay.eq(1),
                            update.first.eq(0),
                            update.count.eq(self.params.words),
                        ]
