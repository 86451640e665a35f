# SPDX-License-Identifier: Apache-2.0
"""Tables of the docs, made from kept ladders."""

from collections.abc import Callable
from pathlib import Path

from spikewright.report.markdown import markdown
from spikewright.verify.ladder.table import TABLES, load_ladder

__all__ = ["KEPT", "ladder_tables"]

KEPT = Path(__file__).parents[2] / "docs" / "ladders"


def ladder_tables(folder: Path = KEPT) -> dict[str, Callable[[dict], str]]:
    """Tables ``<ladder>_<table>`` of the ladders in ``folder``; they need no reports."""
    return {f"{path.stem}_{name}": _from(path, table)
            for path in sorted(Path(folder).glob("*.json")) for name, table in TABLES.items()}


def _from(path: Path, table: Callable) -> Callable[[dict], str]:
    return lambda _: markdown(table(load_ladder(path)))
