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

# Lines that may wait for the disk, without those of `Recorder.note`: some minutes.
MOST_WAITING = 50_000


class Recorder:
    """Writes each answer as a line of JSON.

    A thread writes to the disk four times a second, and waits until the disk has it. The loop never
    waits for the disk, and a crash loses less than a second. If the disk is full, the lines that do
    not go onto it are lost and counted, and the recording goes on as soon as there is room again.
    A line with their number is in their place, after the facts that held for them.

    Parameters
    ----------
    path : Path
        A new file. It is removed at the end if nothing was written to it.
    notice : function
        Takes a line for the user, from another thread.

    Raises
    ------
    InputError
        If there is such a file.
    """

    def __init__(self, path: Path, notice: Callable[[str], None]):
        self.title = str(path)
        self._notice = notice
        # Of the loop's thread: lines that did not fit into the queue, and how many it has marked.
        self._refused = self._marked = 0
        # Of the thread that writes: all lines that failed, those lost since the last good write,
        # whether the last write failed, and the last facts.
        self._failed = self._lost = 0
        self._failing = False
        self._facts: dict | None = None
        try:
            self._file = open(path, "xb", buffering=0)
        except FileExistsError:
            raise InputError(f"Recorder must write a new file, not {str(path)!r}") from None
        # A line, facts, or the number of lines that did not fit in this place.
        self._waiting: queue.SimpleQueue[bytes | dict | int] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    @property
    def counts(self) -> dict[str, int]:
        return {"lines not recorded": self._refused + self._failed}

    def send(self, answer: Answer) -> None:
        """Take an answer."""
        if self._waiting.qsize() < MOST_WAITING:
            self._mark()
            self._waiting.put(answer.record)
        else:
            self._refused += 1

    def note(self, facts: dict) -> None:
        """Take facts about the session."""
        self._mark()
        self._waiting.put(facts)        # they are needed, whatever waits

    def close(self) -> None:
        """Write what is left."""
        self._mark()
        self._ending.set()
        self._thread.join()
        empty = not self._file.tell()
        self._file.close()
        if empty:
            os.unlink(self.title)

    def _mark(self) -> None:
        """Mark the place of lines that did not fit."""
        if self._refused > self._marked:
            self._waiting.put(self._refused - self._marked)
            self._marked = self._refused

    def _write_all(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(EVERY)
            items = []
            with contextlib.suppress(queue.Empty):
                while True:
                    items.append(self._waiting.get_nowait())
            if items and not self._write(items):
                self._ending.wait(RETRY)

    def _write(self, items: list[bytes | dict | int]) -> bool:
        """Write whole lines, or none of them; return whether they are written."""
        begin = self._file.tell()
        before = [each for each in (self._facts, self._lost) if each] if self._failing else []
        view = memoryview(b"".join(map(_line, [*before, *items])))
        for item in items:
            if isinstance(item, dict):
                self._facts = item
        try:
            while view:
                view = view[self._file.write(view):]
            os.fsync(self._file.fileno())
        except OSError as error:
            if not self._failing:
                self._notice(f"{self.title} is not recorded: {error.strerror}; decoding goes on")
            self._failing = True
            failed = sum(isinstance(item, bytes) for item in items)
            self._failed += failed
            self._lost += failed + sum(item for item in items if isinstance(item, int))
            with contextlib.suppress(OSError):
                self._file.truncate(begin)
                self._file.seek(begin)
            return False
        if self._failing:
            self._notice(f"{self.title} is recorded again: {self._lost} lines are lost")
            self._failing, self._lost = False, 0
        return True


def _line(item: bytes | dict | int) -> bytes:
    """A line of the file."""
    if isinstance(item, bytes):
        return item
    return to_line({"lost": item} if isinstance(item, int) else item)
