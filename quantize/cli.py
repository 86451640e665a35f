# SPDX-License-Identifier: Apache-2.0
"""What every command of the project shares: how bad input is told, and how files are written."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["InputError", "run_command", "written_file", "written_folder"]


class InputError(ValueError):
    """Something a user gave cannot be used; the message is one line that says what to change."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command's ``main``: bad input ends in one line and exit status 2, never a traceback."""
    try:
        main()
    except InputError as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        sys.exit(_fail(f"{error.filename or 'File'} cannot be used: {error.strerror or error}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 2


@contextlib.contextmanager
def written_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the name only when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; it replaces ``path`` only when the block succeeds.

    Raises
    ------
    InputError
        If ``path`` exists and holds files that this project did not make.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not _ours(path))):
        raise InputError(f"Output folder must be new, empty or made by this command, not {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _ours(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("manifest.json", "report.json", "rom.json"))
