# SPDX-License-Identifier: Apache-2.0
"""Sequencer: drives the row adder and the neuron pipeline through the phases of a step."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from spikewright.plan.program import Kind
from spikewright.plan.timing import decay_cycles

from .arith import times
from .layouts import TableFormat, TokenKind, row_layout, token_layout
from .params import CoreParams

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Runs golden's schedule, step after step; RESET clears the state with the UPDATE phases.

    The cycle contract is that of ``plan.timing``. STEP and RESET are taken once the rows before
    them have passed the adder.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    i : :py:`In(stream.Signature(token_layout(rows)))`
    rows : :py:`Out(stream.Signature(row_layout(params)))`
    rows_active : :py:`In(1)`
        The adder holds a row.
    fetch, select, delay, source, more, number, take
        To :class:`SpikeLog`.
    start, first, size, word, decay, decays, done
        To :class:`NeuronUpdate` or :class:`LaneUpdate`.
    clear : :py:`Out(1)`
        The UPDATE phases that run now write zeros.
    cleared : :py:`Out(1)`
        The state is zero: the step starts over.
    result : :py:`Out(1)`
        The outputs are valid; steady until ``next_step``.
    next_step : :py:`In(1)`
        The outputs are taken.
    busy : :py:`Out(1)`
        Works, and waits for nobody.
    """

    def __init__(self, params: CoreParams):
        self.params = params
        super().__init__({
            "i":           In(stream.Signature(token_layout(params.rows))),
            "rows":        Out(stream.Signature(row_layout(params))),
            "rows_active": In(1),
            "fetch":       Out(1),
            "select":      Out(1),
            "delay":       Out(range(params.slots)),
            "source":      Out(range(max(len(params.spiking), 2))),
            "more":        In(1),
            "number":      In(range(max(params.groups * params.units, 2))),
            "take":        Out(1),
            "start":       Out(1),
            "first":       Out(range(max(params.groups, 2))),
            "size":        Out(range(params.groups + 1)),
            "word":        Out(range(max(params.state_words, 2))),
            "decay":       Out(1),
            "decays":      In(1),
            "done":        In(1),
            "clear":       Out(1),
            "cleared":     Out(1),
            "result":      Out(1),
            "next_step":   In(1),
            "busy":        Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        entries = [f"{k}_{self._ENTRY[phase.kind]}" for k, phase in enumerate(self.params.phases)]
        updates = [k for k, phase in enumerate(self.params.phases) if phase.kind == Kind.UPDATE]
        # After configuration as after a result: the currents decay, which leaves zeros as they are.
        decays = decay_cycles(self.params.model, self.params.config) > 0
        taken  = Signal(init=decays)

        with m.If(self.rows.ready):
            m.d.sync += self.rows.valid.eq(0)
        with m.FSM(init="RESULT" if decays else entries[0]) as fsm:
            for k, phase in enumerate(self.params.phases):
                after = [*entries, "RESULT"][k + 1]
                if phase.kind == Kind.UPDATE:
                    clears = [entries[u] for u in updates if u > k]
                    self._update(m, k, phase, after, [*clears, "CLEAR"][0], decays and not clears)
                elif phase.kind == Kind.SPIKES:
                    self._spikes(m, k, phase, after)
                else:
                    self._input(m, k, phase, after, entries[updates[0]])
                    waits = fsm.ongoing(entries[k])
            with m.State("RESULT"):
                m.d.comb += self.result.eq(~taken)
                with m.If(self.next_step):
                    m.d.sync += taken.eq(1)
                with m.If((taken | self.next_step) & ~self.decays):
                    m.d.sync += taken.eq(0)
                    m.next = entries[0]
            with m.State("CLEAR"):
                with m.If(self.done | (not decays)):
                    m.d.comb += self.cleared.eq(1)
                    m.d.sync += self.clear.eq(0)
                    m.next = entries[0]
        m.d.comb += self.busy.eq(~(waits | fsm.ongoing("RESULT")) | self.rows_active | self.decays)

        return m

    _ENTRY = {Kind.SPIKES: "SELECT", Kind.INPUT: "INPUT", Kind.UPDATE: "UPDATE"}

    def _request(self, m, place, first, number):
        """Ask for row ``number - first`` of a projection."""
        m.d.sync += [
            self.rows.valid.eq(1),
            self.rows.p.format.eq(TableFormat[place.format.upper()]),
            self.rows.p.address.eq(times(number, place.row_words) + place.first
                                   - first * place.row_words),
            self.rows.p.row.eq(number + place.first_row - first),
            self.rows.p.target.eq(place.target),
            self.rows.p.words.eq(place.row_words),
            self.rows.p.shift.eq(self.params.row_shift(place)),
        ]
        if len(self.params.tables) > 1:
            m.d.sync += self.rows.p.width.eq(self.params.width_number(place.bits))

    def _spikes(self, m, k, phase, after):
        """Add the rows of the spikes that fall due, in the order in which they were fired."""
        with m.State(f"{k}_SELECT"):
            m.d.comb += [
                self.select.eq(1),
                self.delay.eq(phase.delay),
                self.source.eq(phase.source),
            ]
            m.next = f"{k}_FETCH"
        with m.State(f"{k}_FETCH"):
            m.d.comb += self.fetch.eq(1)
            m.next = f"{k}_STREAM" if self.params.streams else f"{k}_LATCH"
            with m.If(~self.more):
                m.next = after
        if self.params.streams:
            self._stream(m, k, phase, after)
            return
        with m.State(f"{k}_LATCH"):
            self._request(m, phase.place, phase.first, self.number)
            m.d.comb += self.take.eq(1)
            m.next = f"{k}_ISSUE"
        with m.State(f"{k}_ISSUE"):
            with m.If(self.rows.ready):
                m.next = f"{k}_FETCH"

    def _stream(self, m, k, phase, after):
        """Ask for a row in every cycle, if the adder takes one."""
        with m.State(f"{k}_STREAM"):
            m.d.comb += self.fetch.eq(1)
            with m.If(self.more):
                with m.If(~self.rows.valid | self.rows.ready):
                    self._request(m, phase.place, phase.first, self.number)
                    m.d.comb += self.take.eq(1)
            with m.Elif(~self.rows.valid):
                m.next = after

    def _input(self, m, k, phase, after, clear):
        """Take tokens: rows as they come, then the end of the step, or a reset."""
        with m.State(f"{k}_INPUT"):
            free = ~self.rows.valid | self.rows.ready
            with m.Switch(self.i.p.kind):
                with m.Case(TokenKind.EVENT):
                    m.d.comb += self.i.ready.eq(free)
                    with m.If(self.i.valid & free):
                        self._request(m, phase.place, 0, self.i.p.row)
                with m.Default():
                    # The last row has at most the cycle left in which the adder could take another.
                    m.d.comb += self.i.ready.eq(~self.rows.valid & self.rows.ready)
                    with m.If(self.i.valid & self.i.ready):
                        m.next = after
                        with m.If(self.i.p.kind == TokenKind.RESET):
                            m.d.sync += self.clear.eq(1)
                            m.next = clear

    def _update(self, m, k, phase, after, after_clear, decay):
        """Advance a population once the adder holds no row; then start the ``decay``, if asked."""
        with m.State(f"{k}_UPDATE"):
            m.d.comb += [
                self.first.eq(phase.first),
                self.size.eq(phase.groups),
                self.word.eq(phase.word),
                self.start.eq(~self.rows_active),
                # The log takes the spikes of this population.
                self.select.eq(1),
                self.source.eq(phase.rank if phase.population.spiking else 0),
            ]
            with m.If(self.start):
                m.next = f"{k}_RUN"
        with m.State(f"{k}_RUN"):
            with m.If(self.done):
                m.next = after
                with m.If(self.clear):
                    m.next = after_clear
                if decay:
                    m.d.comb += [
                        self.start.eq(1),
                        self.decay.eq(1),
                        self.size.eq(self.params.state_words),
                    ]
