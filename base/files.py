# SPDX-License-Identifier: Apache-2.0
"""Writes files and folders whole or not at all."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError

__all__ = ["check_file", "check_folder", "written_file", "written_folder"]

# What marks a folder as written by this project: an index, and a key that it has.
INDEXES = {"manifest.json": "model_hash", "report.json": "model_hash", "rom.json": "model_hash",
           "verilog.json": "model_hash", "ladder.json": "rungs", "metrics.json": "r2_held_out"}


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
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
            if INDEXES[name] in json.loads((folder / name).read_text(encoding="utf-8")):
                return True
    return False
