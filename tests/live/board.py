# SPDX-License-Identifier: Apache-2.0
"""A board behind a pseudo-terminal: the integer model with the link's frames.

``python -m tests.live.board MODEL PORT`` makes one, for any program, until it is ended.
"""

import contextlib
import os
import pty
import select
import signal
import sys
import threading
import tty
from pathlib import Path

from spikewright.golden.stepper import Stepper
from spikewright.live.priority import hurry, settle
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import (
    ANSWER,
    INFO_FIELDS,
    STEP_FIELDS,
    VERSION,
    Answered,
    FrameType,
    Step,
)
from spikewright.plan.framing import FrameReader, pack_fields, pack_frame

__all__ = ["Board"]


class Board:
    """A board that runs ``model``; its port has the name ``place``. It is plugged in at first."""

    def __init__(self, model, place):
        self.model, self.place = model, place
        self.reset()
        self.plug()

    def reset(self):
        """What the button of a board does."""
        self.steps, self._last = 0, (None, b"")
        self._stepper = Stepper(self.model.integers, CoreConfig())

    def plug(self):
        """Put the cable in."""
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.place.unlink(missing_ok=True)
        self.place.symlink_to(os.ttyname(theirs))
        stopped, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._work, args=(ours, theirs, stopped))
        self._thread.start()

    def pull(self):
        """Pull the cable."""
        self.place.unlink()
        os.close(self._stop)        # the thread sees the end of the pipe
        self._thread.join()

    def _work(self, ours, theirs, stopped):
        reader = FrameReader()
        while not select.select([ours, stopped], [], [])[0].count(stopped):
            for content in reader.feed(os.read(ours, 4096)):
                with contextlib.suppress(OSError):
                    os.write(ours, self._answer(content))
        for each in (ours, theirs, stopped):
            os.close(each)

    def _answer(self, content):
        kind, seq, integers = content[0], content[1], self.model.integers
        if kind == FrameType.INFO:
            self._last = None, b""
            body = pack_fields(INFO_FIELDS, dict.fromkeys(INFO_FIELDS, 0) | {
                "version": VERSION, "steps": self.steps, "rows": integers.rows,
                "outputs": integers.outputs, "model_hash": bytes.fromhex(self.model.hash)[:8],
                "program_hash": bytes(8)})
            return pack_frame(bytes([kind | ANSWER, seq]) + body)
        if seq != self._last[0]:
            outputs, cycles, saturated = self._stepper.step(list(content[3:]),
                                                            bool(content[2] & Step.RESET))
            body = pack_fields(STEP_FIELDS, {"flags": Answered.SATURATED * saturated,
                                             "step": self.steps, "cycles": cycles})
            values = b"".join(int(each).to_bytes(4, "little", signed=True) for each in outputs)
            self._last = seq, pack_frame(bytes([kind | ANSWER, seq]) + body + values)
            self.steps += 1
        return self._last[1]


def main(model, place):
    """Make a board, before all usual programs where the user may."""
    with contextlib.suppress(ValueError):
        hurry()
    board = Board(Model.load(model), Path(place))
    settle()
    print(f"-> {place}", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    board.pull()


if __name__ == "__main__":
    main(*sys.argv[1:])
