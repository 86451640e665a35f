# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""LOAD frames that bring another model: in place or staged, the CRC over all, and the new hash."""

import binascii

import numpy as np
import pytest

from spikewright.host.codec import (
    LoadAnswer,
    StepAnswer,
    encode_info,
    encode_load,
    encode_step,
    load_tail,
)
from spikewright.hw.link import TableParams
from spikewright.plan.frames import Capability
from tests.hw.link.link_bench import HASH, LinkBench
from tests.hw.link.test_load import placed, spaced

WORDS, BYTES = 6, 4
NEW   = bytes([0, 0x22, 0, 0x44, 0x55, 0, 0, 0x88])
TABLE = np.random.default_rng(3).integers(256, size=WORDS * BYTES).astype(np.uint8).tobytes()


def bench_of(there=True, staged=False, **more):
    return LinkBench(table=TableParams(words=WORDS, word_bytes=BYTES, lanes=4, crc=None,
                                       there=there, staged=staged), **more)


def frames(seq, table=TABLE, model_hash=NEW, cut=10):
    """A whole LOAD, its words in two frames."""
    return [encode_load(seq, table[:cut], restart=True), encode_load(seq + 1, table[cut:]),
            encode_load(seq + 2, load_tail(table, model_hash), last=True)]


@pytest.mark.parametrize("stall, staged", [(0, False), (9, False), (9, True)])
def test_link_loads_a_model(stall, staged):
    """The old model answers before; the new one, by its own hash, after the last frame."""
    bench = bench_of(stall=stall, staged=staged)
    before, step, *loads, after, again = bench.run(*spaced(
        encode_info(1), encode_step(2, [3]), *frames(3), encode_info(6), encode_step(7, [4]),
        after=2300))
    assert (before.model_hash, before.loadable, before.loaded) == (HASH, True, True)
    assert before.capability == Capability.MODEL | Capability.STAGED * staged
    assert loads == [LoadAnswer(seq=3 + k, loaded=loaded, words=words, lanes=4, word_bytes=BYTES)
                     for k, (loaded, words) in enumerate([(False, 2), (False, 6), (True, 6)])]
    assert (after.model_hash, after.loaded, after.foreign) == (NEW, True, 0)
    assert (after.rows, after.clock_hz, after.outputs) == (96, 24_000_000, 2)
    assert after.program_hash == before.program_hash
    assert bench.table == placed(TABLE, BYTES) and bench.loads == len(TABLE)
    assert bench.copies == WORDS * staged
    assert isinstance(step, StepAnswer) and isinstance(again, StepAnswer)
    assert bench.steps == [(0, [3]), (1, [4])]      # a new model begins from zero state


def test_old_model_answers_until_a_staged_one_is_whole():
    """A STEP between any two frames is executed."""
    bench = bench_of(staged=True)
    first, rest, last = frames(10)
    *_, info, load, step, after = bench.run(*spaced(
        encode_step(1, [1]), first, encode_step(2, [2]), rest, encode_step(3, [3]), encode_info(4),
        last, encode_step(5, [5]), encode_info(6), after=2300))
    assert bench.steps == [(0, [1]), (0, [2]), (0, [3]), (1, [5])]
    assert (info.loaded, info.model_hash, info.foreign) == (True, HASH, 0)
    assert load.loaded and step.seq == 5 and step.step == 3
    assert (after.loaded, after.model_hash, after.foreign) == (True, NEW, 0)


def test_step_that_comes_during_the_copy_waits():
    """The copy takes 60 cycles a word, much longer than the frame of the STEP."""
    bench = bench_of(staged=True, stall=60)
    first, rest, last = frames(10)
    *_, load, step = bench.run(*spaced(first, rest, after=6000), last, encode_step(5, [5]))
    assert load.loaded and (step.seq, step.step, step.saturated) == (5, 0, True)
    assert bench.steps == [(1, [5])] and bench.table == placed(TABLE, BYTES)


def test_two_models_are_loaded_one_after_the_other():
    other = TABLE[::-1]
    bench = bench_of(staged=True)
    *_, first, _, _, _, second = bench.run(*spaced(
        *frames(1), encode_info(9), *frames(5, other, HASH), encode_info(9), after=2300))
    assert (first.model_hash, second.model_hash) == (NEW, HASH)
    assert bench.table == placed(other, BYTES) and bench.copies == 2 * WORDS


def test_link_executes_no_step_from_the_first_byte_to_the_last():
    bench = bench_of()
    first, rest, last = frames(10)
    *_, info, step = bench.run(*spaced(
        encode_step(1, [1]), first, encode_step(2, [2]), rest, encode_step(3, [3]), last,
        encode_info(4), encode_step(5, [5])))
    assert bench.steps == [(0, [1]), (1, [5])]
    assert info.foreign == 2 and step.seq == 5


