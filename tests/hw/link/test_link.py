# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.host.codec import PartAnswer, StepAnswer, encode_info, encode_step
from spikewright.plan.frames import Capability, events_max
from spikewright.plan.framing import FrameReader, pack_frame
from tests.hw.link.link_bench import HASH, PROGRAM, LinkBench, stub_output

AFTER = 2200        # cycles from a request until its answer is on the line, delay not counted


def expected(seq, step, rows, reset=False, outputs=2, width=18, dropped=False):
    """What the link has to answer for the stub's step."""
    return StepAnswer(seq=seq, saturated=reset, dropped=dropped, step=step, cycles=1000 + len(rows),
                      outputs=tuple(stub_output(step, rows, k, width) for k in range(outputs)))


def test_link_info():
    bench = LinkBench(rows=256, outputs=52, width=32, clock_hz=12_345_678, baud=1_540_000)
    info, = bench.run(encode_info(200))
    assert (info.seq, info.version, info.model_hash) == (200, 2, HASH)
    assert (info.clock_hz, info.rows, info.outputs) == (12_345_000, 256, 52)
    assert (info.capability, info.frames, info.frame_bytes) == (Capability(0), 2, 224)
    assert info.program_hash == PROGRAM
    assert (info.steps, info.longest_cycles) == (0, 0)
    assert (info.corrupt, info.repeated, info.foreign, info.overrun, info.dropped) == (0,) * 5


@pytest.mark.parametrize("stall, delay, changes", [
    (0, 0,   {}),
    (7, 300, {"rows": 256, "outputs": 1, "width": 16}),
    (0, 5,   {"outputs": 5, "width": 24, "clock_hz": 50_000_000, "baud": 5_000_000}),
    (1, 50,  {"rows": 7, "outputs": 3, "width": 32}),
    (0, 1,   {"rows": 1, "outputs": 2, "width": 4}),
])
def test_link_steps(stall, delay, changes):
    bench = LinkBench(stall=stall, delay=delay, **changes)
    rows, outputs, width = bench.params.rows, bench.params.outputs, bench.params.width
    rng   = np.random.default_rng(seed=1)
    steps = [([int(row) for row in rng.integers(rows, size=rng.integers(21))],
              bool(rng.integers(2))) for _ in range(8)]
    pause = AFTER + delay + 20 * stall + 450 * outputs
    chunks = [part for seq, (events, reset) in enumerate(steps)
              for part in (encode_step(seq, events, reset), pause)]
    *answers, info = bench.run(*chunks, encode_info(99))

    assert bench.steps == [(reset, events) for events, reset in steps]
    for number, (events, reset) in enumerate(steps):
        assert answers[number] == expected(number, number, events, reset, outputs, width)
    assert info.steps == 8
    assert info.longest_cycles == 1000 + max(len(events) for events, _ in steps)


@pytest.mark.parametrize("slow", [-0.02, 0.02])
def test_link_tolerates_two_percent(slow):
    events = list(range(96)) * 2
    bench  = LinkBench(slow=slow, clock_hz=48_000_000)
    assert bench.run(encode_step(3, events), quiet=4000) == [expected(3, 0, events)]


def test_link_largest_step():
    events = [5, 0, 95] * 72 + [7, 8]
    assert len(events) == events_max(96) == 218
    bench  = LinkBench()
    answer, = bench.run(encode_step(1, events), quiet=4000)
    assert bench.steps == [(0, events)]
    assert answer.cycles == 1000 + 218


def test_link_repeats_the_last_answer():
    bench = LinkBench()
    *answers, info = bench.run(
        encode_step(5, [1]), AFTER, encode_step(5, [2]), AFTER, encode_step(6, [3, 200]), AFTER,
        encode_step(6, [3, 200]), AFTER, encode_info(6), AFTER, encode_step(6, [3, 200]), AFTER,
        encode_info(0))
    assert bench.steps == [(0, [1]), (0, [3]), (0, [3])]
    assert answers[0] == answers[1] == expected(5, 0, [1])
    assert answers[2] == answers[3] == expected(6, 1, [3], dropped=True)
    assert answers[4].seq == 6 and answers[4].steps == 2
    assert answers[5] == expected(6, 2, [3], dropped=True)
    assert (info.repeated, info.steps, info.dropped) == (2, 3, 2)


