# SPDX-License-Identifier: Apache-2.0

import binascii
import re
import struct

import numpy as np
import pytest
from cobs import cobs

from spikewright.host.codec import (
    InfoAnswer,
    LoadAnswer,
    StepAnswer,
    decode_answer,
    encode_info,
    encode_load,
    encode_step,
    step_frames,
)
from spikewright.plan.frames import (
    INFO_FIELDS,
    LOAD_FIELDS,
    LOAD_MAX,
    OUTPUTS_MAX,
    Capability,
    answer_bytes,
    step_answer_bytes,
    step_request_bytes,
)
from spikewright.plan.framing import FrameError, FrameReader, pack_frame, unpack_frame

PROGRAM = b"program!"
HASH = bytes.fromhex("9f3ac5017be2d844")
INFO = bytes([0x81, 5, 1]) + struct.pack("<IIHHHHHH", 70_000, 1234, 1, 2, 3, 4, 5, 192) + HASH \
    + bytes([0xc0, 0x5d, 0x00, 2, 1, 2, 224, 0]) + PROGRAM
LOAD = bytes([0x83, 4, 0xc1]) + struct.pack("<HBB", 16_384, 8, 5)
STEP = bytes([0x82, 9, 3]) + struct.pack("<IIii", 8, 512, -70_000, 2_000_000_000)


def message(text):
    return f"^{re.escape(text)}$"


def test_sizes_of_frames():
    assert OUTPUTS_MAX == 52
    for rows, events in ((1, 0), (256, 218), (257, 109)):
        request = encode_step(0, [0] * events, device_rows=rows)
        assert len(request) == step_request_bytes(rows, events)
    assert step_request_bytes(256, 218) == step_request_bytes(257, 109) == 225


def test_requests_are_as_written_in_the_contract():
    assert cobs.decode(encode_info(7)[:-1]) == b"\x01\x07" + \
        (binascii.crc_hqx(b"\x01\x07", 0xffff) ^ 0xffff).to_bytes(2, "big")
    assert unpack_frame(encode_step(255, [3, 0, 255], reset=True)[:-1]) == b"\x02\xff\x01\x03\0\xff"
    assert unpack_frame(encode_step(0, [])[:-1]) == b"\x02\0\0"
    assert unpack_frame(encode_load(8, b"\x05\0", restart=True)[:-1]) == b"\x03\x08\x01\x05\0"
    assert unpack_frame(encode_load(9, b"")[:-1]) == b"\x03\x09\0"


def test_crc_is_that_of_the_catalogue():
    assert cobs.decode(pack_frame(b"123456789")[:-1])[-2:] == b"\xd6\x4e"


def test_round_trip():
    rng = np.random.default_rng(1)
    for _ in range(200):
        content = rng.integers(256, size=rng.integers(2, 221)) * (rng.random() < 0.8)
        content = content.astype(np.uint8).tobytes()
        coded = pack_frame(content)
        assert coded.count(0) == 1 and coded[-1] == 0 and len(coded) <= 225
        assert unpack_frame(coded[:-1]) == content


def test_answers():
    assert decode_answer(INFO) == InfoAnswer(
        seq=5, version=1, loadable=False, loaded=False, steps=70_000, longest_cycles=1234,
        corrupt=1, repeated=2, foreign=3, overrun=4, dropped=5, rows=192, model_hash=HASH,
        clock_hz=24_000_000, outputs=2, capability=Capability.WEIGHTS, frames=2, frame_bytes=224,
        program_hash=PROGRAM)
    assert decode_answer(STEP) == StepAnswer(seq=9, saturated=True, dropped=True, step=8,
                                             cycles=512, outputs=(-70_000, 2_000_000_000))
    assert len(pack_frame(STEP)) == step_answer_bytes(2)
    assert len(pack_frame(INFO)) == answer_bytes(INFO_FIELDS)
    assert len(pack_frame(LOAD)) == answer_bytes(LOAD_FIELDS)


@pytest.mark.parametrize("version, loadable, loaded", [
    (0x01, False, False), (0x81, True, False), (0xc1, True, True),
])
def test_answers_of_a_device_with_a_table(version, loadable, loaded):
    info = decode_answer(INFO[:2] + bytes([version]) + INFO[3:])
    assert (info.version, info.loadable, info.loaded) == (1, loadable, loaded)
    assert decode_answer(LOAD[:2] + bytes([version]) + LOAD[3:]) == LoadAnswer(
        seq=4, loaded=loaded, words=16_384, lanes=8, word_bytes=5)


