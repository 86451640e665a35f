# SPDX-License-Identifier: Apache-2.0
"""Progress of a simulator: a bar on a terminal, and one line elsewhere."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

from tqdm import tqdm

__all__ = ["progress"]

PAUSE = 0.5                             # seconds between two updates of the bar


@contextlib.contextmanager
def progress(title: str, *, total: int | None = None,
             done: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Show ``title`` while the block runs.

    With ``total``, the bar also shows the time left. ``done`` then gives how much of ``total`` is
    done.
    """
    if not sys.stderr.isatty():
        print(title, file=sys.stderr, flush=True)
        yield
        return
    form = {} if total else {"bar_format": "{desc} {elapsed}"}
    with tqdm(desc=title, total=total, unit="step", leave=False, **form) as bar:
        end = threading.Event()

        def look():
            while not end.wait(PAUSE):
                bar.n = done()
                bar.refresh()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
