# SPDX-License-Identifier: Apache-2.0
"""The properties of a board, and the clocks that it can make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

from amaranth.build import Attrs
from amaranth_boards.resources import UARTResource

from spikewright.base.errors import InputError
from spikewright.plan.config import check_clock

from .devices import Device
from .divider import Divided, Oscillator, divided_outputs
from .family import Family
from .pll import PllSettings
from .pll_ecp5 import Ecp5PllSettings

__all__ = ["NARROW", "Board", "ClockSource", "Wires"]


# The source of a clock; None is the crystal itself.
ClockSource = PllSettings | Ecp5PllSettings | Oscillator | Divided | None

OSCILLATORS: dict[int, ClockSource] = {
    48_000_000 >> divider: Oscillator(divider=divider) for divider in range(4)}
OSCILLATORS |= {hertz: Divided(divider=divider, oscillator=Oscillator(divider=3))
                for hertz, divider in divided_outputs(6_000_000).items()}

# A message lists all clocks of a board if they are fewer.
MANY = 20

# A chip with fewer cells of logic has room for one lane, and for states of few bits.
SMALL = 2000

# Options of 'spikewright quantize' that give a model such states.
NARROW = ("--current-bits", "12", "--membrane-bits", "16")


@dataclass(frozen=True, kw_only=True)
class Wires:
    """Pins of the serial line, for a platform without a UART.

    Parameters
    ----------
    rx, tx : str
        Pins of ``connector``; pins of the chip if it is None.
    connector : tuple of (str, int), optional
    attributes : dict
        Attributes of the pins. Without a pull-up, an open line would look like a stream of frames.
    """

    rx: str
    tx: str
    connector: tuple[str, int] | None = None
    attributes: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board, and the parts of it that a decoder uses.

    Parameters
    ----------
    name : str
        Name on the command line.
    title : str
        Name in texts.
    platform_path : str
        ``module:class`` of the Amaranth platform, for example one of amaranth-boards.
    chip : Device
    package : tuple of str
        Options of place and route for package and speed.
    crystal : str
        Name of the platform's clock pin; empty if the clock is the oscillator in the chip.
    crystal_hz : int
    pll : str
        How the crystal reaches a PLL: at the ``"pad"`` of the PLL, or through the ``"core"`` of
        the chip. Empty if there is no PLL.
    clock_hz : int
        Clock of the decoder if the user does not choose one.
    uart : int
        Number of the platform's UART.
    wires : Wires or None
        Pins of a UART that the platform does not know.
    adapter : str
        Where to connect a 3.3 V USB-serial adapter; empty if the board's USB port is one.
    leds : dict of str to tuple
        LEDs that show ``lock`` and ``answer``: name, number, and the colour of an LED with
        several. Only LEDs that share no pin.
    pack : tuple of str
        Options of the bitstream tool.
    program : str
        Command that loads the bitstream.
    lacks : tuple of str
        What the board does not have, in words.
    """

    name: str
    title: str
    platform_path: str
    chip: Device
    package: tuple[str, ...]
    crystal: str = ""
    crystal_hz: int = 0
    pll: str = ""
    clock_hz: int
    uart: int = 0
    wires: Wires | None = None
    adapter: str = ""
    leds: Mapping[str, tuple] = field(default_factory=dict)
    pack: tuple[str, ...] = ()
    program: str
    lacks: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        return self.chip.family

    @property
    def device(self) -> str:
        return self.chip.name

    @property
    def resources(self) -> Mapping[str, int]:
        return self.chip.resources

    @property
    def nextpnr(self) -> tuple[str, ...]:
        return (*self.chip.nextpnr, *self.package)

    @property
    def instead(self) -> dict[str, str | int]:
        """Options of `plan.config.CoreConfig` that replace those this chip cannot support."""
        choices: dict[str, str | int] = {}
        if not self.resources["dsp"]:
            choices |= {"multiplier": "serial", "neurons": "shared"}
        if not self.resources.get("spram"):
            choices["weight_memory"] = "block"
        if self.small:
            choices["lanes"] = 1
        return choices

    @property
    def small(self) -> bool:
        """The chip has little logic."""
        return self.resources[self.family.logic] < SMALL

    @property
    def sizes(self) -> str:
        """The number of cells of each kind, in words."""
        return ", ".join(f"{count:,} {kind.upper()}" for kind, count in self.resources.items()
                         if count)

    @property
    def clock_made(self) -> str:
        """How the default clock is made, in words."""
        return self.made(self.clocks()[self.clock_hz])

    def made(self, source: ClockSource) -> str:
        """How a clock is made, in words."""
        origin = ("from the oscillator in the chip" if not self.crystal else
                  "from the crystal" if source is None else
                  f"from the crystal's {self.crystal_hz / 1e6:g} MHz")
        if isinstance(source, Divided):
            return f"{origin}, divided by {source.divider}"
        return f"{origin}, by PLL" if self.origin(source) == "pll" else origin

    def origin(self, source: ClockSource) -> str:
        """Where a clock comes from: ``crystal``, ``oscillator`` or ``pll``."""
        if not self.crystal:
            return "oscillator"
        return "crystal" if source is None or isinstance(source, Divided) else "pll"

    @property
    def link(self) -> str:
        """Where the serial line is, in words."""
        if self.adapter:
            return f"needs a 3.3 V USB-serial adapter on {self.adapter}"
        return "the board's USB port"

    def platform(self):
        """A new amaranth platform, with the serial line that a decoder uses."""
        module, name = self.platform_path.split(":")
        platform = getattr(import_module(module), name)()
        if self.wires:
            platform.add_resources([UARTResource(
                self.uart, rx=self.wires.rx, tx=self.wires.tx, conn=self.wires.connector,
                attrs=Attrs(**self.wires.attributes))])
        return platform

    def clocks(self) -> dict[int, ClockSource]:
        """Every clock in Hz that the board can make, with its source.

        A clock that the PLL makes, too, is not divided from the crystal.
        """
        if not self.crystal:
            return dict(OSCILLATORS)
        divided = {hertz: Divided(divider=divider)
                   for hertz, divider in divided_outputs(self.crystal_hz).items()}
        made = self.family.pll_outputs(self.crystal_hz) if self.pll else {}
        return {**divided, **made, self.crystal_hz: None}

    def clock(self, megahertz: float | None) -> tuple[int, ClockSource]:
        """Clock of the decoder in Hz, and its source.

        Raises
        ------
        InputError
            If ``megahertz`` is no number, or the board cannot make it; the message names the
            nearest clocks.
        """
        clock_hz = self.clock_hz
        if megahertz is not None:
            check_clock(megahertz)
            clock_hz = round(megahertz * 1e6)
        clocks = self.clocks()
        if clock_hz not in clocks:
            raise InputError(f"Clock must be {self._possible(clock_hz)}, not "
                             f"{clock_hz / 1e6:g} MHz")
        return clock_hz, clocks[clock_hz]

    def _possible(self, wanted_hz: int) -> str:
        made = sorted(self.clocks())
        if len(made) < MANY:
            *low, high = (f"{hertz / 1e6:g}" for hertz in made)
            origin = (f"its crystal of {self.crystal_hz / 1e6:g} MHz" if self.crystal else
                      "the oscillator in the chip")
            return (f"{', '.join(low)} or {high} MHz on {self.name}, which has only {origin} and "
                    "no PLL")
        lower = [f"{hertz / 1e6:g}" for hertz in made if hertz < wanted_hz][-1:]
        higher = [f"{hertz / 1e6:g}" for hertz in made if hertz > wanted_hz][:1]
        return (f"{self.crystal_hz / 1e6:g} MHz, a whole part of it down to 1 MHz, or a frequency "
                f"that the PLL makes from it, such as {' or '.join(lower + higher)} MHz")
