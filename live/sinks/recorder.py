# SPDX-License-Identifier: Apache-2.0
"""A file that grows with the session: spikes, answers, time stamps and the model's hash."""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from spikewright.base.errors import InputError

from ..bins import Answer, to_line

__all__ = ["Recorder"]

# Seconds between two writes to the disk, and between two tries if a write fails.
EVERY, RETRY = 0.25, 1.0

# Lines that may wait for the disk: some minutes.
MOST_WAITING = 50_000


class Recorder:
    """Writes each answer as a line of JSON.

    A thread writes to the disk four times a second, and waits until the disk has it. The loop never
    waits for the disk, and a crash loses less than a second. If the disk is full, the lines that do
    not go onto it are lost and counted, and the recording goes on as soon as there is room again.

    Parameters
    ----------
    path : Path
        A new file.
    notice : function
        Takes a line for the user, from another thread.

    Raises
    ------
    InputError
        If there is such a file.
    """

    def __init__(self, path: Path, notice: Callable[[str], None]):
        self.title = str(path)
        self.counts = {"lines not recorded": 0}
        self._notice, self._lost = notice, 0
        try:
            self._file = open(path, "xb", buffering=0)
        except FileExistsError:
            raise InputError(f"Recorder must write a new file, not {str(path)!r}") from None
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def send(self, answer: Answer) -> None:
        """Take an answer."""
        self._put(answer.record)

    def note(self, facts: dict) -> None:
        """Take facts about the session."""
        self._put(to_line(facts))

    def close(self) -> None:
        """Write what is left."""
        self._ending.set()
        self._thread.join()
        self._file.close()

    def _put(self, line: bytes) -> None:
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(line)
        else:
            self.counts["lines not recorded"] += 1

    def _write_all(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(EVERY)
            lines = []
            with contextlib.suppress(queue.Empty):
                while True:
                    lines.append(self._waiting.get_nowait())
            if lines and not self._write(lines):
                self._ending.wait(RETRY)

    def _write(self, lines: list[bytes]) -> bool:
        """Write whole lines, or none of them; return whether they are written."""
        begin = self._file.tell()
        gap = [to_line({"lost": self._lost})] if self._lost else []
        view = memoryview(b"".join(gap + lines))
        try:
            while view:
                view = view[self._file.write(view):]
            os.fsync(self._file.fileno())
        except OSError as error:
            if not self._lost:
                self._notice(f"{self.title} is not recorded: {error.strerror}; decoding goes on")
            self._lost += len(lines)
            self.counts["lines not recorded"] += len(lines)
            with contextlib.suppress(OSError):
                self._file.truncate(begin)
                self._file.seek(begin)
            return False
        if self._lost:
            self._notice(f"{self.title} is recorded again: {self._lost} lines are lost")
            self._lost = 0
        return True