def test_link_takes_a_step_in_parts():
    events = [row % 96 for row in range(500)]
    bench  = LinkBench()
    parts  = [encode_step(1, events[:218], True, more=True),
              encode_step(2, events[218:436], more=True),
              encode_step(2, events[218:436], more=True),           # sent again, not done again
              encode_step(3, [*events[436:], 200])]
    *answers, info = bench.run(*(part for frame in parts for part in (frame, 4000)), encode_info(4),
                               AFTER, encode_step(5, [200], more=True), AFTER, encode_step(6, [7]),
                               AFTER, encode_info(7))
    assert bench.steps == [(1, events), (0, [7])]
    assert answers[:3] == [PartAnswer(seq=seq, dropped=False) for seq in (1, 2, 2)]
    assert answers[3] == expected(3, 0, events, reset=True, dropped=True)
    assert answers[4].steps == 1 and answers[4].repeated == 1
    assert answers[5:] == [PartAnswer(seq=5, dropped=True), expected(6, 1, [7])]
    assert (info.steps, info.dropped) == (2, 2)


def test_link_takes_rows_of_two_bytes():
    bench = LinkBench(rows=700)
    rows  = [0, 255, 256, 699, 3]
    step  = [encode_step(seq, events, device_rows=700)
             for seq, events in enumerate([rows, [*rows, 700, 65535, 1], [699] * 109])]
    half  = pack_frame(bytes([2, 9, 0, 5, 1, 7]))       # the high byte of row 7 is missing
    *answers, info = bench.run(*(part for frame in (*step, half) for part in (frame, 4000)),
                               encode_info(0))
    assert bench.steps == [(0, rows), (0, [*rows, 1]), (0, [699] * 109), (0, [261])]
    assert [answer.dropped for answer in answers] == [False, True, False, True]
    assert (info.rows, info.dropped) == (700, 3)


def test_link_drops_events_of_rows_that_do_not_exist():
    bench = LinkBench(rows=96)
    *answers, info = bench.run(encode_step(0, [95, 96, 97, 1, 255]), AFTER,
                               encode_step(1, [95, 0]), AFTER, encode_info(2))
    assert answers == [expected(0, 0, [95, 1], dropped=True), expected(1, 1, [95, 0])]
    assert info.dropped == 3


@pytest.mark.parametrize("content", [
    bytes([0x00, 1]),           # unknown types
    bytes([0x03, 1, 0, 0]),
    bytes([0x82, 1, 0]),
    bytes([0x01, 1, 0]),        # INFO with a body
    bytes([0x02, 1]),           # STEP without flags
    bytes([0x42, 1, 0, 5]),
])
def test_link_foreign(content):
    bench = LinkBench()
    *answers, info = bench.run(encode_step(1, [4]), AFTER, pack_frame(content), AFTER,
                               encode_step(1, [4]), AFTER, encode_info(2))
    assert answers == [expected(1, 0, [4])] * 2
    assert (info.foreign, info.repeated, info.corrupt) == (1, 1, 0)


def test_link_corrupt_frames_change_nothing():
    good   = encode_step(1, [3, 0, 0, 9], True)
    frames = []
    for position in range(len(good) - 1):       # each byte is wrong once, and may be a delimiter
        broken = bytearray(good)
        broken[position] ^= 1 << position % 8
        frames += [bytes(broken), 40]
    frames += [good[:4] + b"\0", 40, good[2:], 40, good[:-3] + good[-1:], 40]
    frames += [b"\x01\0", 40, b"\x03\xff\xff\0", 40]
    reader = FrameReader()
    assert reader.feed(b"".join(frame for frame in frames if type(frame) is bytes)) == []
    bench = LinkBench()
    answer, info = bench.run(*frames, 2000, encode_step(2, [7]), AFTER, encode_info(2))
    assert bench.steps == [(0, [7])]
    assert answer == expected(2, 0, [7])
    assert (info.corrupt, info.foreign, info.overrun) == (reader.corrupt, 0, 0)


