# SPDX-License-Identifier: Apache-2.0
"""The frames of docs/link.md, byte by byte."""

import re

from docs.make.kept import ROOT
from spikewright.host.codec import encode_info, encode_load, encode_step, load_tail
from spikewright.plan.frames import (
    ANSWER,
    CODED_MAX,
    INFO_FIELDS,
    LOAD_FIELDS,
    LOAD_MAX,
    STEP_FIELDS,
    FrameType,
    events_max,
)
from spikewright.plan.framing import pack_fields, pack_frame

PAGE = (ROOT / "docs" / "link.md").read_text(encoding="utf-8")
WORD = b"\x05\x00\x11\xee"


def answer(kind, seq, fields, values, rest=b""):
    return pack_frame(bytes([kind | ANSWER, seq]) + pack_fields(fields, values) + rest)


def test_bytes_of_the_examples():
    frames = [
        encode_info(1),
        encode_step(2, [3, 17, 17, 60], reset=True),
        answer(FrameType.STEP, 2, STEP_FIELDS, {"flags": 0, "step": 0, "cycles": 512},
               b"".join(value.to_bytes(4, "little", signed=True) for value in (-70000, 1000))),
        encode_load(3, WORD, restart=True),
        answer(FrameType.LOAD, 3, LOAD_FIELDS,
               {"version": 0x82, "words": 1, "lanes": 4, "word_bytes": 4}),
        encode_load(4, load_tail(WORD, bytes(range(8))), last=True)]
    told = re.findall(r"`((?:[0-9a-f]{2} )+00)` \|$", PAGE, re.MULTILINE)
    assert told == [frame.hex(" ") for frame in frames]


def test_sizes_are_told():
    assert f"A decoded frame has at most {CODED_MAX - 1} bytes" in PAGE
    assert f"up to {LOAD_MAX};" in PAGE
    flat = PAGE.replace("\n", " ")
    assert f"A frame carries {events_max(1)} events, or {events_max(257)} of two bytes." in flat
    info = PAGE.split("| INFO | 0x81 | ")[1].split(" |\n")[0]
    assert [int(size) for size in re.findall(r" \((\d)\)", info)] == list(INFO_FIELDS.values())
