# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""A frame with one wrong bit is never executed, whatever follows on the line."""

import numpy as np
import pytest

from spikewright.host.codec import decode_answer, encode_info, encode_step
from spikewright.hw.params import link_params
from spikewright.plan.framing import FrameReader
from spikewright.quantize.compile import compile_network
from spikewright.sim.virtual import VirtualBoard
from tests.designs import plan_of
from tests.hw.link.link_bench import LinkBench
from tests.networks import random_recording, tiny_network

AFTER = 2200        # cycles until an answer is on the line


def frames():
    """Frames of many lengths; some have the events that the CRC of a shorter one would be."""
    rng = np.random.default_rng(5)
    yield encode_step(7, [1, 5])
    yield encode_step(0, [0, 0, 0], reset=True)
    yield encode_step(255, [])
    for length in (1, 2, 3, 5, 8, 20, 40):
        yield encode_step(int(rng.integers(256)), rng.integers(6, size=length).tolist(),
                          reset=bool(rng.integers(2)))


def broken(frame):
    """Each frame that differs from ``frame`` in one bit."""
    for bit in range(8 * len(frame)):
        copy = bytearray(frame)
        copy[bit // 8] ^= 1 << bit % 8
        yield bit, bytes(copy)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    model, *_ = compile_network(tiny_network(4), name="tiny",
                                recording=random_recording(4, 6, 50, rate=0.5))
    plan = plan_of(model, lanes=2)
    board = VirtualBoard(plan, link_params(plan, model_hash="00" * 32, clock_hz=8_000_000),
                         tmp_path_factory.mktemp("cache"), timeout=0.001)
    yield board
    board.close()


def ask(board, data):
    """Send ``data``; the answers that come."""
    board.write(data)
    return [decode_answer(content) for content in FrameReader().feed(board.read(400))]


# What the line brings after the frame: only a zero, the driver's next try of the same frame,
# another frame at once, and bytes of noise before a zero.
FOLLOWS = {
    "zero":       lambda frame: b"\0",
    "same_frame": lambda frame: b"\0" + frame,
    "next_frame": lambda frame: encode_step(frame[2] ^ 1, [5]),
    "noise":      lambda frame: b"\x01\x02\0",
}


@pytest.mark.parametrize("follow", FOLLOWS)
def test_no_frame_with_a_wrong_bit_is_executed(board, follow):
    def steps():
        info, = ask(board, b"\0" + encode_info(200))
        return info.steps

    allowed = {"same_frame": 1, "next_frame": 1}.get(follow, 0)
    for number, frame in enumerate(frames()):
        rest, before, answered = FOLLOWS[follow](frame), steps(), 0
        for bit, bad in broken(frame):
            # A wrong bit may make a zero, which ends the frame: all pieces must be refused.
            answers = ask(board, bad + rest)
            assert len(answers) <= allowed, (number, bit, answers)
            assert not any(answer.dropped for answer in answers), (number, bit)
            answered += len(answers)
        # All that is answered is one frame, which is executed once.
        assert steps() - before == min(answered, 1), number
        if follow == "same_frame":
            assert answered == 8 * len(frame), number


def test_host_refuses_each_answer_with_a_wrong_bit(board):
    for rows in ([], [1], [3, 0, 5], [2] * 40):
        board.write(encode_step(len(rows), rows))
        answer = board.read(400)
        assert len(FrameReader().feed(answer)) == 1
        for bit, bad in broken(answer):
            for rest in (b"\0", b"\0" + answer, answer):
                contents = FrameReader().feed(bad + rest)
                assert len(contents) <= (rest != b"\0"), (bit, rest)
                assert all(content == FrameReader().feed(answer)[0] for content in contents)


def test_no_frame_with_a_wrong_level_on_the_line_is_executed():
    frame = encode_step(7, [1, 5])
    levels = [level for byte in frame for level in (0, *(byte >> k & 1 for k in range(8)), 1)]
    bench = LinkBench()
    chunks = []
    for position in range(len(levels)):         # start and stop bits, too
        chunks += [bench.levels([level ^ (place == position)
                                 for place, level in enumerate(levels)]), 200, b"\0", 200]
    answer, info = bench.run(*chunks, encode_step(9, [3]), AFTER, encode_info(10))
    assert bench.steps == [(0, [3])]
    assert (answer.seq, info.foreign) == (9, 0)
