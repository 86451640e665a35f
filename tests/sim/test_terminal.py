# SPDX-License-Identifier: Apache-2.0
"""The virtual board behind a pseudo-terminal, as any serial program sees it."""

import os
import time

import pytest
import serial

from spikewright.host.codec import InfoAnswer, decode_answer, encode_info
from spikewright.hw.params import link_params
from spikewright.plan.frames import INFO_FIELDS, answer_bytes
from spikewright.plan.framing import FrameReader
from spikewright.sim.terminal import Terminal
from spikewright.sim.virtual import VirtualBoard
from tests.designs import BUILD, plan_of
from tests.networks import deep_model, refused


@pytest.fixture
def board():
    plan = plan_of(deep_model(4))
    board = VirtualBoard(plan, link_params(plan, model_hash="ab" * 32, clock_hz=8_000_000), BUILD)
    yield board
    board.close()


def ask(port):
    """The INFO of the board at ``port``, and the seconds that it took."""
    began = time.perf_counter()
    port.write(b"\0" + encode_info(7))
    answer, = FrameReader().feed(port.read(answer_bytes(INFO_FIELDS)))
    return decode_answer(answer), time.perf_counter() - began


@pytest.mark.parametrize("timer", [0.0, 0.02])
def test_serial_program_sees_a_board(board, tmp_path, timer):
    """An answer of 51 bytes takes at least its time on the line, and that of the latency timer."""
    link = tmp_path / "board"
    with Terminal(board, timer, link) as terminal:
        assert link.readlink().as_posix() == terminal.port
        with serial.Serial(str(link), 1_000_000, timeout=2) as port:
            took = []
            for _ in range(5):
                info, seconds = ask(port)
                assert isinstance(info, InfoAnswer) and info.model_hash == b"\xab" * 8
                took.append(seconds)
            assert min(took) >= 500e-6 + timer
    assert not link.is_symlink()


def test_no_file_is_replaced_by_a_link(board, tmp_path):
    (tmp_path / "board").write_text("mine")
    with refused(f"Link {tmp_path}/board must be new or a symbolic link to a device, not another "
                 "file"):
        Terminal(board, link=tmp_path / "board")
    assert (tmp_path / "board").read_text() == "mine"
    files = sorted(os.listdir("/proc/self/fd"))
    with refused(f"Link {tmp_path}/gone/board must be in a folder that this user can write, not "
                 "refused: No such file or directory"):
        Terminal(board, link=tmp_path / "gone" / "board")
    assert sorted(os.listdir("/proc/self/fd")) == files


@pytest.mark.parametrize("other", ["file", "link"])
def test_what_replaced_the_link_stays(board, tmp_path, other):
    link = tmp_path / "board"
    with Terminal(board, link=link):
        link.unlink()
        if other == "file":
            link.write_text("mine")
        else:
            link.symlink_to("/dev/ttyUSB1")
    assert link.is_symlink() == (other == "link")
    assert (link.read_text() == "mine" if other == "file"
            else link.readlink().as_posix() == "/dev/ttyUSB1")


def test_a_program_that_does_not_read(board):
    """Answers wait, the oldest are lost, and the port still ends."""
    with Terminal(board) as terminal, serial.Serial(terminal.port, 1_000_000, timeout=2) as port:
        for _ in range(40):
            port.write((b"\0" + encode_info(7)) * 10)      # 20 kB of answers
        time.sleep(0.5)
        assert terminal.alive
    assert terminal.error is None


def test_error_of_the_board_is_kept(board, monkeypatch):
    def fail():
        raise RuntimeError("no answer")

    with Terminal(board) as terminal, serial.Serial(terminal.port, 1_000_000, timeout=2) as port:
        assert terminal.alive and terminal.error is None
        monkeypatch.setattr(board, "settle", fail)
        port.write(b"\0")
        end = time.perf_counter() + 5
        while terminal.alive and time.perf_counter() < end:
            time.sleep(0.01)
        assert not terminal.alive and str(terminal.error) == "no answer"


def test_board_keeps_its_state_while_the_cable_is_pulled(board, tmp_path):
    link = tmp_path / "board"
    for corrupt in range(2):
        with Terminal(board, link=link), serial.Serial(str(link), 1_000_000, timeout=2) as port:
            info, _ = ask(port)
            assert info.corrupt == corrupt
            port.write(b"\x01\x02\x03\0")
            time.sleep(0.05)


def test_settled_board_has_said_everything(board):
    """Two requests are answered by the time when the board rests."""
    board.write(b"\0" + encode_info(1) + encode_info(2))
    answers = [decode_answer(content).seq for content in FrameReader().feed(board.settle())]
    before = board.now
    assert answers == [1, 2] and board.settle() == b"" and board.now == pytest.approx(before,
                                                                                      abs=1e-6)
