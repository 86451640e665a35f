# SPDX-License-Identifier: Apache-2.0
"""Tables of docs/accuracy.md."""

from pathlib import Path

from docs.make.ladders import KEPT, ladder_tables
from docs.make.tables import render
from spikewright.verify.ladder.table import TABLES, load_ladder

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"


def test_tables_are_those_of_the_kept_ladders():
    """Stale tables fail here: run make tables."""
    text = PAGE.read_text()
    assert render(text, {}, ladder_tables()) == text
    for name in (path.stem for path in KEPT.glob("*.json")):
        assert any(f"<!-- table: {name}_{table} -->" in text for table in TABLES)


def test_kept_hardware_equals_golden():
    for path in KEPT.glob("*.json"):
        for row in load_ladder(path)["mean"]:
            assert all(row[kind] is None or row[kind]["equal"] for kind in ("rtl", "gates"))
