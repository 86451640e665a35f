# SPDX-License-Identifier: Apache-2.0
"""Top level for a board: clock, reset, pins, and the decoder."""

from amaranth import *
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer
from amaranth.lib.wiring import In, Out

from hw.decoder import Decoder

from .platforms import Board
from .pll import PllSettings

__all__ = ["BoardClock", "BoardTop", "StartDelay"]

# Block RAMs of the iCE40 read as zero for about 3 us after configuration; five times that is what
# amaranth's own reset keeps, and what is kept here.
START_SECONDS = 15e-6


class StartDelay(wiring.Component):
    """Counts cycles of the domain ``por``, which has no reset, until all else may begin.

    Parameters
    ----------
    cycles : :class:`int`

    Members
    -------
    go : :py:`In(1)`
        The clock is steady; the count starts over whenever it is not.
    done : :py:`Out(1)`
        ``go`` has been high for ``cycles`` cycles and one more.
    """

    def __init__(self, cycles: int):
        self.cycles = cycles

        super().__init__({
            "go":   In(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        timer = Signal(range(self.cycles + 1))
        over  = timer == self.cycles
        m.d.por += self.done.eq(self.go & over)
        with m.If(~self.go):
            m.d.por += timer.eq(0)
        with m.Elif(~over):
            m.d.por += timer.eq(timer + 1)

        return m


class BoardClock(wiring.Component):
    """Drives domain ``sync`` from the crystal, through the PLL where there are settings for it.

    The reset lasts until the PLL has locked and START_SECONDS more, and comes back should the lock
    be lost. The platform constrains the crystal; nextpnr derives what comes out of the PLL.

    Parameters
    ----------
    board : :class:`Board`
    clock_hz : :class:`int`
        Frequency of ``sync``.
    pll : :class:`PllSettings` or None
        None where the crystal is the clock.

    Members
    -------
    lock : :py:`Out(1)`
        The clock is steady.
    """

    def __init__(self, board: Board, clock_hz: int, pll: PllSettings | None):
        self.board = board
        self.clock_hz = clock_hz
        self.pll = pll

        super().__init__({"lock": Out(1)})

    def elaborate(self, platform):
        m = Module()

        crystal = platform.request(self.board.crystal, dir="-")
        clock = Signal()
        if self.pll is None:
            m.submodules.crystal = buffer = io.Buffer("i", crystal)
            m.d.comb += [
                clock.eq(buffer.i),
                self.lock.eq(1),
            ]
        else:
            lock = Signal()
            m.submodules.pll = _pll(self.pll, crystal, clock, lock)
            m.submodules.lock_sync = FFSynchronizer(lock, self.lock, o_domain="por")

        m.domains.por = por = ClockDomain(reset_less=True, local=True)
        m.submodules.start = start = StartDelay(int(START_SECONDS * self.clock_hz))
        m.submodules.reset_sync = ResetSynchronizer(~start.done, domain="sync")
        m.d.comb += [
            por.clk.eq(clock),
            ClockSignal("sync").eq(clock),
            start.go.eq(self.lock),
        ]

        return m


def _pll(settings: PllSettings, crystal, clock, lock):
    return Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=Const(settings.divr, 4),
        p_DIVF=Const(settings.divf, 7),
        p_DIVQ=Const(settings.divq, 3),
        p_FILTER_RANGE=Const(settings.filter_range, 3),
        i_PACKAGEPIN=crystal.io,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clock,
        o_LOCK=lock,
    )


class BoardTop(wiring.Component):
    """The decoder on a board, behind its UART.

    Parameters
    ----------
    board : :class:`Board`
    decoder : :class:`Decoder`
    pll : :class:`PllSettings` or None
        As `Board.clock` gives it for the clock of the decoder's link.
    """

    def __init__(self, board: Board, decoder: Decoder, pll: PllSettings | None):
        self.board = board
        self.decoder = decoder
        self.pll = pll

        super().__init__({})

    def elaborate(self, platform):
        m = Module()

        m.domains.sync = ClockDomain()
        clock_hz = self.decoder.link.clock_hz
        uart = platform.request("uart", self.board.uart, dir="-")
        m.submodules.clock   = clock   = BoardClock(self.board, clock_hz, self.pll)
        m.submodules.rx      = rx      = io.Buffer("i", uart.rx)
        m.submodules.tx      = tx      = io.Buffer("o", uart.tx)
        m.submodules.decoder = decoder = self.decoder
        m.d.comb += [
            decoder.rx.eq(rx.i),
            tx.o.eq(decoder.tx),
        ]
        # Both are free: the one glows once the clock runs, the other flickers with each answer.
        shown = {"lock": clock.lock, "answer": ~decoder.tx}
        for what, name in self.board.leds.items():
            m.submodules[name] = led = io.Buffer("o", platform.request(name, dir="-"))
            m.d.comb += led.o.eq(shown[what])

        return m
