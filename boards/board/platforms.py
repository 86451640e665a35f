# SPDX-License-Identifier: Apache-2.0
"""The boards that a decoder can be built for."""

from typing import Any

from spikewright.base.errors import InputError, did_you_mean, is_choice

from .board import Board, Wires
from .devices import HX1K, HX8K, LFE5U_25F, LFE5U_85F, LFE5UM5G_85F, LP8K, UP5K

__all__ = ["BOARDS", "check_large_memory", "find_board"]

SG48 = ("--package", "sg48")
ICE40_PINS = {"IO_STANDARD": "SB_LVCMOS", "PULLUP": 1}
ECP5_PINS = {"IO_TYPE": "LVCMOS33", "PULLMODE": "UP"}
RGB: dict[str, tuple] = {"lock": ("rgb_led", 0, "r"), "answer": ("rgb_led", 0, "g")}
RED_GREEN: dict[str, tuple] = {"lock": ("led_r", 0), "answer": ("led_g", 0)}
CLK12: dict[str, Any] = {"crystal": "clk12", "crystal_hz": 12_000_000, "clock_hz": 24_000_000}
CLK25: dict[str, Any] = {"crystal": "clk25", "crystal_hz": 25_000_000, "clock_hz": 50_000_000}
NO_UART = "a serial port"

UPDUINO: dict[str, Any] = {
    "platform_path": "amaranth_boards.upduino_v3:UpduinoV3Platform",
    "chip": UP5K,
    "package": SG48,
    "wires": Wires(rx="28", tx="38", attributes=ICE40_PINS),
    "adapter": "header pins 28 (rx), 38 (tx)",
    "leds": RGB,
    "program": "iceprog top.bin",
}

ULX3S: dict[str, Any] = {
    "package": ("--package", "CABGA381", "--speed", "6"),
    **CLK25,
    "pll": "core",
    "leds": {"lock": ("led", 0), "answer": ("led", 1)},
    "pack": ("--compress",),
    "program": "openFPGALoader -b ulx3s -m top.bit",
}

