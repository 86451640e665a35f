# SPDX-License-Identifier: Apache-2.0
"""Progress of tools and simulators: a line with the time left on a terminal, one line elsewhere."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from tqdm import tqdm

__all__ = ["Estimate", "progress", "quietly"]

PAUSE = 0.5                             # seconds between two updates of the line

# Whether `progress` shows nothing in this thread.
_QUIET = ContextVar("_QUIET", default=False)


class Estimate:
    """Estimate of the time left.

    It begins with what the work usually takes. The more is done, the more the time so far counts
    in its place, so that the estimate also holds on a slow machine.

    Parameters
    ----------
    usual : float
        Seconds that the work usually takes.
    share : callable
        Gives the share of the time that has passed, 0 to 1. None: the work has not begun.
    """

    def __init__(self, usual: float, share: Callable[[], float | None] = lambda: 0.0) -> None:
        self.usual = usual
        self._share = share
        self._begin: float | None = None
        self._known = -1.0              # the share from which `_end` follows
        self._end = 0.0

    def left(self, now: float) -> str:
        """The time left in words. ``now`` is a time in seconds, later in each call."""
        share = self._share()
        if share is None:
            return ""
        if self._begin is None:
            self._begin = now
        if share > self._known:
            passed = now - self._begin
            self._known = share
            self._end = now + (1 - share) * (self.usual * (1 - share) + passed)
        left = self._end - now
        return f"{_about(left)} left" if left > 0 else "longer than expected"

    def whole(self) -> str:
        """The time that the work usually takes, in words."""
        return _about(self.usual)


def _about(seconds: float) -> str:
    """``seconds`` in words. Long times are rounded, because no estimate is that exact."""
    if seconds > 90:
        return f"about {round(seconds / 60)} min"
    step = 5 if seconds > 10 else 1
    return f"about {max(round(seconds / step) * step, 1)} s"


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Let `progress` show nothing in the block. This is for several tools at the same time.

    Other threads are not affected.
    """
    token = _QUIET.set(True)
    try:
        yield
    finally:
        _QUIET.reset(token)


@contextlib.contextmanager
def progress(title: str, *, total: int | None = None, done: Callable[[], int] = lambda: 0,
             estimate: Estimate | None = None) -> Iterator[None]:
    """Show ``title`` while the block runs.

    With ``total``, a terminal shows a bar with the time left. ``done`` then gives how much of
    ``total`` is done. With ``estimate``, it shows the time left in words.
    """
    if _QUIET.get():
        yield
        return
    if not sys.stderr.isatty():
        expected = f", {estimate.whole()}" if estimate else ""
        print(f"{title}{expected}", file=sys.stderr, flush=True)
        yield
        return
    form = {} if total else {"bar_format": "{desc} {elapsed}{postfix}"}
    with tqdm(desc=title, total=total, unit="step", leave=False, **form) as bar:
        end = threading.Event()

        def look():
            while True:
                bar.n = done()
                if estimate:
                    bar.set_postfix_str(estimate.left(time.monotonic()), refresh=False)
                bar.refresh()
                if end.wait(PAUSE):
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
