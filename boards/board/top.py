# SPDX-License-Identifier: Apache-2.0
"""Top level for a board: clock, pins, and the decoder."""

from amaranth import *
from amaranth.lib import io, wiring

from spikewright.hw.linked_core import LinkedCore

from .board import Board, ClockSource
from .clock import BoardClock

__all__ = ["BoardTop"]


class BoardTop(wiring.Component):
    """The decoder on a board, behind its UART.

    Parameters
    ----------
    board : :class:`Board`
    decoder : :class:`LinkedCore`
    source
        Source of the clock of the decoder's link, from `Board.clock`.
    """

    def __init__(self, board: Board, decoder: LinkedCore, source: ClockSource):
        self.board = board
        self.decoder = decoder
        self.source = source

        super().__init__({})

    def elaborate(self, platform):
        m = Module()

        m.domains.sync = ClockDomain()
        clock_hz = self.decoder.link.clock_hz
        uart = platform.request("uart", self.board.uart, dir="-")
        m.submodules.clock   = clock   = BoardClock(self.board, clock_hz, self.source)
        m.submodules.rx      = rx      = io.Buffer("i", uart.rx)
        m.submodules.tx      = tx      = io.Buffer("o", uart.tx)
        m.submodules.decoder = decoder = self.decoder
        m.d.comb += [
            decoder.rx.eq(rx.i),
            tx.o.eq(decoder.tx),
        ]
        # One LED glows once the clock runs, the other flickers with each answer.
        ports: dict = {}
        shown = {"lock": clock.lock, "answer": ~decoder.tx}
        for what, (name, number, *colour) in self.board.leds.items():
            if (name, number) not in ports:
                ports[name, number] = platform.request(name, number, dir="-")
            port = ports[name, number]
            m.submodules[f"led_{what}"] = led = io.Buffer(
                "o", getattr(port, colour[0]) if colour else port)
            m.d.comb += led.o.eq(shown[what])

        return m
