# SPDX-License-Identifier: Apache-2.0
"""The boards that a decoder can be built for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

from quantize.cli import InputError

from .pll import PllSettings, pll_settings

__all__ = ["BOARDS", "Board", "find_board"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """What a board has, and which of it a decoder uses.

    Parameters
    ----------
    name : str
        As users type it.
    title : str
        As people call it.
    platform_path : str
        ``module:class`` of the amaranth-boards platform.
    device : str
        As people call the chip.
    resources : dict of str to int
        What the chip has: ``lc`` logic cells, ``ebr`` block RAMs of 4 kbit, ``spram`` RAMs of
        256 kbit, ``dsp`` multipliers.
    yosys : tuple of str
        Options of the synthesis for this device.
    nextpnr : tuple of str
        Device and package options.
    crystal : str
        Name of the platform's clock pin.
    crystal_hz : int
    pll : bool
        Whether the clock pin can feed a PLL.
    clock_hz : int
        Clock of the decoder, where the user does not choose.
    uart : int
        Number of the platform's UART that reaches the host.
    leds : dict of str to str
        LED by what it shows: ``lock``, ``answer``. Only LEDs that share no pin.
    program : str
        Command that loads the bitstream ``top.bin``.
    """

    name: str
    title: str
    platform_path: str
    device: str
    resources: Mapping[str, int]
    yosys: tuple[str, ...]
    nextpnr: tuple[str, ...]
    crystal: str
    crystal_hz: int
    pll: bool
    clock_hz: int
    uart: int = 0
    leds: Mapping[str, str] = field(default_factory=dict)
    program: str

    def platform(self):
        """A new amaranth platform."""
        module, name = self.platform_path.split(":")
        return getattr(import_module(module), name)()

    def clock(self, megahertz: float | None) -> tuple[int, PllSettings | None]:
        """Clock of the decoder in Hz, and the PLL settings; None where the crystal is the clock.

        Raises
        ------
        InputError
            If the board cannot make ``megahertz``.
        """
        if megahertz is None:
            clock_hz = self.clock_hz
        elif not 0 < megahertz < 1000:
            raise InputError(f"Clock must be between 0 and 1000 MHz, not {megahertz:g}")
        else:
            clock_hz = round(megahertz * 1e6)
        if clock_hz == self.crystal_hz:
            return clock_hz, None
        if not self.pll:
            raise InputError(f"Clock must be the crystal's {self.crystal_hz / 1e6:g} MHz on "
                             f"{self.name}, which has no PLL, not {clock_hz / 1e6:g}")
        return clock_hz, pll_settings(self.crystal_hz, clock_hz)


BOARDS = {board.name: board for board in (
    Board(
        name="icebreaker",
        title="iCEBreaker",
        platform_path="amaranth_boards.icebreaker:ICEBreakerPlatform",
        device="Lattice iCE40UP5K",
        resources={"lc": 5280, "ebr": 30, "spram": 4, "dsp": 8},
        # ABC9 knows the delays of the device: a third faster at the same area.
        yosys=("-dsp", "-abc9", "-device", "u"),
        nextpnr=("--up5k", "--package", "sg48"),
        crystal="clk12",
        crystal_hz=12_000_000,
        pll=True,
        clock_hz=24_000_000,
        leds={"lock": "led_r", "answer": "led_g"},
        program="iceprog top.bin",
    ),
)}


def find_board(name: str) -> Board:
    """The board called ``name``.

    Raises
    ------
    InputError
        If there is none; the message names those there are.
    """
    if name not in BOARDS:
        raise InputError(f"Board must be one of {', '.join(sorted(BOARDS))}, not {name!r}")
    return BOARDS[name]
