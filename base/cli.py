# SPDX-License-Identifier: Apache-2.0
"""What every command of the project shares: how bad input is told, and how files are written."""

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["CommandParser", "InputError", "baud", "check_file", "check_folder",
           "end_at_mismatches", "megahertz", "output_file", "run_command", "whole_number",
           "written_file", "written_folder"]

# What marks a folder as written by this project: an index, and a key that it has.
INDEXES = {"manifest.json": "model_hash", "report.json": "model_hash", "rom.json": "model_hash",
           "verilog.json": "model_hash", "ladder.json": "rungs"}


class InputError(ValueError):
    """Something a user gave cannot be used; the message is one line that says what to change."""


class CommandParser(argparse.ArgumentParser):
    """An argument parser that tells a wrong argument in one line, and ends with exit status 2."""

    def error(self, message: str):
        sys.exit(_fail(f"{message} (see '{self.prog} --help')"))


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """An argument's type: an integer from ``low`` to ``high``."""
    def convert(text: str) -> int:
        try:
            if low <= int(text) <= high:
                return int(text)
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}, "
                                         f"not {text!r}")
    return convert


def megahertz(text: str) -> float:
    """An argument's type: a clock in MHz."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 1000:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a number of MHz between 0 and 1000, not {text!r}")


def baud(text: str) -> int:
    """An argument's type: bits a second on the serial line, as far as hosts go."""
    return whole_number(9600, 12_000_000)(text)


def output_file(text: str) -> Path:
    """An argument's type: a file to write. What is none is told before the work, not after it."""
    try:
        check_file(Path(text))
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("Output ")) from error
    return Path(text)


def end_at_mismatches(lines: list[str]) -> None:
    """Tell where the hardware does not do what golden does, and end with exit status 1."""
    for line in lines:
        print(f"mismatch: {line}", file=sys.stderr)
    if lines:
        sys.exit(1)


def run_command(main: Callable[[], None]) -> None:
    """Run a command's ``main``: bad input ends in one line and exit status 2, never a traceback.

    Where nobody reads on what it prints, as behind ``| head``, it ends without a word.
    """
    try:
        main()
        _flush()
    except InputError as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        if isinstance(error, BrokenPipeError) and not _is_read():
            _discard_output()
            sys.exit(128 + signal.SIGPIPE)
        sys.exit(_fail(f"{error.filename or 'File'} cannot be used: {error.strerror or error}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _flush() -> None:
    """Print what waits; all is done by then, so that it does not matter whether somebody reads."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()


def _is_read() -> bool:
    """Whether standard output has a reader: another pipe may be the one that broke."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)       # tells of errors only
    return not poll.poll(0)


def _discard_output() -> None:
    """Let Python's own flush at the end find a place for what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 2


@contextlib.contextmanager
def written_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the name only when the block succeeds.

    Raises
    ------
    InputError
        If ``path`` is a folder or a device.
    """
    path = Path(path)
    check_file(path)
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
def written_folder(path: Path, index: str | None = None) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; it replaces ``path`` only when the block succeeds.

    Parameters
    ----------
    path : Path
        New, empty, or a folder that was written by this function.
    index : str, optional
        Name of the file, one of ``INDEXES``, that a folder must have to be replaced; any of them
        where None.

    Raises
    ------
    InputError
        If ``path`` exists and is none of these.
    """
    path = Path(path).resolve()
    check_folder(path, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    retired = temporary.with_name(f"{temporary.name}-old")
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            os.replace(path, retired)
        os.replace(temporary, path)
    finally:
        if retired.exists() and not path.exists():
            os.replace(retired, path)
        for folder in (temporary, retired):
            shutil.rmtree(folder, ignore_errors=True)


def check_file(path: Path) -> None:
    """Refuse, before long work, what `written_file` would refuse after it."""
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "device"
        raise InputError(f"Output must be a file, not the {kind} {str(path)!r}")


def check_folder(path: Path, index: str | None = None) -> None:
    """Refuse, before long work, the folder that `written_folder` would refuse after it."""
    path = Path(path).resolve()
    if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not _ours(path, index))):
        raise InputError(f"Output folder must be new, empty or made by this command, not {path}")


def _ours(folder: Path, index: str | None) -> bool:
    for name in (index,) if index else INDEXES:
        with contextlib.suppress(OSError, ValueError, TypeError):
            if INDEXES[name] in json.loads((folder / name).read_text()):
                return True
    return False
