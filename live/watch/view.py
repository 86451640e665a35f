# SPDX-License-Identifier: Apache-2.0
"""The loop's side of a view: a sink that feeds a process, and the commands that come back."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import real_path
from spikewright.model.saved import Model

from ..bins import Answer, to_line
from ..endpoints import address, is_loopback
from ..engine import check_shape
from ..loop import Loop

__all__ = ["KINDS", "READY", "View", "listener", "say"]

KINDS = ("page", "terminal")

# Seconds between two reports of the counters.
EVERY = 0.2

# Notices that a view shows.
NOTICES = 5

# Bytes that wait for a view which is busy: some seconds of a session.
MOST_WAITING = 1 << 20

# What a view sends when it can show answers.
READY = b"\n"

# A command is a short line.
MOST_BYTES = 1000


class View:
    """A view of the loop in another process, which cannot delay the loop.

    A view that is too slow misses answers, which are counted.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    models : sequence of path
        Folders of the models that can be loaded; the first is the one that runs.
    affine : dict, optional
        ``matrix`` and ``offset`` of the velocity.
    listener : socket, optional
        Listens for the page.
    token : str, optional
        What a visitor of the page must know.

    Raises
    ------
    InputError
        If a folder is no model, or one of another shape.
    """

    title = ""

    def __init__(self, kind: str, models: Sequence[Path], *, affine: dict | None = None,
                 listener: socket.socket | None = None, token: str | None = None):
        self.counts  = {"answers not shown": 0}
        self._models = [Model.load(folder) for folder in models]
        for model in self._models:
            check_shape(model, self._models[0])
        self._notices: list[str] = []
        self._waiting, self._coming, self._reported = bytearray(), b"", 0.0
        self._socket, theirs = socket.socketpair()
        passed = [each.fileno() for each in (theirs, listener) if each is not None]
        self._kind = kind
        self._process: subprocess.Popen | None = subprocess.Popen(
            [sys.executable, "-m", "spikewright.live.watch", kind, str(theirs.fileno())],
            pass_fds=passed)
        theirs.close()
        self._socket.sendall(to_line({
            "models": [str(real_path(folder)) for folder in models], "affine": affine,
            "listener": listener and listener.fileno(), "token": token}))
        if self._socket.recv(1) != READY:
            self.close()
            raise InputError(f"View must start, not end at once: the {kind} has its reason above")
        self._socket.setblocking(False)

    def send(self, answer: Answer) -> None:
        """Show an answer."""
        self.counts["answers not shown"] += not self._put(answer.record)

    def note(self, facts: dict) -> None:
        """Show the facts about the session."""
        self._waiting += to_line({"facts": facts})      # it is needed, whatever waits

    def notice(self, text: str) -> None:
        """Show a line for the user, on standard error too if this view leaves it free."""
        if self._kind == "page" or self._process is None:
            say(text)
        self._notices = [*self._notices, f"{time.strftime('%H:%M:%S')} {text}"][-NOTICES:]

    def serve(self, loop: Loop) -> None:
        """Do what the users of the view want, and report the counters."""
        for command in self._commands():
            self._obey(loop, command)
        now = time.perf_counter()
        if now - self._reported > EVERY:
            self._reported = now
            if self._process is not None and self._process.poll() is not None:
                self._process = None
                self.notice("the view has ended; decoding goes on")
            totals = loop.totals
            self._put(to_line({"status": {
                "paused": loop.paused, "steps": totals.steps, "spikes": totals.spikes,
                "late": totals.late, "counts": loop.counts(), "notices": self._notices,
                "from_bin": totals.from_bin.report(), "from_spike": totals.from_spike.report()}}))

    def close(self) -> None:
        """End the view."""
        self._socket.close()
        if self._process is not None:
            self._process.wait()

    def _put(self, line: bytes) -> bool:
        """Send a line, now or later: whether there is room for it."""
        if len(self._waiting) + len(line) > MOST_WAITING:
            return False
        self._waiting += line
        with contextlib.suppress(OSError):      # it is busy, or it has ended
            del self._waiting[:self._socket.send(self._waiting)]
        return True

    def _commands(self) -> list[dict]:
        try:
            self._coming += self._socket.recv(MOST_BYTES)
        except OSError:
            return []
        *lines, self._coming = self._coming.split(b"\n")
        return [json.loads(line) for line in lines]

    def _obey(self, loop: Loop, command: dict) -> None:
        match command:
            case {"do": "pause"}:
                loop.pause(True)
            case {"do": "resume"}:
                loop.pause(False)
            case {"do": "reset"}:
                loop.reset()
            case {"do": "stop"}:
                loop.stop()
            case {"do": "load", "model": int(number)} if 0 <= number < len(self._models):
                try:
                    loop.load(self._models[number])
                except InputError as error:
                    self.notice(f"not loaded: {error}")


def say(text: str) -> None:
    """Print a line for the user on standard error."""
    print(f"live: {text}", file=sys.stderr, flush=True)


def listener(text: str, token: str | None) -> tuple[socket.socket, str]:
    """A socket that listens for the page at ``[HOST:]PORT``, and the address of the page.

    Raises
    ------
    InputError
        If the address is not free, or others can reach it and there is no ``token``.
    """
    host, port = address(text, text)
    if token is None and not is_loopback(host):
        raise InputError(f"Page must be on this computer alone, such as {port}, or have "
                         f"--token-file, not {text!r}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        # Python adds the address to the reason.
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise InputError(f"Page must have an address of this computer that is free, not {text!r}: "
                         f"{reason}") from None
    shown = f"[{host}]" if ":" in host else host
    return listening, f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
