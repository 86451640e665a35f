# SPDX-License-Identifier: Apache-2.0
"""Whatever comes down the line: the compiled link answers, and counts, as the golden link does.

``SPIKEWRIGHT_TORTURE`` is the number of pieces in place of 20,000, for example 1000000.
"""

import os

import numpy as np
import pytest

from spikewright.golden.link import COUNTERS, GoldenLink
from spikewright.golden.stepper import Stepper
from spikewright.golden.table import GoldenTable
from spikewright.host.codec import (
    InfoAnswer,
    StepAnswer,
    decode_answer,
    encode_info,
    encode_load,
    encode_step,
    load_tail,
)
from spikewright.hw.params import link_params
from spikewright.plan.framing import FrameReader, pack_frame
from spikewright.sim.virtual import VirtualBoard
from tests.designs import BUILD, plan_of
from tests.networks import deep_model
from tests.sim.test_model_load import changed

PIECES = int(os.environ.get("SPIKEWRIGHT_TORTURE", 20_000))
HASH   = "01" * 32
CLOCK  = 8_000_000


def made(plan=None, tables=None, **line):
    """A board, and the golden model of its link and core; ``tables`` has models by their words."""
    plan  = plan or plan_of(deep_model(4))
    link  = link_params(plan, model_hash=HASH, clock_hz=CLOCK)

    def run(words):
        return Stepper(tables[words], plan.config).step

    table = GoldenTable(words=len(plan.loaded), word_bytes=plan.word_bytes, run=run, staged=
                        plan.config.staging != "none", lanes=4) if tables else None
    model = GoldenLink(rows=link.rows, outputs=link.outputs, model_hash=link.model_hash,
                       program_hash=link.program_hash, clock_hz=CLOCK, table=table,
                       step=Stepper(plan.model, plan.config).step)
    return VirtualBoard(plan, link, BUILD, **line), model


class Host:
    """A host that goes wrong in every way: it makes the pieces that go down the line."""

    def __init__(self, seed):
        self.rng    = np.random.default_rng(seed)
        self.seq    = 0
        self.before = [encode_info(0)]

    def piece(self):
        kind = self.KINDS[int(self.rng.integers(len(self.KINDS)))]
        return getattr(self, f"_{kind}")()

    KINDS = ("step", "step", "step", "again", "older", "info", "foreign", "cut", "flipped",
             "joined", "noise", "zeros", "long")

    def good(self):
        """A frame that has an answer."""
        rows = self.rng.integers(8, size=self.rng.integers(12)).tolist()    # the core has 6 or less
        return self._sent(encode_step, rows, bool(self.rng.integers(2)),
                          more=self.rng.random() < 0.1)

    _step = good

    def _sent(self, encode, *arguments, **flags):
        self.seq = (self.seq + 1) % 256
        frame = encode(self.seq, *arguments, **flags)
        self.before = [*self.before[-9:], frame]
        return frame

    def end(self):
        """Frames after which every good frame is answered."""
        return []

    def _again(self):
        return self.before[-1]

    def _older(self):
        return self.before[int(self.rng.integers(len(self.before)))]

    def _info(self):
        return encode_info(int(self.rng.integers(256)))

    def _foreign(self):
        content = self.rng.bytes(int(self.rng.integers(1, 20)))
        return self.rng.choice([pack_frame(content), encode_load(3, content, restart=True)])

    def frame(self):
        """A frame that goes wrong."""
        return self.good()

    def _cut(self):
        frame = self.frame()
        return frame[:int(self.rng.integers(1, len(frame)))] + b"\0" * int(self.rng.integers(2))

    def _flipped(self):
        frame = bytearray(self.frame())
        for _ in range(int(self.rng.integers(1, 4))):
            frame[int(self.rng.integers(len(frame)))] ^= 1 << int(self.rng.integers(8))
        return bytes(frame)

    def _joined(self):
        return self.good()[:-1] + self.good()

    def _noise(self):
        return self.rng.bytes(int(self.rng.integers(1, 40)))

    def _zeros(self):
        return b"\0" * int(self.rng.integers(1, 5))

    def _long(self):
        return pack_frame(self.rng.bytes(int(self.rng.integers(200, 250))))


