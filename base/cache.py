# SPDX-License-Identifier: Apache-2.0
"""Where compiled code is kept: in the cache folder of the user, not in the folder of the work."""

import atexit
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import platformdirs
from numba import njit

from .files import as_path

__all__ = ["cache_folder", "compiled"]


def cache_folder(given: str | Path | None = None) -> Path:
    """Return the folder of compiled hardware: ``given``, or the one in the user's cache folder.

    If that cannot be written, the folder is a temporary one until the program ends, and a line on
    standard error says so.
    """
    return _users_folder() if given is None else as_path(given)


def compiled(nogil: bool = False) -> Callable[[Callable], Callable]:
    """Compile a function with numba, and keep the machine code if there is a place for it."""
    def compile_(function: Callable) -> Callable:
        try:
            return njit(cache=True, nogil=nogil)(function)
        except RuntimeError:        # neither __pycache__ nor the user's cache can be written
            return njit(nogil=nogil)(function)
    return compile_


@cache
def _users_folder() -> Path:
    folder = Path(platformdirs.user_cache_dir("spikewright", appauthor=False)) / "hardware"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 16))
    except OSError as error:
        temporary = Path(tempfile.mkdtemp(prefix="spikewright-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        print(f"note: compiled hardware is not kept, because {folder} cannot be written "
              f"({error.strerror}): set XDG_CACHE_HOME to a folder that can", file=sys.stderr)
        return temporary
    return folder