def test_link_has_no_model_after_a_restart_without_a_word():
    bench = bench_of()
    load, info = bench.run(*spaced(encode_load(1, b"", restart=True), encode_step(2, [1]),
                                   encode_info(3)))
    assert (load.loaded, load.words) == (False, 0)
    assert (info.loaded, info.foreign) == (False, 1) and bench.steps == []


def wrong_loads():
    swapped = TABLE[4:8] + TABLE[:4] + TABLE[8:]
    first, rest, last = frames(10)
    return [
        [first, last],                                                      # words are missing
        [first, rest, encode_load(12, load_tail(swapped, NEW), last=True)],  # another CRC
        [*frames(10, swapped)[:2], last],                                   # words are swapped
        frames(10, TABLE + bytes(4)),                                       # a word too many
        frames(10, TABLE[:-1]),                                             # a byte too few
        [first, rest, last, encode_load(13, b"x")],                         # a byte after the end
        [first, rest, encode_load(12, load_tail(TABLE, NEW)[:-1], last=True)],
    ]


@pytest.mark.parametrize("wrong", wrong_loads())
def test_link_refuses_a_load_that_is_not_whole(wrong):
    """Whatever is wrong, the device stays without a model, until a LOAD from the beginning."""
    bench = bench_of()
    *_, refused, first, rest, last, after, step = bench.run(*spaced(
        *wrong, encode_step(20, [7]), encode_info(21), *frames(22), encode_info(25),
        encode_step(26, [8])))
    assert (refused.loaded, refused.foreign) == (False, 1)
    assert last.loaded and (after.loaded, after.model_hash) == (True, NEW)
    assert step.seq == 26 and bench.steps == [(1, [8])]


def test_old_model_goes_on_after_a_staged_load_that_is_not_whole():
    """Whatever is wrong, nothing is copied; a byte after the end belongs to the next model."""
    *wrong, longest, short = wrong_loads()
    bench = bench_of(staged=True)
    frames = [frame for k, load in enumerate((*wrong, short))
              for frame in (*load, encode_step(20 + k, [k]))]
    *answers, info, first, rest, last, byte, after, step = bench.run(*spaced(
        *frames, encode_info(30), *longest, encode_info(31), encode_step(32, [7]), after=2300))
    assert not any(answer.loaded for answer in answers if isinstance(answer, LoadAnswer))
    assert (info.loaded, info.model_hash, info.foreign, info.steps) == (True, HASH, 0, 6)
    assert [load.loaded for load in (first, rest, last, byte)] == [False, False, True, False]
    assert (after.loaded, after.model_hash, step.step) == (True, NEW, 6)
    assert bench.steps == [*((0, [k]) for k in range(6)), (1, [7])] and bench.copies == WORDS


def test_words_that_end_with_their_own_crc_are_no_model():
    """Only a last frame makes the words a model."""
    words = TABLE[:-2] + binascii.crc_hqx(TABLE[:-2], 0xffff).to_bytes(2, "big")
    bench = bench_of()
    *loads, info = bench.run(*spaced(*frames(1, words)[:2], encode_info(5)))
    assert [load.loaded for load in loads] == [False, False] and not info.loaded


def test_link_has_the_old_hash_until_the_last_frame():
    """Frames of words are longer than the last one: none of their bytes is taken for a hash."""
    bench = bench_of()
    first, rest, last = frames(1, cut=0)
    *_, info, _, after = bench.run(*spaced(first, rest, encode_info(5), last, encode_info(6),
                                           after=4500))
    assert (info.loaded, info.model_hash) == (False, HASH)
    assert (after.loaded, after.model_hash) == (True, NEW)


@pytest.mark.parametrize("staged", [False, True])
def test_link_takes_a_repeated_last_frame_once(staged):
    bench = bench_of(there=False, staged=staged)
    first, rest, last = frames(1)
    *loads, info = bench.run(*spaced(first, rest, rest, last, last, encode_info(9)))
    assert [load.loaded for load in loads] == [False] * 3 + [True] * 2
    assert (info.loaded, info.model_hash, info.repeated) == (True, NEW, 2)
    assert bench.copies == WORDS * staged


def test_device_without_contents_waits_for_its_model():
    bench = bench_of(there=False)
    info, *_, step = bench.run(*spaced(encode_info(0), encode_step(1, [1]), *frames(2),
                                       encode_step(5, [2]), after=4500))
    assert (info.loadable, info.loaded) == (True, False)
    assert step.seq == 5 and bench.steps == [(1, [2])]
