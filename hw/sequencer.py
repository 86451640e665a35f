# SPDX-License-Identifier: Apache-2.0
"""Sequencer: runs the operations of the program, step after step."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from .arith import signed_digits
from .layouts import TokenKind, event_layout, move_layout, token_layout
from .operations import Kind
from .program import ProgramParams, ProgramTable
from .signatures import WindowSignature

__all__ = ["Sequencer", "SequencerParams"]

class State(enum.Enum, shape=4):
    """What the sequencer does.

    An operation begins in the state with the number of its kind.
    """

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
        State words. With ``decays``, all of them decay after a result.
    decays : :class:`bool`
        Each lane has a neuron unit.
    streams : :class:`bool`
        A row may be taken in every cycle.
    logs : :class:`bool`
        Input events go to a list of the spike log, too.
    takes_only : :class:`bool`
        Input events ask for no row.
    windows : :class:`bool`
        Input events go to the window log, too. An event that it has no room for adds nothing.
    """

    program:    ProgramParams
    rows:       int
    words:      int
    decays:     bool = False
    streams:    bool = False
    logs:       bool = False
    takes_only: bool = False
    windows:    bool = False


class Sequencer(wiring.Component):
    """Leads the row look-up and the neuron update through a step.

    A step takes the cycles that `plan.program` computes. STEP and RESET are taken once the rows
    before them have passed the look-up. RESET runs the MAPs alone, which then write zeros.

    Parameters
    ----------
    params : :class:`SequencerParams`

    Members
    -------
    i : :py:`In(stream.Signature(token_layout(rows)))`
    rows : :py:`Out(stream.Signature(params.program.rows.row))`
    rows_active : :py:`In(1)`
        A row occupies the look-up.
    spikes : :py:`Out(params.program.spikes)`
        To :class:`SpikeLog`.
    update : :py:`Out(params.program.update)`
        To the block that updates neurons.
    cleared : :py:`Out(1)`
        The whole state is zero in this cycle. The step starts over.
    result : :py:`Out(1)`
        The outputs are valid. They are steady until ``next_step``.
    next_step : :py:`In(1)`
        The outputs are taken.
    busy : :py:`Out(1)`
        The core works, and waits for no token and for no taker of its result.
    event : :py:`Out(event_layout(rows))`
        An event that is taken; only with ``logs``. The list of the log is selected from the next
        cycle on.
    window : :py:`Out(WindowSignature(rows))`
        To :class:`WindowLog`; only with ``windows``.
    move : :py:`Out(move_layout(parts, rows))`
        To :class:`Moments`; only with a normalized window.
    turn : :py:`Out(range(params.program.cycle))`
        Number of the step since the reset; only where something does not happen in every step.
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
        } | ({"event": Out(event_layout(params.rows))} if params.logs else {})
          | ({"window": Out(WindowSignature(params.rows))} if params.windows else {})
          | ({"move": Out(move_layout(program.parts, params.rows))} if program.parts else {})
          | ({"turn": Out(range(program.cycle))} if program.cycle > 1 else {}))
        # What the states share.
        self._table  = ProgramTable(program, params.rows)
        self._at     = Signal(program.code, init=program.codes[0])
        self._begin  = State(program.operations[0].kind.value)
        self._state  = Signal(State, init=State.RESULT if params.decays else self._begin)
        # Only what differs between the rows of an operation counts.
        self._asked  = Signal(program.rows.row)
        self._clears = Signal()                     # only MAPs run: the step clears the state
        self._turns  = program.cycle > 1            # some operations are not made in every step
        # Registers of what the table has: it is far from a register. `closes` is a cycle late.
        self._due    = Signal()
        self._closes = Signal() if self._turns else self._table.last_map
        # Places of a value that are done with; whether one digit is left.
        self._done   = Signal(len(self.spikes.value) if program.digits else 1)
        self._last   = Signal() if program.digits else Const(1)

    def elaborate(self, platform):
        m = Module()

        m.submodules.table = table = self._table
        state = self._state
        waits = state == State.INPUT
        # After configuration as after a result: the currents decay, which leaves zeros as they are.
        taken = Signal(init=self.params.decays)
        draining = self._draining(m)
        if self._turns:
            m.d.sync += [
                self._due.eq(table.due),
                self._closes.eq(table.last_map),
            ]
        with m.If(self.rows.ready):
            m.d.sync += self.rows.valid.eq(0)
        with m.Switch(state):
            self._add_spikes(m)
            self._add_input(m)
            self._update(m)
            with m.Case(State.RESULT):
                m.d.comb += self.result.eq(~taken)
                with m.If(self.next_step):
                    m.d.sync += taken.eq(1)
                with m.If((taken | self.next_step) & ~self.update.decays & ~draining):
                    m.d.sync += taken.eq(0), state.eq(self._begin)
        digits = self.params.program.digits
        for name, _ in self.rows.p.shape():
            # No operation ends before the adder has taken its last row: the rest stays as it is.
            differs = name in ("address", "row", "gain") or (digits and name == "shift")
            request = self._asked if differs else table.row
            m.d.comb += self.rows.p[name].eq(request[name])
        if digits:
            self._walk_digits(m)
        elif "value" in table.signature.members:
            m.d.comb += table.value.eq(self.spikes.value)
        if self._turns:
            turn = Signal(range(self.params.program.cycle))
            m.d.comb += [
                table.turn.eq(turn),
                self.turn.eq(turn),
            ]
            with m.If(self.result & self.next_step):
                m.d.sync += turn.eq(turn + 1)
            with m.If(self.cleared):
                m.d.sync += turn.eq(0)
        for name in ("since", "before"):
            if name in table.signature.members:
                m.d.comb += getattr(self.spikes, name).eq(getattr(table, name))
        if self.params.program.parts:
            m.d.comb += [
                self.move.valid.eq(self.spikes.take & table.counts),
                self.move.part.eq(table.part),
                self.move.row.eq(self.spikes.number),
                self.move.leaves.eq(table.row.gain < 0),
            ]
        m.d.comb += [
            self._clears.eq(self.update.clear | (waits & (self.i.p.kind == TokenKind.RESET))),
            table.at.eq(self._at),
            table.input_row.eq(self.i.p.row),
            table.neuron.eq(self.spikes.number),
            self.spikes.delay.eq(table.delay),
            self.spikes.list.eq(table.list),
            self.busy.eq(~(waits | (state == State.RESULT)) | self.rows_active
                         | self.update.decays),
        ]

        return m

    def _walk_digits(self, m):
        """Go through the digits of a value, the lowest first. Any other entry has one, a 1."""
        table, spikes = self._table, self.spikes
        places, minus = signed_digits(spikes.value)
        left = Signal.like(self._done)
        m.d.comb += [
            left.eq(Mux(table.graded, places, 1) & ~self._done),
            # No other one is left.
            self._last.eq(~Cat(left[k] & left[:k].any() for k in range(len(left))).any()),
        ]
        for k in reversed(range(len(left))):
            with m.If(left[k]):
                m.d.comb += [
                    table.place.eq(k),
                    table.value.eq(Mux(minus[k], -1, 1)),
                ]

    def _draining(self, m):
        """Whether the next step must wait for the currents that still decay in the pipeline.

        To look up spikes and then take a token takes long enough. Any shorter way to an update, in
        a step or by a reset, could start it before the pass of the decay has ended.
        """
        program = self.params.program
        first = [operation.kind for operation in program.operations[:program.maps[0]]]
        if not self.params.decays or (first[:1] == [Kind.SPIKES] and Kind.INPUT in first):
            return Const(0)
        draining = Signal(init=1)
        with m.If(self.update.done):
            m.d.sync += draining.eq(0)
        with m.If(self.update.start & self.update.decay):
            m.d.sync += draining.eq(1)
        return draining

    def _advance(self, m):
        """Go to the next operation, or after the last one to the result.

        Each state has these statements of its own: as one signal for all they are slower.
        """
        table, clears = self._table, self._clears
        code = Mux(clears, table.next_map, table.following)
        m.d.sync += [
            self._at.eq(code),
            self._state.eq(self.params.program.kind_of(code)),
            self.update.clear.eq(clears & ~self.cleared),
        ]
        if self._turns:         # a step does not begin with a MAP: any other waits for a cycle
            m.d.sync += self._due.eq(table.next_due)
        with m.If(table.last & ~clears):
            m.d.sync += self._state.eq(State.RESULT)
        if self.params.decays:
            with m.If(table.last_map & clears):
                m.d.sync += self._state.eq(State.CLEAR)

    def _request(self, m):
        m.d.sync += [
            self.rows.valid.eq(1),
            self._asked.eq(self._table.row),
        ]
        if self.params.program.digits:
            place = self._table.place
            m.d.sync += self._done.eq(Mux(self._last, 0, self._done | 1 << place))

    def _add_spikes(self, m):
        """Add the rows of the spikes that fall due, in the order in which they were fired."""
        spikes, state, digits = self.spikes, self._state, self.params.program.digits
        with m.Case(State.SELECT):
            m.d.comb += spikes.select.eq(1)
            m.d.sync += state.eq(State.FETCH)
        with m.Case(State.FETCH):
            m.d.comb += spikes.fetch.eq(1)
            m.d.sync += state.eq(State.STREAM if self.params.streams else State.LATCH)
            with m.If(~spikes.more | ~self._due if self._turns else ~spikes.more):
                self._advance(m)
        if self.params.streams:
            # Ask for a row in every cycle, if the adder takes one.
            with m.Case(State.STREAM):
                asks = spikes.more & (~self.rows.valid | self.rows.ready)
                m.d.comb += [
                    spikes.fetch.eq(1),
                    spikes.take.eq(asks & self._last if digits else asks),
                ]
                with m.If(asks if digits else spikes.take):
                    self._request(m)
                with m.If(~spikes.more & ~self.rows.valid):
                    self._advance(m)
        else:
            with m.Case(State.LATCH):
                self._request(m)
                m.d.comb += spikes.take.eq(self._last)
                m.d.sync += state.eq(State.ISSUE)
            with m.Case(State.ISSUE):
                with m.If(self.rows.ready):
                    m.d.sync += state.eq(State.FETCH)

    def _add_input(self, m):
        """Take tokens: rows as they come, then the end of the step, or a reset."""
        with m.Case(State.INPUT):
            if self.params.logs:
                m.d.comb += self.spikes.select.eq(1)
            with m.If(self.i.p.kind == TokenKind.EVENT):
                m.d.comb += self.i.ready.eq(1 if self.params.takes_only else
                                            ~self.rows.valid | self.rows.ready)
                with m.If(self.i.valid & self.i.ready):
                    if not self.params.takes_only:
                        self._request(m)
                        if self.params.windows:
                            with m.If(self.window.full):
                                m.d.sync += self._asked.gain.eq(0)
                    if self.params.logs or self.params.windows:
                        event = self.window.event if self.params.windows else self.event
                        m.d.comb += [
                            event.valid.eq(1),
                            event.row.eq(self.i.p.row),
                        ]
            with m.Else():
                # The last row has at most the cycle left in which the adder could take another.
                m.d.comb += self.i.ready.eq(~self.rows.valid & self.rows.ready)
                with m.If(self.i.valid & self.i.ready):
                    self._advance(m)

    def _update(self, m):
        """Advance a population once the adder holds no row; then start the decay, if it is last."""
        update, table, state, decays = self.update, self._table, self._state, self.params.decays
        m.d.comb += [
            update.first.eq(table.first),
            update.count.eq(table.count),
            update.word.eq(table.word),
        ]
        if "mode" in update.signature.members:
            m.d.comb += update.mode.eq(table.mode)
        if "inner" in update.signature.members:
            m.d.comb += update.inner.eq(table.inner)
        with m.Case(State.UPDATE):
            m.d.comb += [
                update.start.eq(~self.rows_active & (self._due | update.clear) if self._turns else
                                ~self.rows_active),
                # The log takes the spikes of this population.
                self.spikes.select.eq(1),
            ]
            with m.If(update.start):
                m.d.sync += state.eq(State.RUN)
            if self._turns:
                with m.Elif(~self.rows_active):
                    self._advance(m)
        with m.Case(State.RUN):
            with m.If(update.done):
                self._advance(m)
            if not decays:
                m.d.comb += self.cleared.eq(update.done & update.clear & self._closes)
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
                    m.d.sync += update.clear.eq(0), state.eq(self._begin)
