# SPDX-License-Identifier: Apache-2.0
"""Counters that live in the block RAM, one byte at a time."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import COUNTERS
from .store import PageSignature

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counts what happens, in the status page.

    A count takes 4 cycles, and 2 more per carry. It carries from byte to byte; the highest byte
    stops at 255. What the receiver drops may wait for its count, one event of a kind; a second one
    would be lost, but frames come further apart. The executor waits while ``busy``.

    Members
    -------
    corrupt, overrun : :py:`In(1)`
        The receiver drops a frame in this cycle.
    count, number : :py:`In(1)`, :py:`In(5)`
        Count at position ``number``, unless ``busy``.
    freeze : :py:`In(1)`
        Start no count for the receiver.
    busy : :py:`Out(1)`
        Something is yet to be counted. Two cycles late.
    page : :py:`Out(PageSignature())`
        Access to the status page.
    """

    corrupt: In(1)
    overrun: In(1)
    count:   In(1)
    number:  In(5)
    freeze:  In(1)
    busy:    Out(1)
    page:    Out(PageSignature())

    def elaborate(self, platform):
        m = Module()

        corrupt = Signal()
        overrun = Signal()
        asked   = Signal()
        start   = Signal(5, reset_less=True)
        offset  = Signal(2, reset_less=True)
        full    = self.page.value == 0xff
        last    = offset[0] & (offset[1] | (start != COUNTERS["steps"]))
        m.d.comb += [
            self.page.position.eq(start | offset),
            self.page.data.eq(self.page.value + 1),
        ]

        with m.FSM() as fsm:
            m.d.sync += self.busy.eq(self.count | corrupt | overrun | asked | ~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += asked.eq(0), offset.eq(0)
                with m.If(asked):
                    m.next = "READ"
                with m.Elif(self.count):
                    m.d.sync += asked.eq(1), start.eq(self.number)
                with m.Elif(~self.freeze):
                    with m.If(corrupt):
                        m.d.sync += asked.eq(1), start.eq(COUNTERS["corrupt"]), corrupt.eq(0)
                    with m.Elif(overrun):
                        m.d.sync += asked.eq(1), start.eq(COUNTERS["overrun"]), overrun.eq(0)

            with m.State("READ"):
                m.d.comb += self.page.claim.eq(1)
                m.next = "ADD"

            with m.State("ADD"):
                m.d.comb += [
                    self.page.claim.eq(1),
                    self.page.writing.eq(1),
                    self.page.write.eq(~(full & last)),
                ]
                m.d.sync += offset.eq(offset + 1)
                m.next = "IDLE"
                with m.If(full & ~last):
                    m.next = "READ"

        with m.If(self.corrupt):
            m.d.sync += corrupt.eq(1)
        with m.If(self.overrun):
            m.d.sync += overrun.eq(1)

        return m
