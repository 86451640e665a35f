# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

from spikewright.verify.ladder.table import KEPT, TABLES, kept_tables, load_ladder

from docs.make.tables import render

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"


def test_tables_are_those_of_the_kept_ladders():
    """Stale tables fail here: run make tables."""
    ladders = {path.stem: load_ladder(path) for path in KEPT.glob("*.json")}
    text = PAGE.read_text()
    assert render(text, ladders, kept_tables()) == text
    for name in ladders:
        assert any(f"<!-- table: {name}_{table} -->" in text for table in TABLES)


def test_kept_hardware_equals_golden():
    for path in KEPT.glob("*.json"):
        for row in load_ladder(path)["mean"]:
            assert all(row[kind] is None or row[kind]["equal"] for kind in ("rtl", "gates"))
