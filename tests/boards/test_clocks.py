# SPDX-License-Identifier: Apache-2.0
"""The clocks that keep up with the steps, and the estimate of their power, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.boards.board.devices import UP5K_CURRENTS
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.clocks import Work, clock_choices, work_of
from spikewright.report.power import ClockPower, estimate

ICEBREAKER = BOARDS["icebreaker"]


def choices(board=ICEBREAKER, **options):
    """Steps of 10 and of 20 bytes and 500 cycles, and a worst step of 250 bytes and 8,000."""
    recording = Work(bits=np.array([100, 200]), cycles=np.array([500, 500]))
    frame = Work(bits=np.array([2500]), cycles=np.array([8000]))
    return clock_choices(board, recording, frame, **{
        "dt": 0.004, "clock_hz": 24_000_000, "baud": 1_000_000, "fmax_hz": 30e6, "flip_flops": 800,
        "logic": 1500} | options)


def test_lowest_clocks():
    """At 1 MHz and 125,000 baud, 200 bits and 500 cycles take 2.1 ms."""
    build, frame, recording = choices()
    assert [(c.purpose, c.mhz, c.baud, c.made) for c in (build, frame, recording)] == [
        ("this build", 24, 1_000_000, "from the crystal's 12 MHz, by PLL"),
        ("lowest for every step of one frame", 12, 1_000_000, "from the crystal"),
        ("lowest for every step of the recording", 1, 125_000,
         "from the crystal's 12 MHz, divided by 12")]
    assert (recording.recording_ms, recording.frame_ms) == (2.1, 28)
    assert (frame.recording_ms, frame.frame_ms) == (0.242, 3.167)
    assert build.power.total > frame.power.total > recording.power.total


def test_a_clock_that_the_design_does_not_reach_is_not_named():
    build, recording = choices(clock_hz=6_000_000, baud=750_000, fmax_hz=7e6)
    assert (build.mhz, recording.mhz) == (6, 1)
    assert choices(dt=1e-6, clock_hz=6_000_000, baud=750_000) == (replace(
        build, power=replace(build.power, work=choices(dt=1e-6)[0].power.work)),)


def test_an_oscillator_may_be_slow():
    """At 2 MHz and 250,000 baud, 700 bits and 1,760 cycles take 3.68 ms, and 4.089 ms at 90 %."""
    board, work = BOARDS["upduino_v3"], Work(bits=np.array([700]), cycles=np.array([1760]))
    build, frame, recording = clock_choices(
        board, work, work, dt=0.004, clock_hz=2_000_000, baud=250_000, fmax_hz=30e6,
        flip_flops=800, logic=1500)
    assert (build.mhz, build.recording_ms, build.frame_ms) == (2, 4.089, 4.089)
    assert (frame.mhz, frame.frame_ms, recording.mhz) == (3, 2.726, 3)


def test_chip_without_published_currents():
    build, frame, recording = choices(BOARDS["ulx3s_25f"], clock_hz=50_000_000, fmax_hz=60e6)
    assert {build.power, frame.power, recording.power} == {None}
    assert (build.mhz, frame.mhz, recording.mhz) == (50, 12.5, 1)


def test_the_published_measurements_come_back():
    """28 and 32 cells of counters, at the clocks at which they were measured: within 7 %."""
    for origin, megahertz, cells, microamperes in (
            ("crystal", 12, 32, 613.5), ("crystal", 12, 228, 641.3), ("oscillator", 48, 28, 2184),
            ("oscillator", 24, 28, 1162), ("oscillator", 6, 28, 388.4),
            ("pll", 16, 28, 1419 + 138.6), ("pll", 32, 28, 2029 + 138.9),
            ("pll", 48, 28, 2573 + 103.6)):
        power = estimate(UP5K_CURRENTS, megahertz=megahertz, origin=origin, flip_flops=cells,
                         logic=cells, busy=0)
        assert power.total == pytest.approx(1.219e-3 * microamperes, rel=0.07)


def test_estimate():
    power = estimate(UP5K_CURRENTS, megahertz=6.0, origin="oscillator", flip_flops=800, logic=1500,
                     busy=0.3)
    assert power == ClockPower(still=0.1176, clock=0.4254, work=0.0891)


def test_work_of_steps():
    """A frame has 7 bytes, an answer of two outputs 23, one of a part 8."""
    work = work_of(np.array([0, 218, 219]), np.array([10, 20, 30]), rows=96, outputs=2)
    assert work.bits.tolist() == [10 * (7 + 23), 10 * (7 + 218 + 23),
                                  10 * (2 * 7 + 219 + 23 + 7)]
    answer, empty = 12 * 19 + 60, 6 * 7 + 5 * 3
    assert work.cycles.tolist() == [10 + empty + answer, 20 + empty + 12 * 218 + answer,
                                    30 + 2 * empty + 12 * 219 + 2 * answer]
