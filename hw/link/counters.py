# SPDX-License-Identifier: Apache-2.0
"""Counters that are in the block RAM, one byte at a time."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import COUNTERS
from .store import PageSignature

__all__ = ["CountSignature", "Counters"]


class CountSignature(wiring.Signature):
    """How the executor counts at position ``number`` of the status page, in a cycle with ``count``.

    Something is yet to be counted in a cycle with ``busy``. A ``count`` comes two cycles after one
    without, at the latest, if the cycle in between had ``freeze``.
    """

    def __init__(self):
        super().__init__({
            "count":  Out(1),
            "number": Out(5),
            "busy":   In(1),
        })


class Counters(wiring.Component):
    """Counts events of the link in the status page.

    A count takes 3 cycles, and 2 more for each carry into the next byte, or more without
    ``grant``. The highest byte stops at 255. One dropped frame of each kind may wait for its turn.
    A second one of that kind would be lost, but frames come further apart than that.

    Members
    -------
    corrupt, overrun : :py:`In(1)`
        The receiver drops a frame in this cycle.
    asked : :py:`In(CountSignature())`
        What the executor counts.
    freeze : :py:`In(1)`
        Begin nothing for the receiver.
    page : :py:`Out(PageSignature())`
        Access to the status page.
    """

    corrupt: In(1)
    overrun: In(1)
    asked:   In(CountSignature())
    freeze:  In(1)
    page:    Out(PageSignature())

    def elaborate(self, platform):
        m = Module()

        corrupt = Signal()
        overrun = Signal()
        claim   = Signal()
        adding  = Signal()              # the byte is there; in the cycle before it was asked for
        start   = Signal(5, reset_less=True)
        offset  = Signal(2, reset_less=True)
        full    = self.page.value == 0xff
        last    = offset[0] & (offset[1] | (start != COUNTERS["steps"]))
        m.d.comb += [
            self.page.soon.eq(self.asked.count | ((corrupt | overrun) & ~self.freeze)),
            self.page.claim.eq(claim),
            self.page.position.eq(start | offset),
            self.page.write.eq(adding & self.page.grant & ~(full & last)),
            self.page.data.eq(self.page.value + 1),
            self.asked.busy.eq(self.asked.count | corrupt | overrun | claim),
        ]

        with m.If(adding):
            with m.If(self.page.grant):
                m.d.sync += adding.eq(0), claim.eq(full & ~last), offset.eq(offset + 1)
        with m.Elif(claim):
            m.d.sync += adding.eq(1)
        with m.Else():
            m.d.sync += offset.eq(0)
            with m.If(self.asked.count):
                m.d.sync += claim.eq(1), start.eq(self.asked.number)
            with m.Elif(corrupt & ~self.freeze):
                m.d.sync += claim.eq(1), start.eq(COUNTERS["corrupt"]), corrupt.eq(0)
            with m.Elif(overrun & ~self.freeze):
                m.d.sync += claim.eq(1), start.eq(COUNTERS["overrun"]), overrun.eq(0)

        with m.If(self.corrupt):
            m.d.sync += corrupt.eq(1)
        with m.If(self.overrun):
            m.d.sync += overrun.eq(1)

        return m
