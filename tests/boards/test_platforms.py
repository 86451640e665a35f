# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""Boards, their clocks, and the delay after configuration."""

import dataclasses
import re
import sys
from types import ModuleType

import pytest
from amaranth import ClockDomain, Elaboratable, Module
from amaranth.sim import Simulator

from spikewright.boards.board import pll_ecp5
from spikewright.boards.board.clock import ClockDivider, StartDelay
from spikewright.boards.board.divider import Divided, Oscillator, divided_outputs
from spikewright.boards.board.platforms import BOARDS, check_large_memory, find_board
from spikewright.boards.board.pll import OSCILLATOR, OUTPUT, PHASE_DETECTOR, pll_outputs
from spikewright.boards.flow.toolchain import design_files
from spikewright.command.commands import run_words
from spikewright.command.options import add_core_options, chosen_config
from spikewright.command.parser import CommandParser
from spikewright.hw.params import link_params
from spikewright.plan.config import PRESETS
from tests.designs import ROOT, plan_of
from tests.networks import deep_model, refused

ICEBREAKER = BOARDS["icebreaker"]


# As icepll of Project IceStorm gives them: DIVR, DIVF, DIVQ, FILTER_RANGE.
@pytest.mark.parametrize("wanted, expected", [
    (24, (0, 63, 5, 1)), (30, (0, 79, 5, 1)), (36, (0, 47, 4, 1)),
    (48, (0, 63, 4, 1)), (60, (0, 79, 4, 1)), (48.75, (0, 64, 4, 1)),
])
def test_pll_settings_equal_icepll(wanted, expected):
    settings = pll_outputs(12_000_000)[round(wanted * 1e6)]
    assert dataclasses.astuple(settings) == expected


@pytest.mark.parametrize("crystal", [12_000_000, 16_000_000, 25_000_000, 48_000_000, 100_000_000])
def test_pll_outputs_keep_to_limits(crystal):
    outputs = pll_outputs(crystal)
    assert outputs
    for hertz, settings in outputs.items():
        detector = crystal / (settings.divr + 1)
        oscillator = detector * (settings.divf + 1)
        assert settings.output_hz(crystal) == oscillator / 2 ** settings.divq == hertz
        assert PHASE_DETECTOR[0] <= detector <= PHASE_DETECTOR[1]
        assert OSCILLATOR[0] <= oscillator <= OSCILLATOR[1]
        assert OUTPUT[0] <= hertz <= OUTPUT[1]
        assert 0 <= settings.divr < 16 and 0 <= settings.divf < 128 and 1 <= settings.divq < 8
        expected = next((k for k, most in enumerate((17, 26, 44, 66, 101), 1)
                         if detector < most * 1e6), 6)
        assert settings.filter_range == expected


@pytest.mark.parametrize("wanted, nearest", [
    (25, "24.75 or 25.125"), (0.5, "1"), (5, "4 or 6"), (13, "12 or 16.125"), (700, "270"),
    (24.1, "24 or 24.375")])
def test_pll_refuses(wanted, nearest):
    with refused("Clock must be 12 MHz, a whole part of it down to 1 MHz, or a frequency that the "
                 f"PLL makes from it, such as {nearest} MHz, not {wanted} MHz"):
        ICEBREAKER.clock(wanted)


def test_clock_of_a_board():
    assert ICEBREAKER.clock(None) == (24_000_000, pll_outputs(12_000_000)[24_000_000])
    assert ICEBREAKER.clock(12) == (12_000_000, None)
    assert ICEBREAKER.clock(30.0)[0] == 30_000_000
    for wrong in (0.0, -24.0, 1000.0, float("nan"), float("inf")):
        with refused(f"Clock must be a number of MHz between 0 and 1000, not {wrong!r}"):
            ICEBREAKER.clock(wrong)
    plain = dataclasses.replace(ICEBREAKER, name="plain", pll="")
    assert plain.clock(12) == (12_000_000, None)
    with refused("Clock must be 1, 1.2, 1.5, 2, 2.4, 3, 4, 6 or 12 MHz on plain, which has only "
                 "its crystal of 12 MHz and no PLL, not 24 MHz"):
        plain.clock(24)


def test_clock_from_the_oscillator_in_the_chip():
    board = BOARDS["upduino_v3"]
    assert board.clock(None) == (24_000_000, Oscillator(divider=1))
    assert [board.clock(mhz)[1].divider for mhz in (48, 24, 12, 6)] == [0, 1, 2, 3]
    assert board.clock(1.5) == (1_500_000, Divided(divider=4, oscillator=Oscillator(divider=3)))
    with refused("Clock must be 1, 1.2, 1.5, 2, 3, 6, 12, 24 or 48 MHz on upduino_v3, which has "
                 "only the oscillator in the chip and no PLL, not 30 MHz"):
        board.clock(30)


