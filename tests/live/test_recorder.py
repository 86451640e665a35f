# SPDX-License-Identifier: Apache-2.0
"""The file of a session: whole lines, on the disk within a second, and what a full disk does."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from spikewright.live.sinks.recorder import Recorder
from spikewright.record.importer import import_recording
from spikewright.record.lines import FORMAT
from tests.networks import refused

from .conftest import lines
from .test_loop import answer_of


def test_a_session(tmp_path, notices):
    recorder = Recorder(tmp_path / "a.jsonl", notices.append)
    recorder.note({"model_hash": "ab"})
    for _ in range(3):
        recorder.send(answer_of(np.array([1.0, 2.0])))
    recorder.close()
    first, *rest = lines(tmp_path / "a.jsonl")
    assert first == {"model_hash": "ab"} and len(rest) == 3
    assert rest[0]["spikes"] == [1] and rest[0]["velocity"] == [1.0, 2.0]
    assert notices == [] and recorder.counts == {"lines not recorded": 0}


def test_a_file_that_is_there_is_kept(tmp_path, notices):
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with refused(f"Recorder must write a new file, not {str(path)!r}"):
        Recorder(path, notices.append)
    assert path.read_text() == "mine"


def test_a_crash_loses_less_than_a_second(tmp_path):
    program = """
import sys, time
from pathlib import Path
from spikewright.live.sinks.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]), print)
began = time.perf_counter()
for k in range(10 ** 9):
    recorder.note({"seconds": time.time()})
    time.sleep(0.004)
"""
    path = tmp_path / "a.jsonl"
    running = subprocess.Popen([sys.executable, "-c", program, path])
    while not path.exists() or len(path.read_bytes()) < 10_000:
        time.sleep(0.05)
    killed = time.time()
    running.send_signal(signal.SIGKILL)
    running.wait()
    found = lines(path)                 # every line is whole
    assert killed - found[-1]["seconds"] < 1


class Disk:
    """A file on a disk that is full until it is told otherwise."""

    def __init__(self, file):
        self.file, self.full = file, True

    def write(self, data):
        if self.full:
            self.file.write(bytes(data)[:5])    # a disk takes a part before it is full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(bytes(data)[:7])  # and may take less than it is given

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.fixture
def full(tmp_path, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.sinks.recorder.EVERY", 0.01)
    monkeypatch.setattr("spikewright.live.sinks.recorder.RETRY", 0.01)
    recorder = Recorder(tmp_path / "a.jsonl", notices.append)
    recorder._file = disk = Disk(recorder._file)
    return recorder, disk, tmp_path / "a.jsonl"


def test_a_full_disk_loses_lines_and_says_so(full, notices):
    recorder, _, path = full
    recorder.send(answer_of(np.zeros(2)))
    recorder.close()
    assert notices == [f"{path} is not recorded: No space left on device; decoding goes on"]
    assert not path.exists() and recorder.counts == {"lines not recorded": 1}


def test_a_disk_with_room_again(full, notices):
    recorder, disk, path = full
    recorder.send(answer_of(np.zeros(2)))
    while not recorder.counts["lines not recorded"]:
        time.sleep(0.01)
    disk.full = False
    recorder.note({"after": True})
    recorder.close()
    assert lines(path) == [{"lost": 1}, {"after": True}]
    assert notices[1] == f"{path} is recorded again: 1 lines are lost"


def test_a_disk_that_is_full_at_the_start(full, notices):
    recorder, disk, path = full
    facts = {"format": FORMAT, "dt": 0.004, "channels": 6, "source": "test", "model_hash": "ab"}
    recorder.note(facts)
    for name in ("a", "b"):
        recorder.note(facts | {"model": name})
        recorder.send(answer_of(np.zeros(2)))
    while recorder.counts["lines not recorded"] < 2:
        time.sleep(0.01)
    disk.full = False
    recorder.send(answer_of(np.zeros(2)))
    recorder.close()
    assert lines(path)[:2] == [facts | {"model": "b"}, {"lost": 2}] and len(lines(path)) == 3
    assert notices[1] == f"{path} is recorded again: 2 lines are lost"
    assert import_recording(path, 0.004)["n_bins"] == 1


def test_facts_before_a_gap_are_those_of_the_lines_that_are_lost(full):
    recorder, disk, path = full
    disk.full = False
    recorder.note({"model": "a"})
    while not path.read_bytes().endswith(b"\n"):
        time.sleep(0.01)
    disk.full = True
    recorder.send(answer_of(np.zeros(2)))
    while not recorder.counts["lines not recorded"]:
        time.sleep(0.01)
    disk.full = False
    recorder.note({"model": "b"})
    recorder.close()
    assert lines(path) == [{"model": "a"}, {"model": "a"}, {"lost": 1}, {"model": "b"}]


def test_a_disk_that_hangs_does_not_grow_memory(tmp_path, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.sinks.recorder.MOST_WAITING", 5)
    monkeypatch.setattr("spikewright.live.sinks.recorder.EVERY", 1.0)
    recorder = Recorder(tmp_path / "a.jsonl", notices.append)
    for _ in range(7):
        recorder.send(answer_of(np.zeros(2)))
    recorder.note({"model": "other"})       # facts are kept, whatever waits
    recorder.send(answer_of(np.zeros(2)))
    assert recorder.counts == {"lines not recorded": 3}
    recorder.close()
    # The numbers of lost lines are in their places.
    found = [line if "velocity" not in line else "step" for line in lines(tmp_path / "a.jsonl")]
    assert found == [*5 * ["step"], {"lost": 2}, {"model": "other"}, {"lost": 1}]
    assert notices == []