def test_link_frames_of_every_length():
    bench  = LinkBench(delay=0)
    *answers, info = bench.run(
        encode_step(0, [1] * 217), 4000, encode_step(1, [1] * 218), 4000,
        pack_frame(bytes([2, 2, 0] + [1] * 219)), 4000, pack_frame(bytes([2, 3, 0] + [1] * 224)),
        4000, bytes(range(1, 256)) * 2 + b"\0", 4000, b"\0" * 5, 100, encode_info(4))
    assert [len(rows) for _, rows in bench.steps] == [217, 218]
    assert [answer.seq for answer in answers] == [0, 1]
    assert (info.corrupt, info.foreign) == (3, 0)


def test_link_overrun():
    bench = LinkBench(delay=8000)
    *answers, info = bench.run(
        encode_step(1, [1]), encode_step(2, [2]), encode_step(3, [3]), encode_step(4, [4]), 22000,
        encode_step(5, [5]), 12000, encode_info(6))
    assert answers == [expected(1, 0, [1]), expected(2, 1, [2]), expected(5, 2, [5])]
    assert (info.overrun, info.corrupt) == (2, 0)


def test_link_two_frames_in_flight():
    bench = LinkBench(delay=100)
    frames = [encode_step(seq, [seq, 0, seq]) for seq in range(12)]
    *answers, info = bench.run(*(part for frame in frames for part in (frame, 1500)), 4000,
                               encode_info(0))
    assert answers == [expected(seq, seq, [seq, 0, seq]) for seq in range(12)]
    assert info.overrun == 0


def test_link_bad_stop_bits():
    good  = list(encode_step(1, [3]))
    lost  = [*good[:3], -good[3], *good[4:]]        # negative: without a stop bit
    end   = [*good[:-1], -256]                      # nor does such a zero end a frame
    bench = LinkBench()
    answer, info = bench.run(lost, 100, end, good, 100, good, AFTER, encode_info(2))
    assert answer == expected(1, 0, [3])
    assert info.corrupt == 2


def test_link_noise_and_break():
    bench = LinkBench()
    answer, info = bench.run(bench.pulse(2), 100, bench.pulse(9 * 8), bench.pulse(2000), b"\0", 100,
                             encode_step(1, [3]), AFTER, encode_info(2))
    assert answer == expected(1, 0, [3])
    assert info.corrupt == 1


def test_link_counts_all_that_comes_while_it_answers():
    bench = LinkBench()
    *_, info = bench.run(*[encode_info(0), b"\x07\0" * 45] * 3, 5000, encode_info(1))
    assert info.corrupt == 135
    assert info.overrun == 0


def test_link_counts_drops_of_every_kind_at_once():
    bench = LinkBench()
    answer, info = bench.run(encode_step(1, [255] * 218), b"\x07\0" * 30, encode_info(2))
    assert answer == expected(1, 0, [], dropped=True)
    assert (info.dropped, info.corrupt) == (218, 30)


@pytest.mark.parametrize("seed", range(3))
def test_link_survives_garbage(seed):
    rng = np.random.default_rng(seed)
    garbage = rng.integers(256, size=300)
    garbage[rng.integers(300, size=60)] = 0
    garbage[rng.integers(300, size=40)] = 2
    garbage = garbage.astype(np.uint8).tobytes()
    reader = FrameReader()
    assert reader.feed(garbage + b"\0") == []
    bench = LinkBench()
    answer, info = bench.run(garbage, b"\0", AFTER, encode_step(7, [8, 9]), AFTER, encode_info(2))
    assert answer == expected(7, 0, [8, 9])
    assert bench.steps == [(0, [8, 9])]
    assert info.corrupt + info.overrun == reader.corrupt


def test_link_latency():
    bench = LinkBench(clock_hz=24_000_000, baud=1_000_000, delay=50)
    bench.run(encode_step(1, [1, 2, 3, 4, 5]))
    assert bench.times["token"] - bench.times["stop"] <= 110
    assert bench.times["start"] - bench.times["result"] <= 310


def test_link_counts_frames_that_fail_at_the_same_time():
    # A frame with a wrong CRC is found out while the next one is dropped for its length.
    wrong  = bytearray(encode_step(1, range(1, 26)))
    wrong[5] ^= 0x40
    chunks = [part for pause in range(14) for part in (bytes(wrong), pause + 4, b"\x07\0", 300)]
    bench  = LinkBench()
    info,  = bench.run(*chunks, encode_info(1))
    assert (info.corrupt, info.overrun) == (28, 0)
