# SPDX-License-Identifier: Apache-2.0
"""Clock and reset of a board: from its crystal or oscillator, directly, divided, or by a PLL."""

from amaranth import *
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer
from amaranth.lib.wiring import In, Out

from .board import Board, ClockSource
from .divider import Divided, Oscillator
from .family import ICE40
from .pll import PllSettings
from .pll_ecp5 import Ecp5PllSettings

__all__ = ["BoardClock", "ClockDivider", "StartDelay"]

# Block RAMs of the iCE40 read as zero for about 3 us after configuration. Amaranth's own reset
# lasts five times as long, and so does this one. The oscillator in the chip needs 100 us.
START_SECONDS = 15e-6
OSCILLATOR_SECONDS = 100e-6


class StartDelay(wiring.Component):
    """Counts cycles of the domain ``por``, which has no reset, until the design may start.

    Parameters
    ----------
    cycles : :class:`int`

    Members
    -------
    go : :py:`In(1)`
        The clock is steady. When it is not, the count starts over.
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


class ClockDivider(wiring.Component):
    """Makes a clock that rises once in ``divider`` cycles of ``fast``, a domain without a reset.

    A flip-flop drives the clock, so it has no glitches. It is high for ``divider // 2`` cycles.

    Parameters
    ----------
    divider : :class:`int`
        At least 2.

    Members
    -------
    o : :py:`Out(1)`
    """

    def __init__(self, divider: int):
        self.divider = divider

        super().__init__({"o": Out(1)})

    def elaborate(self, platform):
        m = Module()

        count = Signal(range(self.divider))
        m.d.fast += [
            count.eq(Mux(count == self.divider - 1, 0, count + 1)),
            self.o.eq(count < self.divider // 2),
        ]

        return m


class BoardClock(wiring.Component):
    """Drives domain ``sync`` from the crystal or the oscillator, directly, divided, or by the PLL.

    The reset lasts until START_SECONDS after the PLL has locked. It comes back if the lock is lost.
    The platform constrains the crystal. nextpnr knows the oscillator, and derives the output of
    the PLL. A divided clock has a constraint of its own.

    Parameters
    ----------
    board : :class:`Board`
    clock_hz : :class:`int`
        Frequency of ``sync``.
    source
        As `Board.clock` gives it.

    Members
    -------
    lock : :py:`Out(1)`
        The clock is steady.
    """

    def __init__(self, board: Board, clock_hz: int, source: ClockSource):
        self.board = board
        self.clock_hz = clock_hz
        self.source = source

        super().__init__({"lock": Out(1)})

    def elaborate(self, platform):
        m = Module()

        divided = self.source if isinstance(self.source, Divided) else None
        source  = divided.oscillator if divided else self.source
        seconds = OSCILLATOR_SECONDS if isinstance(source, Oscillator) else START_SECONDS
        clock   = self._clock(m, platform, source)
        if divided:
            m.domains.fast = fast = ClockDomain(reset_less=True, local=True)
            m.submodules.divider = divider = ClockDivider(divided.divider)
            m.d.comb += fast.clk.eq(clock)
            clock = divider.o
            platform.add_clock_constraint(clock, self.clock_hz)
            if self.board.family is ICE40:
                # The placer makes no net global here: only this one uses the clock network.
                clock = Signal()
                m.submodules.network = Instance(
                    "SB_GB", i_USER_SIGNAL_TO_GLOBAL_BUFFER=divider.o, o_GLOBAL_BUFFER_OUTPUT=clock)

        m.domains.por = por = ClockDomain(reset_less=True, local=True)
        m.submodules.start = start = StartDelay(int(seconds * self.clock_hz))
        m.submodules.reset_sync = ResetSynchronizer(~start.done, domain="sync")
        m.d.comb += [
            por.clk.eq(clock),
            ClockSignal("sync").eq(clock),
            start.go.eq(self.lock),
        ]

        return m

    def _clock(self, m, platform, source):
        """The clock of ``source``, before a divider; drives ``lock``."""
        clock, lock, divided = Signal(), Signal(), source is not self.source
        if isinstance(source, Oscillator):
            m.submodules.oscillator = _oscillator(source, clock, divided)
            m.d.comb += self.lock.eq(1)
            return clock
        crystal = platform.request(self.board.crystal, dir="-")
        if divided and self.board.family is ICE40:
            m.submodules.crystal = Instance(        # apart from the clock network
                "SB_IO", p_PIN_TYPE=Const(1, 6), io_PACKAGE_PIN=crystal.io, o_D_IN_0=clock)
            m.d.comb += self.lock.eq(1)
            return clock
        if self.board.pll != "pad" or source is None:
            m.submodules.crystal = crystal = io.Buffer("i", crystal)
        if source is None:
            m.d.comb += [
                clock.eq(crystal.i),
                self.lock.eq(1),
            ]
            return clock
        m.submodules.pll = (
            _ice40_pll(source, crystal, clock, lock) if isinstance(source, PllSettings) else
            _ecp5_pll(source, crystal, clock, lock))
        m.submodules.lock_sync = FFSynchronizer(lock, self.lock, o_domain="por")
        return clock


def _oscillator(settings: Oscillator, clock, divided: bool):
    return Instance(
        "SB_HFOSC",
        p_CLKHF_DIV=f"0b{settings.divider:02b}",
        a_ROUTE_THROUGH_FABRIC=int(divided),
        i_CLKHFPU=Const(1),
        i_CLKHFEN=Const(1),
        o_CLKHF=clock,
    )


def _ice40_pll(settings: PllSettings, crystal, clock, lock):
    """A PLL that is fed from its own pad, or from the buffer of another pin."""
    kind, reference = (("CORE", {"i_REFERENCECLK": crystal.i}) if isinstance(crystal, io.Buffer)
                       else ("PAD", {"i_PACKAGEPIN": crystal.io}))
    return Instance(
        f"SB_PLL40_{kind}",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=Const(settings.divr, 4),
        p_DIVF=Const(settings.divf, 7),
        p_DIVQ=Const(settings.divq, 3),
        p_FILTER_RANGE=Const(settings.filter_range, 3),
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clock,
        o_LOCK=lock,
        **reference,
    )


def _ecp5_pll(settings: Ecp5PllSettings, crystal, clock, lock):
    return Instance(
        "EHXPLLL",
        # The same loop filter as in ecppll of Project Trellis.
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_CLKI_DIV=settings.reference,
        p_CLKFB_DIV=settings.feedback,
        p_CLKOP_DIV=settings.output,
        p_CLKOP_CPHASE=settings.output - 1,     # the edges of output and input coincide
        p_CLKOP_ENABLE="ENABLED",
        p_FEEDBK_PATH="CLKOP",
        i_CLKI=crystal.i,
        i_CLKFB=clock,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(1),
        i_PHASESTEP=Const(1),
        i_PHASELOADREG=Const(1),
        o_CLKOP=clock,
        o_LOCK=lock,
    )
