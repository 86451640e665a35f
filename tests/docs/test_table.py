# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from docs.make.tables import read_reports, render, update
from tests.networks import refused

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page, tables", [("README.md", 1), ("docs/performance.md", 4)])
def test_tables_are_those_of_the_kept_reports(page, tables):
    """Stale tables fail here: run make tables."""
    text = (ROOT / page).read_text()
    assert text.count("<!-- table: ") == text.count("<!-- end -->") == tables
    assert render(text, read_reports()) == text


def test_table_of_the_boards_is_up_to_date():
    text = (ROOT / "docs" / "boards.md").read_text()
    assert text.count("<!-- table: boards -->") == 1
    assert render(text, {}) == text


def test_update_makes_a_stale_table_anew(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table: area -->\nold\n<!-- end -->\nafter\n")
    assert update(page, read_reports())
    text = page.read_text()
    assert text.startswith("before\n<!-- table: area -->\n| build |")
    assert text.endswith("<!-- end -->\nafter\n") and "old" not in text
    assert not update(page, read_reports())


def test_unknown_table_is_refused():
    with refused("Table must be one of area, change, short, accuracy, boards, power, not 'speed'"):
        render("<!-- table: speed -->\n<!-- end -->", read_reports())


def test_no_reports(tmp_path):
    with refused(f"Reports must be .json files in {tmp_path}, not missing"):
        read_reports(tmp_path)