@pytest.mark.parametrize("content, text", [
    (b"",               "Answer must have 2 bytes or more, not 0"),
    (b"\x82",           "Answer must have 2 bytes or more, not 1"),
    (b"\x02\x01\x00",   "Answer's type must be 0x81, 0x82 or 0x83, not 0x02"),
    (INFO + b"\0",      "INFO's body must have 45 bytes, not 46"),
    (INFO[:-1],         "INFO's body must have 45 bytes, not 44"),
    (LOAD[:-1],         "LOAD's body must have 5 bytes, not 4"),
    (STEP[:-1],         "STEP's body must have 9 bytes and 4 per output, not 16"),
    (STEP[:11],         "STEP's body must have 9 bytes and 4 per output, not 9"),
    (STEP[:4],          "STEP's body must have 9 bytes and 4 per output, not 2"),
])
def test_answers_of_wrong_shape(content, text):
    with pytest.raises(FrameError, match=message(text)):
        decode_answer(content)


@pytest.mark.parametrize("coded, text", [
    (b"",               "Frame must have 4 bytes or more, not 0"),
    (b"\x03\xff\xff",   "Frame must have 4 bytes or more, not 2"),
    (b"\x05abc",        ("Frame must be coded in COBS, not 05616263: not enough input bytes for "
                         "length code")),
    (b"\x05abcd",       "Frame's CRC must be 960f, not 6364"),
    (b"a" * 225,        "Frame must have 224 bytes or fewer, not 225"),
])
def test_frames_that_are_none(coded, text):
    with pytest.raises(FrameError, match=message(text)):
        unpack_frame(coded)


@pytest.mark.parametrize("arguments, text", [
    ((256, []),                       "Sequence number must be between 0 and 255, not 256"),
    ((-1, []),                        "Sequence number must be between 0 and 255, not -1"),
    ((0, [1] * 219),                  "Events of a frame must be 218 or fewer, not 219"),
    ((0, [1, 256]),                   "Row of event 1 must be between 0 and 255, not 256"),
    ((0, [-1]),                       "Row of event 0 must be between 0 and 255, not -1"),
])
def test_requests_that_cannot_be(arguments, text):
    with pytest.raises(ValueError, match=message(text)):
        encode_step(*arguments)


def test_load_has_a_longest():
    with pytest.raises(ValueError, match=message("Bytes of a LOAD must be 218 or fewer, not 219")):
        encode_load(0, bytes(LOAD_MAX + 1))


def test_reader_finds_frames_however_they_are_cut():
    rng      = np.random.default_rng(2)
    contents = [bytes([k, *range(k % 200)]) + b"!" for k in range(50)]
    flow     = b"\0".join(pack_frame(content) for content in contents)
    reader   = FrameReader()
    got, at  = [], 0
    while at < len(flow):
        size = int(rng.integers(1, 40))
        got += reader.feed(flow[at:at + size])
        at  += size
    assert got == contents
    assert reader.corrupt == 0


def test_reader_counts_what_is_no_frame():
    good   = pack_frame(b"good")
    reader = FrameReader()
    flow   = (good[:3] + b"\0" + good + good[2:] + bytes([good[0] ^ 1]) + good[1:]
              + b"x" * 5000 + b"\0" + good)
    assert reader.feed(flow) == [b"good"] * 2
    assert reader.corrupt == 4


def test_reader_sees_every_single_bit_error():
    good = pack_frame(STEP)
    for bit in range(8 * (len(good) - 1)):
        broken = bytearray(good)
        broken[bit // 8] ^= 1 << bit % 8
        reader = FrameReader()
        assert reader.feed(bytes(broken)) == []
        assert reader.corrupt >= 1
        assert reader.feed(good) == [STEP]


@pytest.mark.parametrize("device_rows, events, sizes", [
    (256, 0, [0]), (256, 218, [218]), (256, 219, [218, 1]), (256, 654, [218, 218, 218]),
    (257, 110, [109, 1])])
def test_frames_of_a_step(device_rows, events, sizes):
    """Only the first frame resets, and only the last one ends the step."""
    rows, numbers = [k % device_rows for k in range(events)], iter(range(9, 20))
    frames = list(step_frames(lambda: next(numbers), rows, True, device_rows))
    firsts = [sum(sizes[:k]) for k in range(len(sizes))]
    assert frames == [
        (encode_step(9 + k, rows[first:first + size], k == 0, more=k < len(sizes) - 1,
                     device_rows=device_rows), k < len(sizes) - 1)
        for k, (first, size) in enumerate(zip(firsts, sizes, strict=True))]