class LoadingHost(Host):
    """The same, and it loads models between its steps: whole ones, and what is none."""

    KINDS = (*Host.KINDS, *("load",) * 12)

    def __init__(self, seed, tables):
        super().__init__(seed)
        self.tables = tables
        self.frames = []

    def frame(self):
        return self._load() if self.rng.random() < 0.2 else self.good()

    def _load(self):
        """The next frame of a model; now and then another one, or one that is wrong."""
        if not self.frames:
            if self.rng.random() < 0.7:
                return self.good()
            self.frames = self._whole()
        at = 0 if self.rng.random() < 0.97 else int(self.rng.integers(len(self.frames)))
        data, flags = self.frames.pop(at)
        if self.rng.random() < 0.01:
            self.frames = []                    # this model is given up
        if data and self.rng.random() < 0.02:
            data = bytes([data[0] ^ 1 << int(self.rng.integers(8))]) + data[1:]
        return self._sent(encode_load, data, **flags)

    def end(self):
        """Give up the model that is under way, and load another one."""
        return [self._sent(encode_load, data, **flags) for data, flags in self._whole()]

    def _whole(self):
        table = self.tables[int(self.rng.integers(len(self.tables)))]
        cuts = sorted({0, len(table), *self.rng.integers(len(table), size=3).tolist(),
                       *range(0, len(table), 200)})
        parts = [(table[low:high], {"restart": low == 0})
                 for low, high in zip(cuts, cuts[1:], strict=False)]
        return [*parts, (load_tail(table, self.rng.bytes(8)), {"last": True})]


def halves(host, data):
    """``data`` in one or two parts, between which the host stalls."""
    at = int(host.rng.integers(len(data) + 1)) if host.rng.random() < 0.2 else len(data)
    return data[:at], data[at:]


def torture(board, model, pieces, host):
    for number in range(pieces):
        piece = host.piece()
        answer = b""
        for part in halves(host, piece):
            board.write(part)
            answer += board.settle()
        assert answer == model.feed(piece), (number, piece.hex())
    # After a delimiter every good frame is answered, and the counters add up.
    for frame in (b"\0", *host.end(), host.good(), host.good(), encode_info(9)):
        board.write(frame)
        answer = board.settle()
        assert (answer or frame == b"\0") and answer == model.feed(frame)
    info, = [decode_answer(content) for content in FrameReader().feed(answer)]
    assert {name: getattr(info, name) for name in COUNTERS} == \
        {name: model.counts[name] for name in COUNTERS}
    assert info.steps == model.counts["steps"] and info.overrun == 0
    return info


def test_link_under_torture():
    board, model = made()
    info = torture(board, model, PIECES, Host(1))
    assert min(info.corrupt, info.foreign, info.repeated, info.dropped) > PIECES // 40
    assert info.steps > PIECES // 8
    board.close()


@pytest.mark.parametrize("staging", ["block", "none"])
def test_link_under_torture_with_loads(staging):
    """Models come between the steps. The board takes one only if it is whole and good."""
    old = deep_model(4)
    plans = [plan_of(model, load="model", staging=staging) for model in (old, changed(old))]
    tables = {plan.loaded_bytes: plan.model for plan in plans}
    board, model = made(plans[0], tables)
    taken = []
    run = model.table.run
    model.table.run = lambda words: (taken.append(tables[words]), run(words))[1]
    info = torture(board, model, PIECES // 10, LoadingHost(3, list(tables)))
    assert len(taken) > PIECES // 2000 and len({id(found) for found in taken}) == 2
    assert info.steps > PIECES // (60 if staging == "block" else 600)
    board.close()


@pytest.mark.parametrize("slow", [-0.02, 0.02])
def test_link_under_torture_bit_by_bit(slow):
    """The same through the UART, whose bits are 2 % too short or too long."""
    board, model = made(bits=True, slow=slow)
    torture(board, model, PIECES // 50, Host(2))
    board.close()


def test_bursts_are_answered_or_counted():
    """Frames that come faster than they are answered: each is answered, or counted, once."""
    board, _ = made()
    host, steps, sent = Host(3), 0, 0
    for _ in range(PIECES // 40):
        burst = [encode_step(k, [1] * int(host.rng.integers(12)))
                 for k in range(int(host.rng.integers(2, 9)))]
        sent += len(burst)
        board.write(b"\0" + encode_info(200))
        board.settle()
        board.write(b"".join(burst))
        answers = [decode_answer(content) for content in FrameReader().feed(board.settle())]
        assert answers and all(isinstance(answer, StepAnswer) for answer in answers)
        numbers = [answer.seq for answer in answers]
        assert numbers == sorted(set(numbers)) and numbers[0] == 0
        assert [answer.step for answer in answers] == list(range(steps, steps + len(answers)))
        steps += len(answers)
    board.write(b"\0" + encode_info(201))
    info, = [decode_answer(content) for content in FrameReader().feed(board.settle())]
    assert isinstance(info, InfoAnswer) and info.steps == steps
    assert info.overrun + steps == sent and info.overrun > sent // 10
    assert (info.corrupt, info.foreign, info.repeated) == (0, 0, 0)
    board.close()