@pytest.mark.parametrize("name, megahertz, divider", [
    ("icebreaker", 6, 2), ("icebreaker", 1, 12), ("icestick", 1.5, 8), ("tinyfpga_bx", 3.2, 5),
    ("fomu_pvt", 6, 8), ("ulx3s_25f", 1, 25), ("ecpix5", 2, 50),
])
def test_clock_below_that_of_the_pll(name, megahertz, divider):
    assert BOARDS[name].clock(megahertz) == (round(1e6 * megahertz), Divided(divider=divider))


def test_divided_outputs():
    assert divided_outputs(6_000_000) == {
        3_000_000: 2, 2_000_000: 3, 1_500_000: 4, 1_200_000: 5, 1_000_000: 6}


def test_every_board_has_slow_clocks():
    """A crystal of 12 MHz or more gives several clocks from 1 to 6 MHz."""
    for board in BOARDS.values():
        slow = [hertz for hertz in board.clocks() if 1_000_000 <= hertz <= 6_000_000]
        assert len(slow) >= 5 and min(slow) == 1_000_000


@pytest.mark.parametrize("divider", [2, 3, 5, 12])
def test_divided_clock(divider):
    class Bench(Elaboratable):
        def elaborate(self, platform):
            m = Module()
            m.domains.fast = ClockDomain(reset_less=True)
            m.submodules.divided = divided
            return m

    divided = ClockDivider(divider)
    seen = []

    async def bench(ctx):
        for _ in range(3 * divider):
            await ctx.tick("fast")
            seen.append(ctx.get(divided.o))

    simulator = Simulator(Bench())
    simulator.add_clock(1e-6, domain="fast")
    simulator.add_testbench(bench)
    simulator.run()
    high = divider // 2
    assert seen == 3 * ([1] * high + [0] * (divider - high))


# As ecppll of Project Trellis gives them: CLKI_DIV, CLKFB_DIV, CLKOP_DIV.
@pytest.mark.parametrize("crystal, wanted, expected", [
    (25, 100, (1, 4, 6)), (25, 50, (1, 2, 12)), (25, 37.5, (2, 3, 16)), (48, 24, (2, 1, 25)),
    (48, 120, (2, 5, 5)), (100, 50, (2, 1, 12)), (100, 75, (4, 3, 8)), (12, 72, (1, 6, 8)),
])
def test_pll_settings_of_an_ecp5(crystal, wanted, expected):
    settings = pll_ecp5.pll_outputs(crystal * 1_000_000)[round(wanted * 1e6)]
    assert dataclasses.astuple(settings) == expected


@pytest.mark.parametrize("crystal", [12_000_000, 25_000_000, 48_000_000, 100_000_000])
def test_pll_outputs_of_an_ecp5_keep_to_limits(crystal):
    outputs = pll_ecp5.pll_outputs(crystal)
    assert {crystal, 2 * crystal, 4 * crystal} <= set(outputs)
    for hertz, settings in outputs.items():
        detector = crystal / settings.reference
        assert settings.output_hz(crystal) == detector * settings.feedback == hertz
        assert 10e6 <= detector <= 400e6
        assert 400e6 <= hertz * settings.output <= 800e6
        assert 3.125e6 <= hertz <= 400e6
        assert all(1 <= divider <= 128 for divider in dataclasses.astuple(settings))


def test_ecp5_refuses_a_clock():
    with refused("Clock must be 25 MHz, a whole part of it down to 1 MHz, or a frequency that the "
                 "PLL makes from it, such as 87.5 or 100 MHz, not 96 MHz"):
        BOARDS["ulx3s_25f"].clock(96)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_board_agrees_with_its_platform(board):
    platform = board.platform()
    if board.crystal:
        assert platform.lookup(board.crystal).clock.frequency == board.crystal_hz
    platform.request("uart", board.uart, dir="-")
    for name, number, *colour in {led[:2]: led for led in board.leds.values()}.values():
        port = platform.request(name, number, dir="-")
        assert all(hasattr(port, part) for part in colour)
    assert board.clock(None)[0] == board.clock_hz
    assert set(board.resources) == set(board.family.cells)
    assert platform.device.removeprefix("iCE40") in board.device
    assert set(platform_options(platform)) <= set(board.nextpnr)
    assert find_board(board.name) is board


def platform_options(platform):
    """What amaranth itself would tell nextpnr of device, package and speed."""
    if platform.device.startswith("iCE40"):
        return platform._nextpnr_device_options[platform.device], platform.package.lower()
    return (platform._nextpnr_device_options[platform.device], platform.speed,
            platform._nextpnr_package_options[platform.package].upper())


