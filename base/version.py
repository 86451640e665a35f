# SPDX-License-Identifier: Apache-2.0
"""Version and commit of Spikewright, for `spikewright --version` and for the files it makes."""

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

__all__ = ["commit", "maker", "version"]

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """Version of the package, such as ``0.2.0``. If it is not installed, ``unknown``."""
    try:
        return metadata.version("spikewright")
    except metadata.PackageNotFoundError:
        return "unknown"


@cache
def commit() -> str | None:
    """Commit of the source checkout. ``-dirty`` follows if a file was changed.

    None without a checkout, for example after an installation from a wheel.
    """
    if not (ROOT / ".git").exists():
        return None
    try:
        number = _git("rev-parse", "--short=7", "HEAD")
        return number + ("-dirty" if _git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def maker() -> dict[str, str | None]:
    """``version`` and ``commit``, for files that this Spikewright makes."""
    return {"version": version(), "commit": commit()}


def _git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], check=True, text=True,
                          capture_output=True, timeout=10).stdout.strip()
