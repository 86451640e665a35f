# SPDX-License-Identifier: Apache-2.0
"""Sequencer: runs the operations of the program, step after step."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import TokenKind, token_layout
from .program import Kind, ProgramParams, ProgramTable

__all__ = ["Sequencer", "SequencerParams"]

class State(enum.Enum, shape=4):
    """What the sequencer does. An operation begins in the state with the number of its kind."""

    SELECT = Kind.SPIKES.value      # turns to the spike list
    INPUT = Kind.INPUT.value        # takes tokens
    UPDATE = Kind.MAP.value         # waits for the adder, then starts the update
    RESULT = 3                      # waits for the result to be taken
    FETCH = 4                       # reads a spike
    LATCH = 5                       # asks for its row
    ISSUE = 6                       # waits for the adder to take the row
    RUN = 7                         # waits for the update
    STREAM = 8                      # asks for a row in every cycle
    CLEAR = 9                       # waits for the decay of the currents, which are zero


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
        self.rows_at = Signal(program.rows.row)

    def elaborate(self, platform):
        m = Module()

        program, decays = self.params.program, self.params.decays
        m.submodules.table = table = ProgramTable(program, self.params.rows)
        at      = Signal(program.code, init=program.codes[0])
        begin   = State(program.operations[0].kind.value)
        state   = Signal(State, init=State.RESULT if decays else begin)
        # After configuration as after a result: the currents decay, which leaves zeros as they are.
        taken   = Signal(init=decays)
        advance = Signal()          # go to the next operation
        clears  = Signal()          # which is a MAP, since the step clears the state
        code    = Mux(clears, table.next_map, table.following)
        with m.If(self.rows.ready):
            m.d.sync += self.rows.valid.eq(0)
        with m.Switch(state):
            self._add_spikes(m, state, table, advance)
            self._add_input(m, table, advance)
            self._update(m, state, table, advance)
            with m.Case(State.RESULT):
                m.d.comb += self.result.eq(~taken)
                with m.If(self.next_step):
                    m.d.sync += taken.eq(1)
                with m.If((taken | self.next_step) & ~self.update.decays):
                    m.d.sync += taken.eq(0), state.eq(begin)
        with m.If(advance):
            m.d.sync += [
                at.eq(code),
                state.eq(program.kind_of(code)),
                self.update.clear.eq(clears & ~self.cleared),
            ]
            with m.If(table.last & ~clears):
                m.d.sync += state.eq(State.RESULT)
            if decays:
                with m.If(table.last_map & clears):
                    m.d.sync += state.eq(State.CLEAR)
        for name, _ in self.rows.p.shape():
            asked = self.rows_at if name in ("address", "row") else table.row
            m.d.comb += self.rows.p[name].eq(asked[name])
        waits = state == State.INPUT
        m.d.comb += [
            clears.eq(self.update.clear | (waits & (self.i.p.kind == TokenKind.RESET))),
            table.at.eq(at),
            table.input_row.eq(self.i.p.row),
            table.neuron.eq(self.spikes.number),
            self.spikes.delay.eq(table.delay),
            self.spikes.list.eq(table.list),
            self.busy.eq(~(waits | (state == State.RESULT)) | self.rows_active
                         | self.update.decays),
        ]

        return m

    def _request(self, m, table):
        # No operation ends before the adder has taken its last row: the rest stays as it is.
        m.d.sync += [
            self.rows.valid.eq(1),
            self.rows_at.eq(table.row),
        ]

    def _add_spikes(self, m, state, table, advance):
        """Add the rows of the spikes that fall due, in the order in which they were fired."""
        spikes = self.spikes
        with m.Case(State.SELECT):
            m.d.comb += spikes.select.eq(1)
            m.d.sync += state.eq(State.FETCH)
        with m.Case(State.FETCH):
            m.d.comb += [
                spikes.fetch.eq(1),
                advance.eq(~spikes.more),
            ]
            m.d.sync += state.eq(State.STREAM if self.params.streams else State.LATCH)
        if self.params.streams:
            # Ask for a row in every cycle, if the adder takes one.
            with m.Case(State.STREAM):
                m.d.comb += [
                    spikes.fetch.eq(1),
                    spikes.take.eq(spikes.more & (~self.rows.valid | self.rows.ready)),
                    advance.eq(~spikes.more & ~self.rows.valid),
                ]
                with m.If(spikes.take):
                    self._request(m, table)
        else:
            with m.Case(State.LATCH):
                self._request(m, table)
                m.d.comb += spikes.take.eq(1)
                m.d.sync += state.eq(State.ISSUE)
            with m.Case(State.ISSUE):
                with m.If(self.rows.ready):
                    m.d.sync += state.eq(State.FETCH)

    def _add_input(self, m, table, advance):
        """Take tokens: rows as they come, then the end of the step, or a reset."""
        with m.Case(State.INPUT):
            with m.If(self.i.p.kind == TokenKind.EVENT):
                m.d.comb += self.i.ready.eq(~self.rows.valid | self.rows.ready)
                with m.If(self.i.valid & self.i.ready):
                    self._request(m, table)
            with m.Else():
                # The last row has at most the cycle left in which the adder could take another.
                m.d.comb += [
                    self.i.ready.eq(~self.rows.valid & self.rows.ready),
                    advance.eq(self.i.valid & self.i.ready),
                ]

    def _update(self, m, state, table, advance):
        """Advance a population once the adder holds no row; then start the decay, if it is last."""
        update, decays = self.update, self.params.decays
        m.d.comb += [
            update.first.eq(table.first),
            update.count.eq(table.count),
            update.word.eq(table.word),
        ]
        with m.Case(State.UPDATE):
            m.d.comb += [
                update.start.eq(~self.rows_active),
                # The log takes the spikes of this population.
                self.spikes.select.eq(1),
            ]
            with m.If(update.start):
                m.d.sync += state.eq(State.RUN)
        with m.Case(State.RUN):
            m.d.comb += advance.eq(update.done)
            if not decays:
                m.d.comb += self.cleared.eq(update.done & update.clear & table.last_map)
            else:
                with m.If(update.done & table.last_map):
                    m.d.comb += [
                        update.start.eq(1),
                        update.decay.eq(1),
                        update.first.eq(0),
                        update.count.eq(self.params.words),
                    ]
        if decays:
            with m.Case(State.CLEAR):
                m.d.comb += self.cleared.eq(update.done)
                with m.If(update.done):
                    begin = self.params.program.operations[0].kind.value
                    m.d.sync += update.clear.eq(0), state.eq(begin)
