# SPDX-License-Identifier: Apache-2.0
"""The driver brings the weights to a device that has none of its own."""

import binascii
import re
from functools import partial

import numpy as np
import pytest

from spikewright.command.commands import run_words
from spikewright.golden.run import run_golden
from spikewright.host.decode import decode
from spikewright.host.driver import Driver, NoAnswerError
from spikewright.host.loading import weights_of
from spikewright.hw.params import link_params
from spikewright.model.artefact import load_artefact
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import LOAD_MAX, VERSION
from spikewright.plan.framing import pack_frame
from spikewright.plan.images import load_bytes
from spikewright.plan.plan import Plan
from spikewright.sim.virtual import VirtualBoard
from tests.boards.boards_bench import saved_model
from tests.designs import BUILD
from tests.host.test_driver import HASH, OUTPUTS, FakeDevice
from tests.networks import random_recording

LANES, WORD_BYTES = 3, 2
WORDS   = np.random.default_rng(1).integers(1 << 12, size=300).tolist()
CONTENT = load_bytes(WORDS, WORD_BYTES)


class LoadableDevice(FakeDevice):
    """A device that answers no STEP before it has its table; ``forget`` cuts its power."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.loads = 0
        self.forget()

    def forget(self):
        self.table = b""
        self._last = self._loaded_last = None, b""

    @property
    def version(self):
        return 0x80 | VERSION | (0x40 if self.table == CONTENT else 0)

    @version.setter
    def version(self, value):
        pass

    def _answer(self, content):
        kind, seq = content[:2]
        if kind == 3:
            if seq != self._loaded_last[0]:
                self.loads += 1
                self.table = (b"" if content[2] else self.table) + content[3:]
                self._loaded_last = seq, pack_frame(
                    bytes([0x83, seq, self.version])
                    + (len(self.table) // WORD_BYTES).to_bytes(2, "little")
                    + bytes([LANES, WORD_BYTES]))
            return self._loaded_last[1]
        self._loaded_last = None, b""
        if kind == 2 and not self.version & 0x40:
            return b""
        return super()._answer(content)


def words_for(lanes, words=WORDS):
    assert lanes == LANES
    return words


def test_driver_loads_once():
    device  = LoadableDevice()
    decoder = Driver(device, HASH, OUTPUTS, weights=words_for)
    info = decoder.connect()
    assert device.table == CONTENT and device.loads == 1 + -(-len(CONTENT) // LOAD_MAX)
    assert info.loaded and decoder.info == info
    assert decoder.step([1, 2]).outputs[0] == 3
    # Another program: the table is there already.
    device.loads = 0
    assert Driver(device, HASH, OUTPUTS, weights=words_for).connect().loaded
    assert Driver(device, HASH, OUTPUTS).connect().loaded
    assert device.loads == 0 and device.table == CONTENT


def test_driver_loads_nothing_where_the_weights_are():
    device = FakeDevice()
    Driver(device, HASH, OUTPUTS, weights=lambda lanes: pytest.fail("asked for weights")).connect()


def test_driver_loads_over_a_bad_line():
    rng = np.random.default_rng(7)

    def harm(direction, data):
        if rng.random() < 0.6:
            return data
        data = bytearray(data)
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        return bytes(data) if rng.random() < 0.5 else b""

    device  = LoadableDevice(harm)
    decoder = Driver(device, HASH, OUTPUTS, tries=60, weights=words_for)
    assert decoder.connect().loaded
    assert device.table == CONTENT and decoder.resent > 2


def test_driver_notices_a_device_that_lost_its_table():
    device  = LoadableDevice()
    decoder = Driver(device, HASH, OUTPUTS, weights=words_for)
    decoder.step([1])
    device.forget()
    with pytest.raises(NoAnswerError, match="^Device must keep the weights that were loaded, not "
                       "restart without them: connect again$"):
        decoder.step([2])
    assert device.steps == [(0, [1])]
    assert decoder.connect().loaded
    decoder.step([3], reset=True)
    assert device.steps == [(0, [1]), (1, [3])]


def test_driver_keeps_to_the_plain_reason_where_the_table_is_there():
    device  = LoadableDevice()
    decoder = Driver(device, HASH, OUTPUTS, weights=words_for)
    decoder.connect()
    device._answer = lambda content: (b"" if content[0] == 2
                                      else LoadableDevice._answer(device, content))
    with pytest.raises(NoAnswerError, match="^Device must answer within 4 tries: "):
        decoder.step([1])


@pytest.mark.parametrize("weights, text", [
    (None, "Weights must be given for a device that has none of its own"),
    (partial(words_for, words=[WORDS[0] ^ 1, *WORDS[1:]]),
     "Weights must be those that the device was built for: it finds another length or checksum"),
    (partial(words_for, words=WORDS[:-1]),
     "Weights must be those that the device was built for: it finds another length or checksum"),
])
def test_driver_refuses_weights(weights, text):
    device  = LoadableDevice()
    decoder = Driver(device, HASH, OUTPUTS, weights=weights)
    for _ in range(2):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            decoder.step([1])
    assert device.steps == []


def test_driver_notices_a_restart_while_it_loads():
    device = LoadableDevice()

    def harm(direction, data):
        if direction == "to" and device.loads == 3:
            device.forget()
        return data

    device.harm = harm
    with pytest.raises(ValueError, match="^Device must have 300 words by now, not 82: it "
                       "has restarted, or holds a shorter table$"):
        Driver(device, HASH, OUTPUTS, weights=words_for).connect()
    device.harm = lambda direction, data: data
    assert Driver(device, HASH, OUTPUTS, weights=words_for).connect().loaded


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("load")
    model, manifest = load_artefact(saved_model(folder / "model"))
    return folder / "model", model, manifest, random_recording(4, model.channels, 60, rate=0.6)


def test_virtual_board_equals_golden_also_after_its_power_was_cut(built):
    _, model, manifest, recording = built
    core = Plan(model=model, config=CoreConfig(lanes=3, weight_memory="large"))
    link = link_params(core, model_hash=manifest["model_hash"], clock_hz=8_000_000)
    content = load_bytes(core.loaded, core.word_bytes)
    assert link.table.crc == binascii.crc_hqx(content, 0xffff)
    golden = run_golden(model, recording, core.config)
    board  = VirtualBoard(core, link, BUILD)
    decoder = Driver(board, manifest["model_hash"], model.outputs,
                    weights=weights_of(model))
    for _ in range(2):
        decoder.connect()
        answer = decode(decoder, model, recording)
        assert np.array_equal(answer.velocity_int, golden.velocity_int)
        assert np.array_equal(answer.cycles, golden.cycles)
        # A new board is one whose power was cut.
        board.close()
        decoder._port = board = VirtualBoard(core, link, BUILD)
        with pytest.raises(NoAnswerError, match="restart without them: connect again$"):
            decoder.step([0])
    info = decoder.read_info()
    assert (info.loaded, info.steps, info.foreign) == (False, 0, 4)
    board.close()


def test_command_loads_the_virtual_board(built, tmp_path, monkeypatch):
    folder, model, _, recording = built
    np.savez(tmp_path / "recording.npz", bin=np.repeat(np.arange(60), np.diff(recording.start)),
             channel=recording.channel, n_bins=60, n_channels=model.channels, dt=recording.dt)
    monkeypatch.chdir(tmp_path)
    run_words(["decode", str(folder), "recording.npz", "-o", "out.npz", "--freq", "8",
               "--weight-memory", "large"])
    golden = run_golden(model, recording, CoreConfig())
    with np.load("out.npz") as answer:
        assert np.array_equal(answer["velocity_int"], golden.velocity_int)
        assert np.array_equal(answer["cycles"], golden.cycles)
