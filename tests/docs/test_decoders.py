# SPDX-License-Identifier: Apache-2.0
"""The table of decoders is that of the kept figures."""

import json

from docs.make.decoders import KEPT, Row, draw, table
from docs.make.kept import ROOT


def test_page_has_the_table():
    """A stale table fails here: run python -m docs.make.decoders."""
    rows = [Row(**row) for row in json.loads(KEPT.read_text(encoding="utf-8"))]
    assert table(rows).strip() in (ROOT / "docs" / "decoders.md").read_text(encoding="utf-8")


def test_columns_without_figures_are_left_out(tmp_path):
    row = Row(title="ANN", r2=0.5, r2_integers=None, weights=3, dense=3.0, macs=2.0, acs=1.0,
              cycles=None, most=None, waits=1)
    assert table([row]).splitlines() == [
        "| decoder | R2: float64 | weights | MACs, ACs a step, of all | waits |",
        "| --- | --- | --- | --- | --- |",
        "| ANN | 0.500 | 3 | 2, 1 of 3 | 1 step |"]
    draw([row], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
