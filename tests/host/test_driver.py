# SPDX-License-Identifier: Apache-2.0

import re
import struct

import numpy as np
import pytest

from spikewright.host.codec import encode_info
from spikewright.host.driver import Driver, NoAnswerError
from spikewright.plan.frames import VERSION
from spikewright.plan.framing import FrameReader, pack_frame

HASH  = "9f3ac5017be2d844" + "00" * 24
OUTPUTS = 2


class FakeDevice:
    """Answers as the link does; ``harm`` may lose or change what passes the line.

    ``harm(direction, data)`` is called with "to" or "from" and returns what arrives.
    """

    def __init__(self, harm=lambda direction, data: data, *, model=HASH, rows=96, outputs=2,
                 version=VERSION):
        self.harm, self.model, self.rows, self.outputs = harm, model, rows, outputs
        self.version = version
        self.steps   = []
        self.reads   = 0
        self._reader = FrameReader()
        self._line   = bytearray()
        self._last   = None, b""

    def write(self, data):
        for content in self._reader.feed(self.harm("to", data)):
            self._line += self.harm("from", self._answer(content))

    def read(self, size):
        self.reads += 1
        data = bytes(self._line[:size])
        del self._line[:size]
        return data

    def _answer(self, content):
        kind, seq = content[:2]
        if kind == 1:
            self._last = None, b""
            return pack_frame(bytes([0x81, seq, self.version]) + struct.pack(
                "<IIHHHHHH", len(self.steps), 0, self._reader.corrupt, 0, 0, 0, 0, self.rows)
                + bytes.fromhex(self.model)[:8] + bytes([0, 0, 1, self.outputs, 0, 2, 224, 0])
                + bytes(8))
        if seq != self._last[0]:
            rows = list(content[3:])
            self.steps.append((content[2], rows))
            values = [(-1) ** k * (sum(rows) + k) for k in range(self.outputs)]
            self._last = seq, pack_frame(bytes([0x82, seq, content[2]]) + struct.pack(
                f"<II{self.outputs}i", len(self.steps) - 1, 100 + len(rows), *values))
        return self._last[1]


def connected(device, **arguments):
    decoder = Driver(device, HASH, OUTPUTS, **arguments)
    decoder.connect()
    return decoder


def test_driver_decodes():
    device  = FakeDevice()
    decoder = connected(device)
    assert decoder.info.rows == 96
    answer = decoder.step([1, 2, 95], reset=True)
    assert answer.outputs == (98, -99) and answer.saturated and answer.cycles == 103
    assert decoder.step(np.array([], np.uint8)).outputs == (0, -1)
    assert device.steps == [(1, [1, 2, 95]), (0, [])]
    assert (decoder.resent, decoder.corrupt) == (0, 0)


def test_driver_reads_as_little_as_it_can():
    device  = FakeDevice()
    decoder = connected(device)
    device.reads = 0
    for _ in range(300):        # the sequence number wraps
        decoder.step([5])
    assert device.reads == 300
    assert len(device.steps) == 300


@pytest.mark.parametrize("outputs", [1, 6, 52])
def test_driver_takes_any_number_of_outputs(outputs):
    device  = FakeDevice(outputs=outputs)
    decoder = Driver(device, HASH, outputs)
    assert len(decoder.step([3]).outputs) == outputs


def test_driver_executes_each_step_once_on_a_bad_line():
    rng = np.random.default_rng(3)

    def harm(direction, data):
        if rng.random() < 0.6:
            return data
        data = bytearray(data)
        at   = int(rng.integers(len(data)))
        kind = rng.integers(4)
        if kind == 0:
            return b""                                  # lost
        if kind == 1:
            data[at] ^= 1 << int(rng.integers(8))       # corrupt
        elif kind == 2:
            del data[at:]                               # cut
        else:
            data[at:at] = rng.integers(256, size=5).astype(np.uint8).tobytes()
        return bytes(data)

    device  = FakeDevice(harm)
    decoder = connected(device, tries=50)
    rows    = [[int(row) for row in rng.integers(96, size=6)] for _ in range(300)]
    answers = [decoder.step(events) for events in rows]
    assert device.steps == [(0, events) for events in rows]
    assert [answer.step for answer in answers] == list(range(300))
    assert [answer.outputs[0] for answer in answers] == [sum(events) for events in rows]
    assert decoder.resent > 100 and decoder.corrupt > 20


def test_driver_sends_four_times_and_gives_up():
    sent = []
    device  = FakeDevice(lambda direction, data: sent.append(data) or b"")
    decoder = Driver(device, HASH, OUTPUTS)
    with pytest.raises(NoAnswerError, match="^Device must answer within 4 tries: check that it is "
                       "connected, programmed, and built for the port's baud rate$"):
        decoder.connect()
    assert sent == [b"\0" + encode_info(decoder._seq)] * 4


def test_driver_gives_up_on_a_line_that_never_rests():
    class Babble:
        def write(self, data):
            pass

        def read(self, size):
            return b"\x55\0" * (size // 2)

    with pytest.raises(NoAnswerError):
        Driver(Babble(), HASH, OUTPUTS).connect()


def test_driver_passes_old_answers_over():
    device  = FakeDevice()
    decoder = connected(device)
    decoder.step([1])
    device._line += device._last[1] * 3 + pack_frame(b"\x83\x02") + b"\x07\0"
    assert decoder.step([2]).outputs[0] == 2
    assert decoder.resent == 0 and decoder.corrupt == 1


@pytest.mark.parametrize("device, text", [
    (FakeDevice(model="0011223344556677"),
     "Model on the device must be 9f3ac5017be2d844, not 0011223344556677"),
    (FakeDevice(version=1), "Version of the device's link must be 2, not 1"),
    (FakeDevice(outputs=3), "Outputs of the device must be 2, as the model has, not 3"),
])
def test_driver_refuses_a_foreign_device(device, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Driver(device, HASH, OUTPUTS).step([1])
    assert device.steps == []


@pytest.mark.parametrize("rows, text", [
    ([0, 96],   "Row of event 1 must be between 0 and 95, not 96"),
    ([-1],      "Row of event 0 must be between 0 and 95, not -1"),
])
def test_driver_refuses_events(rows, text):
    device  = FakeDevice()
    decoder = connected(device)
    with pytest.raises(ValueError, match=f"^{text}$"):
        decoder.step(rows)
    assert device.steps == []


@pytest.mark.parametrize("arguments, text", [
    (("9f3ac5", OUTPUTS),    "Model hash must be 8 bytes or more in hex, not '9f3ac5'"),
    (("no hash", OUTPUTS),   "Model hash must be 8 bytes or more in hex, not 'no hash'"),
    ((HASH, OUTPUTS, 0),     "Tries must be 1 or more, not 0"),
])
def test_driver_refuses_arguments(arguments, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        Driver(FakeDevice(), *arguments)
