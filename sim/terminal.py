# SPDX-License-Identifier: Apache-2.0
"""A virtual board behind a pseudo-terminal, so that any serial program sees a board."""

import contextlib
import os
import select
import threading
import time
import tty
from pathlib import Path

from spikewright.base.errors import InputError

from .virtual import VirtualBoard

__all__ = ["Terminal", "check_link"]

# A USB serial chip hands on so many bytes at once, without a wait for its latency timer.
PACKET = 62

# Bytes that wait for a program which does not read; older ones are lost, as in a full buffer.
MOST_KEPT = 1 << 16

# Seconds until a loop notices that the terminal was closed.
LOOK = 0.1


def check_link(link: Path) -> None:
    """Refuse a file, or a link to one, in the place of a link to a device; InputError."""
    device = link.is_symlink() and link.readlink().is_relative_to("/dev")
    if not device and (link.exists() or link.is_symlink()):
        raise InputError(f"Link {link} must be new or a symbolic link to a device, not another "
                         "file")


class Terminal:
    """Serves a virtual board at a pseudo-terminal, in real time; a context manager.

    Bytes take the time that they take on the board's line. The terminal works in a thread of its
    own. An error in this thread ends it, and is kept in ``error``.

    Parameters
    ----------
    board : VirtualBoard
    latency_timer : float
        Seconds for which the USB serial chip keeps an answer back. 0 if it keeps none.
    link : Path, optional
        A symbolic link to make, so that the port has a name that stays. An old link is replaced.

    Raises
    ------
    InputError
        If ``link`` is a file, which is never replaced, or cannot be made.

    Members
    -------
    port : str
        Name of the port.
    error : Exception or None
        What ended the thread.
    """

    def __init__(self, board: VirtualBoard, latency_timer: float = 0.0, link: Path | None = None):
        if link is not None:
            check_link(link)
        self._board, self._timer, self._link = board, latency_timer, link
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        if link is not None:
            try:
                link.unlink(missing_ok=True)
                link.symlink_to(self.port)
            except OSError as error:
                self._close_port()
                raise InputError(f"Link {link} must be in a folder that this user can write, not "
                                 f"refused: {error.strerror}") from error
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="virtual board", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the port is served: no error has ended the thread."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Remove the port, as if its cable were pulled. The board keeps its state.

        The link is removed, too, unless it is another's by now.
        """
        self._stop.set()
        self._thread.join()
        if self._link is not None and self._link.is_symlink() and \
                os.readlink(self._link) == self.port:
            self._link.unlink(missing_ok=True)
        self._close_port()

    def _close_port(self) -> None:
        for file in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(file)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _work(self) -> None:
        try:
            self._serve()
        except Exception as error:      # of any kind: whoever waits for the thread raises it
            self.error = error

    def _serve(self) -> None:
        kept, since = b"", 0.0
        while not self._stop.is_set():
            due = since + self._timer if kept else float("inf")
            sends = len(kept) >= PACKET or time.perf_counter() >= due
            wait = LOOK if sends else min(max(0.0, due - time.perf_counter()), LOOK)
            readable, writable, _ = select.select(
                [self._master], [self._master] if sends else [], [], wait)
            if writable:
                with contextlib.suppress(BlockingIOError):
                    kept = kept[os.write(self._master, kept):]
            if readable:
                answer = self._ask(os.read(self._master, 4096))
                if answer and not kept:
                    since = time.perf_counter()
                kept = (kept + answer)[-MOST_KEPT:]

    def _ask(self, data: bytes) -> bytes:
        """The board's answer to ``data``, when it would be there."""
        due = time.perf_counter() - self._board.now
        self._board.write(data)
        answer = self._board.settle()
        time.sleep(max(0.0, due + self._board.now - time.perf_counter()))
        return answer