def test_own_uart_or_adapter():
    """A board whose serial line is not its USB port says where the wires go, and what it lacks."""
    for board in BOARDS.values():
        assert bool(board.adapter) == ("a serial port" in board.lacks)
        assert board.adapter or not board.wires


def test_unknown_board():
    with refused(f"Board must be one of {', '.join(sorted(BOARDS))}, not 'icestick9': "
                 "did you mean icestick?"):
        find_board("icestick9")


def test_boards_without_large_memory_name_those_with_some():
    having = [name for name, board in BOARDS.items() if board.device == "Lattice iCE40UP5K"]
    for name in having:
        check_large_memory(BOARDS[name], "--weight-memory")
    with refused("Board must be one with large RAMs for --weight-memory large "
                 f"({', '.join(sorted(having))}), not ulx3s_85f"):
        check_large_memory(BOARDS["ulx3s_85f"], "--weight-memory")


def test_list(capsys):
    run_words(["boards"])
    text = capsys.readouterr().out
    assert text.startswith(
        "icebreaker        iCEBreaker, Lattice iCE40UP5K: 5,280 LC, 30 EBR, 4 SPRAM, 8 DSP; 24 MHz"
        "\n                  link: the board's USB port; load with 'iceprog top.bin'\n")
    assert ("tinyfpga_bx       TinyFPGA BX, Lattice iCE40LP8K: 7,680 LC, 32 EBR; 24 MHz\n"
            "                  link: needs a 3.3 V USB-serial adapter on pins 1 (rx), 2 (tx); load "
            "with 'tinyprog -p top.bin'\n"
            "                  lacks a serial port; multipliers; a second LED\n") in text


@pytest.mark.parametrize("lost", [None, 2, 5], ids=["steady", "lost_early", "lost_late"])
def test_start_delay(lost):
    class Bench(Elaboratable):
        def elaborate(self, platform):
            m = Module()
            m.domains.por = ClockDomain(reset_less=True)
            m.submodules.delay = delay
            return m

    delay = StartDelay(3)
    seen = []

    async def bench(ctx):
        for t in range(14):
            ctx.set(delay.go, t >= 1 and t != lost)
            seen.append(ctx.get(delay.done))
            await ctx.tick("por")

    simulator = Simulator(Bench())
    simulator.add_clock(1e-6, domain="por")
    simulator.add_testbench(bench)
    simulator.run()
    first = 1 if lost is None else lost + 1
    expected = [t >= first + 4 for t in range(14)]
    if lost == 5:
        expected[5] = True      # it had begun; the reset comes back
    assert [bool(value) for value in seen] == expected


@pytest.mark.parametrize("name, instead", [
    ("icebreaker", {}),
    ("icestick", {"multiplier": "serial", "neurons": "shared", "weight_memory": "block",
                  "lanes": 1}),
    ("ulx3s_25f", {"weight_memory": "block"})])
def test_presets_on_a_board(name, instead):
    """What a chip lacks is replaced, whatever the preset; what a user chooses stays."""
    parser = CommandParser()
    add_core_options(parser)
    assert BOARDS[name].instead == instead
    for preset, config in PRESETS.items():
        chosen = chosen_config(parser.parse_args(["--preset", preset]), **BOARDS[name].instead)
        assert chosen == dataclasses.replace(config, **instead)
    arguments = parser.parse_args(["--multiplier", "parallel"])
    assert chosen_config(arguments, **BOARDS[name].instead).multiplier == "parallel"


@pytest.mark.parametrize("leds", [{"answer": ("led_g", 0)}, {}])
def test_platform_of_ones_own(monkeypatch, leds):
    """The class of docs/extend.md has all that a decoder needs."""
    text = (ROOT / "docs" / "extend.md").read_text()
    mine = ModuleType("mine")
    exec(re.search("```python\n(.*?)```", text, re.DOTALL)[1], vars(mine))
    monkeypatch.setitem(sys.modules, "mine", mine)
    board = dataclasses.replace(ICEBREAKER, platform_path="mine:MyPlatform", leds=leds)
    plan = plan_of(deep_model(4))
    clock_hz, clock = board.clock(None)
    link = link_params(plan, model_hash="00" * 32, clock_hz=clock_hz, baud=1_000_000)
    pins = dict(re.findall(r"^set_io (\w+) (\w+)$",
                           design_files(board, plan, link, clock)["top.pcf"], re.MULTILINE))
    assert pins == {"clk12_0__io": "35", "uart_0__rx__io": "6", "uart_0__tx__io": "9"} | (
        {"led_g_0__io": "37"} if leds else {})
