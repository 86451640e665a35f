# SPDX-License-Identifier: Apache-2.0
"""Steps of several frames, and rows of two bytes: the virtual board answers as golden does."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.host.codec import PartAnswer, decode_answer, encode_step
from spikewright.host.decode import decode
from spikewright.host.driver import Driver
from spikewright.hw.params import link_params
from spikewright.model.integers import Widths
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import events_max
from spikewright.plan.framing import FrameReader, pack_frame
from spikewright.quantize.compile import compile_network
from spikewright.sim.virtual import VirtualBoard
from tests.designs import plan_of
from tests.host.test_driver import HASH, OUTPUTS, FakeDevice
from tests.networks import random_recording, tiny_network

LANES = 2


def made(channels, rate, steps=12):
    """A model, and a recording for it."""
    recording = random_recording(3, channels, steps, rate=rate, reset=[5])
    model, *_ = compile_network(tiny_network(4, channels=channels), name="tiny",
                                recording=recording, widths=Widths(weight=5))
    return model, recording


def connected(model, cache):
    """A driver of the virtual board, and the board, whose clock is the slowest."""
    plan  = plan_of(model, lanes=LANES)
    board = VirtualBoard(plan, link_params(plan, model_hash=HASH, clock_hz=1_000_000), cache,
                         timeout=0.03)
    driver = Driver(board, HASH, model.outputs)
    driver.connect()
    return driver, board


@pytest.mark.parametrize("channels, rate", [(6, 100), (300, 0.5), (700, 0.9)])
def test_steps_of_any_size_equal_golden(tmp_path, channels, rate):
    model, recording = made(channels, rate)
    driver, board = connected(model, tmp_path)
    assert np.diff(recording.start).max() > events_max(model.rows)
    answer = decode(driver, model, recording)
    golden = run_golden(model, recording, CoreConfig(lanes=LANES))
    assert np.array_equal(answer.velocity_int, golden.velocity_int)
    assert np.array_equal(answer.cycles, golden.cycles)
    assert not answer.dropped.any()
    info = driver.read_info()
    assert (info.steps, info.dropped, driver.resent) == (recording.steps, 0, 0)
    board.close()


def test_reset_removes_the_events_of_an_unfinished_step(tmp_path):
    model, recording = made(6, 100)
    driver, board = connected(model, tmp_path)
    golden = run_golden(model, recording, CoreConfig(lanes=LANES))
    rows = [model.channel_row[recording.channel[recording.start[t]:recording.start[t + 1]]].tolist()
            for t in range(3)]
    driver.step(rows[2], reset=True)
    board.write(encode_step((driver._seq + 1) % 256, rows[1][:200], more=True))
    part, = [decode_answer(content) for content in FrameReader().feed(board.read(7))]
    assert part == PartAnswer(seq=(driver._seq + 1) % 256, dropped=False)
    driver._seq += 1
    for t in range(3):
        answer = driver.step(rows[t], reset=t == 0)
        assert list(answer.outputs) == golden.velocity_int[t].tolist()
    board.close()


class Parts(FakeDevice):
    """Takes parts, and drops an event of the first one."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def _answer(self, content):
        if content[0] == 2 and content[2] & 2:
            self.parts.append(len(content) - 3)
            return pack_frame(bytes([0x82, content[1], 2 if len(self.parts) == 1 else 0]))
        return super()._answer(content)


def test_driver_says_of_the_whole_step_that_an_event_was_dropped():
    device = Parts()
    driver = Driver(device, HASH, OUTPUTS)
    assert driver.step([1] * 500).dropped
    assert device.parts == [218, 218] and device.steps == [(0, [1] * 64)]
    assert not driver.step([1] * 500).dropped


@pytest.mark.parametrize("row", [1.7, "3", True, None])
def test_driver_takes_only_whole_numbers(row):
    driver = Driver(FakeDevice(), HASH, OUTPUTS)
    with pytest.raises(TypeError, match=f"^Row of event 1 must be a whole number, not {row!r}$"):
        driver.step([4, row])