BOARDS = {board.name: board for board in (
    Board(
        name="icebreaker",
        title="iCEBreaker",
        platform_path="amaranth_boards.icebreaker:ICEBreakerPlatform",
        chip=UP5K,
        package=SG48,
        **CLK12,
        pll="pad",
        leds=RED_GREEN,
        program="iceprog top.bin",
    ),
    Board(
        name="icebreaker_bitsy",
        title="iCEBreaker Bitsy",
        platform_path="amaranth_boards.icebreaker_bitsy:ICEBreakerBitsyPlatform",
        chip=UP5K,
        package=SG48,
        **CLK12,
        pll="pad",
        wires=Wires(rx="0", tx="1", connector=("edge", 0), attributes=ICE40_PINS),
        adapter="edge pins P0 (rx), P1 (tx)",
        leds=RED_GREEN,
        program="dfu-util -d 1d50:6146 -a 0 -R -D top.bin",
        lacks=(NO_UART,),
    ),
    Board(
        name="icesugar",
        title="iCESugar",
        platform_path="amaranth_boards.icesugar:ICESugarPlatform",
        chip=UP5K,
        package=SG48,
        **CLK12,
        pll="pad",
        leds=RED_GREEN,
        program="icesprog top.bin",
    ),
    Board(
        name="upduino_v3",
        title="UPduino v3",
        clock_hz=24_000_000,
        lacks=(NO_UART, ("a crystal: its clock, and with it the baud rate, may be off by 10 % "
                         "(solder the OSC jumper, and build for upduino_v3_osc)")),
        **UPDUINO,
    ),
    Board(
        name="upduino_v3_osc",
        title="UPduino v3, OSC jumper soldered",
        **CLK12,
        pll="core",
        lacks=(NO_UART,),
        **UPDUINO,
    ),
    Board(
        name="fomu_pvt",
        title="Fomu PVT",
        platform_path="amaranth_boards.fomu_pvt:FomuPVTPlatform",
        chip=UP5K,
        package=("--package", "uwg30"),
        crystal="clk48",
        crystal_hz=48_000_000,
        pll="core",
        clock_hz=24_000_000,
        wires=Wires(rx="E4", tx="D5", attributes=ICE40_PINS),
        adapter="touch pads 1 (rx), 2 (tx)",
        leds=RGB,
        program="dfu-util -D top.bin",
        lacks=(NO_UART, "header pins: wires go to the touch pads"),
    ),
    Board(
        name="ice40_up5k_b_evn",
        title="iCE40 UltraPlus Breakout Board",
        platform_path="amaranth_boards.ice40_up5k_b_evn:ICE40UP5KBEVNPlatform",
        chip=UP5K,
        package=SG48,
        **CLK12,
        pll="pad",
        wires=Wires(rx="7", tx="9", connector=("j", 1), attributes=ICE40_PINS),
        adapter="header B (J2) pins 7 (rx), 9 (tx)",
        leds=RED_GREEN,
        program="iceprog top.bin",
        lacks=(NO_UART,),
    ),
    Board(
        name="ice40_hx8k_b_evn",
        title="iCE40-HX8K Breakout Board",
        platform_path="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
        chip=HX8K,
        package=("--package", "ct256"),
        **CLK12,
        pll="core",
        leds={"lock": ("led", 0), "answer": ("led", 1)},
        program="iceprog -S top.bin",
        lacks=("multipliers",),
    ),
    Board(
        name="tinyfpga_bx",
        title="TinyFPGA BX",
        platform_path="amaranth_boards.tinyfpga_bx:TinyFPGABXPlatform",
        chip=LP8K,
        package=("--package", "cm81"),
        crystal="clk16",
        crystal_hz=16_000_000,
        pll="core",
        clock_hz=24_000_000,
        wires=Wires(rx="1", tx="2", connector=("gpio", 0), attributes=ICE40_PINS),
        adapter="pins 1 (rx), 2 (tx)",
        leds={"lock": ("led", 0)},
        program="tinyprog -p top.bin",
        lacks=(NO_UART, "multipliers", "a second LED"),
    ),
    Board(
        name="icestick",
        title="iCEstick",
        platform_path="amaranth_boards.icestick:ICEStickPlatform",
        chip=HX1K,
        package=("--package", "tq144"),
        **CLK12,
        pll="core",
        leds={"lock": ("led", 4), "answer": ("led", 0)},
        program="iceprog top.bin",
        lacks=("multipliers",),
    ),
    Board(
        name="ulx3s_25f",
        title="ULX3S 25F",
        platform_path="amaranth_boards.ulx3s:ULX3S_25F_Platform",
        chip=LFE5U_25F,
        **ULX3S,
    ),
    Board(
        name="ulx3s_85f",
        title="ULX3S 85F",
        platform_path="amaranth_boards.ulx3s:ULX3S_85F_Platform",
        chip=LFE5U_85F,
        **ULX3S,
    ),
    Board(
        name="orangecrab",
        title="OrangeCrab r0.2 25F",
        platform_path="amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
        chip=LFE5U_25F,
        package=("--package", "CSFBGA285", "--speed", "8"),
        crystal="clk",
        crystal_hz=48_000_000,
        pll="core",
        clock_hz=48_000_000,
        wires=Wires(rx="0", tx="1", connector=("io", 0), attributes=ECP5_PINS),
        adapter="pins 0 (rx), 1 (tx)",
        leds=RGB,
        pack=("--compress", "--freq", "38.8"),
        program="dfu-suffix -v 1209 -p 5af0 -a top.bit && dfu-util -a 0 -D top.bit",
        lacks=(NO_UART,),
    ),
    Board(
        name="colorlight_5a75b",
        title="Colorlight 5A-75B v7.0",
        platform_path="amaranth_boards.colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
        chip=LFE5U_25F,
        package=("--package", "CABGA256", "--speed", "6"),
        **CLK25,
        pll="core",
        adapter="J19 pins KEY+ (rx), DATA_LED- (tx)",
        pack=("--compress",),
        program="openFPGALoader -c ft232 -m top.bit",
        lacks=(NO_UART, "USB: a JTAG adapter loads it, here an FT232H",
               "an LED: its only one is on the tx pin"),
    ),
    Board(
        name="ecpix5",
        title="ECPIX-5 85F",
        platform_path="amaranth_boards.ecpix5:ECPIX585Platform",
        chip=LFE5UM5G_85F,
        package=("--package", "CABGA554", "--speed", "8"),
        crystal="clk100",
        crystal_hz=100_000_000,
        pll="core",
        clock_hz=50_000_000,
        leds=RGB,
        program="openFPGALoader -c ft2232 -m top.bit",
    ),
)}


def find_board(name: str) -> Board:
    """The board called ``name``.

    Raises
    ------
    InputError
        If there is none; the message names all boards.
    """
    if not is_choice(name, BOARDS):
        raise InputError(f"Board must be one of {', '.join(sorted(BOARDS))}, not {name!r}"
                         f"{did_you_mean(name, BOARDS)}")
    return BOARDS[name]


def check_large_memory(board: Board, option: str) -> None:
    """Refuse a board without large RAMs, which ``option`` needs.

    Raises
    ------
    InputError
        The message names the boards that have large RAMs.
    """
    having = sorted(name for name, other in BOARDS.items() if other.resources.get("spram", 0))
    if board.name not in having:
        raise InputError(f"Board must be one with large RAMs for {option} large "
                         f"({', '.join(having)}), not {board.name}")
