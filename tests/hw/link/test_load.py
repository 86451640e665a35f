# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""LOAD frames: the weight table on its way into the core."""

import binascii
import re

import numpy as np
import pytest

from spikewright.host.codec import (
    LOAD_MAX,
    LoadAnswer,
    StepAnswer,
    encode_info,
    encode_load,
    encode_step,
)
from spikewright.hw.link import TableParams
from spikewright.plan.frames import VERSION
from tests.hw.link.link_bench import LinkBench, link_params

AFTER = 1800        # cycles from a request until its answer is on the line


def table_of(words, word_bytes, lanes=4, seed=1):
    """A random table, and what the link is told of it."""
    content = np.random.default_rng(seed).integers(256, size=words * word_bytes)
    content = content.astype(np.uint8).tobytes()
    return content, TableParams(words=words, word_bytes=word_bytes, lanes=lanes,
                                crc=binascii.crc_hqx(content, 0xffff))


def placed(content, word_bytes):
    return {divmod(k, word_bytes): byte for k, byte in enumerate(content)}


def spaced(*frames, after=AFTER):
    return [part for frame in frames for part in (frame, after)]


@pytest.mark.parametrize("words, word_bytes, lanes, sizes, stall", [
    (7,  4, 4,  [28],             0),
    (7,  3, 5,  [1, 5, 4, 11],    9),       # frames end within words
    (60, 8, 64, [LOAD_MAX, LOAD_MAX, 44], 0),
    (5,  1, 1,  [0, 5],           2),
    (1,  2, 3,  [2],              0),
])
def test_link_loads(words, word_bytes, lanes, sizes, stall):
    content, table = table_of(words, word_bytes, lanes)
    cuts   = np.cumsum([0, *sizes])
    assert cuts[-1] == len(content)
    frames = [encode_load(k, content[cuts[k]:cuts[k + 1]], restart=k == 0)
              for k in range(len(sizes))]
    bench  = LinkBench(table=table, stall=stall)
    before, *answers, after, step = bench.run(
        *spaced(encode_info(99), *frames, encode_info(98), encode_step(97, [3]),
                after=AFTER + 6 * 240 + 240 * stall), max_cycles=300_000)
    assert bench.table == placed(content, word_bytes) and bench.loads == len(content)
    assert (before.version, before.loadable, before.loaded) == (VERSION, True, False)
    assert answers == [
        LoadAnswer(seq=k, loaded=k == len(sizes) - 1, words=int(cuts[k + 1]) // word_bytes,
                   lanes=lanes, word_bytes=word_bytes) for k in range(len(sizes))]
    assert after.loaded and (after.foreign, after.corrupt, after.repeated) == (0, 0, 0)
    assert isinstance(step, StepAnswer) and bench.steps == [(0, [3])]


def test_link_without_a_table_knows_no_load():
    bench = LinkBench()
    info, = bench.run(*spaced(encode_load(1, b"abcd", restart=True), encode_info(2)))
    assert (info.foreign, info.loadable, info.loaded) == (1, False, False)


def test_link_decodes_no_step_before_its_table_is_whole():
    """A STEP before, amid and after too much of the table is foreign; nothing reaches the core."""
    content, table = table_of(6, 4)
    bench = LinkBench(table=table)
    *answers, info, last, step = bench.run(*spaced(
        encode_step(1, [1]), encode_load(2, content[:20], restart=True), encode_step(3, [2], True),
        encode_load(4, content[20:] + b"\x55"), encode_step(5, [3]),
        encode_info(6), encode_load(7, content, restart=True), encode_step(8, [4])))
    assert [(answer.loaded, answer.words) for answer in answers] == [(False, 5), (False, 6)]
    assert (info.foreign, info.loaded) == (3, False)
    assert last.loaded and step.seq == 8
    assert bench.steps == [(0, [4])]


def test_link_refuses_another_table():
    """A bit that differs, two words that are swapped, and a table that is a word short or long."""
    content, table = table_of(6, 4)
    others = [content[:9] + bytes([content[9] ^ 4]) + content[10:],
              content[4:8] + content[:4] + content[8:], content[:-4], content + bytes(4)]
    bench = LinkBench(table=table)
    frames = [frame for k, other in enumerate(others) for frame in
              (encode_load(2 * k, other, restart=True), encode_step(2 * k + 1, [k]))]
    *answers, info = bench.run(*spaced(*frames, encode_info(99)))
    assert [answer.loaded for answer in answers] == [False] * 4
    assert (info.foreign, info.loaded) == (4, False) and bench.steps == []


def test_link_executes_a_repeated_load_once():
    """The answer got lost: the same frame again is answered, and adds nothing."""
    content, table = table_of(6, 4)
    first, rest = encode_load(1, content[:10], restart=True), encode_load(2, content[10:])
    bench = LinkBench(table=table)
    *answers, info = bench.run(*spaced(first, first, rest, rest, encode_info(3)))
    assert [answer.words for answer in answers] == [2, 2, 6, 6]
    assert bench.loads == len(content)
    assert info.loaded and info.repeated == 2


def test_link_corrupt_load_adds_nothing():
    content, table = table_of(6, 4)
    broken = bytearray(encode_load(1, content, restart=True))
    broken[12] ^= 8
    bench  = LinkBench(table=table)
    *answers, info = bench.run(*spaced(
        bytes(broken), encode_load(1, content, restart=True), bytes(broken), encode_info(2)))
    assert bench.loads == len(content) and len(answers) == 1
    assert (info.loaded, info.corrupt) == (True, 2)


def test_link_load_and_step_of_one_number_are_no_repetition():
    content, table = table_of(6, 4)
    bench = LinkBench(table=table)
    *answers, info = bench.run(*spaced(
        encode_load(7, content, restart=True), encode_step(7, [1]), encode_load(7, b""),
        encode_step(7, [2]), encode_info(0)))
    assert [type(answer) for answer in answers] == [LoadAnswer, StepAnswer] * 2
    assert bench.steps == [(0, [1]), (0, [2])]
    assert answers[2].loaded and (info.repeated, info.steps) == (0, 2)


@pytest.mark.parametrize("changes, message", [
    ({"words": 0},          "Link words must be between 1 and 65534, not 0"),
    ({"words": 65535},      "Link words must be between 1 and 65534, not 65535"),
    ({"word_bytes": 256},   "Link word_bytes must be between 1 and 255, not 256"),
    ({"lanes": 65},         "Link lanes must be between 1 and 64, not 65"),
    ({"crc": 65536},        "Link crc must be between 0 and 65535, not 65536"),
])
def test_table_params_wrong(changes, message):
    values = {"words": 4, "word_bytes": 4, "lanes": 4, "crc": 0} | changes
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        link_params(table=TableParams(**values))
