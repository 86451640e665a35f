# SPDX-License-Identifier: Apache-2.0
"""The workers for jobs: cores of this machine, or a Dask cluster."""

import contextlib
import importlib.util
import logging
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Thread

from spikewright.base.errors import InputError
from spikewright.base.tools import end_tools

__all__ = ["workers"]

PATIENCE = 10       # seconds for a scheduler to answer


@contextlib.contextmanager
def workers(jobs: int, scheduler: str | None) -> Iterator[Executor]:
    """Give an executor. Jobs that have not begun at the end of the block are dropped.

    If an exception ends the block, the tools of the other jobs are ended, too.

    Parameters
    ----------
    jobs : int
        Tools at a time on this machine. Each is a process, and a thread waits for it.
    scheduler : str or None
        Address of a Dask scheduler, such as ``tcp://host:8786``, whose workers have this project
        installed. None for this machine.

    Raises
    ------
    InputError
        If the scheduler does not answer, or Dask is not installed.
    """
    if scheduler is None:
        threads = ThreadPoolExecutor(jobs)
        try:
            yield threads
        except BaseException:
            _end(threads)
            raise
        finally:
            threads.shutdown(cancel_futures=True)
        return
    if importlib.util.find_spec("distributed") is None:
        raise InputError("Package distributed must be installed for --scheduler, not missing: run "
                         "pip install -e '.[cluster]'")
    from distributed import Client
    # Dask's own message about a missing scheduler is a page long.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"Scheduler must answer within {PATIENCE} seconds, not be silent at "
                         f"{scheduler!r}") from error
    with client, client.get_executor(pure=False) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False)
            raise


def _end(threads: ThreadPoolExecutor) -> None:
    """End all jobs. A job may start another tool after one that was ended."""
    left = Thread(target=threads.shutdown, kwargs={"cancel_futures": True})
    left.start()
    while left.is_alive():
        end_tools()
        left.join(0.1)
