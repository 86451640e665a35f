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


def test_fine_tuned_integers_decode_as_the_float_network():
    """The losses that docs/accuracy.md tells: at most 0.005 with 8 bits, 0.01 with 4."""
    rows = load_ladder(KEPT / "tuned.json")["mean"]
    r2   = {row["rung"]: sum(row["decoding_r2"]) / 2 for row in rows}
    lost = {rung: r2["fp32"] - r2[rung] for rung in ("int8", "int4", "int4 tuned")}
    assert lost["int8"] <= 0.005 and lost["int4 tuned"] <= 0.01
    assert ("`int8` loses {int8:.3f}, `int4` {int4:.3f} and `int4 tuned` {0:.3f}".format(
        lost["int4 tuned"], **lost) in " ".join(PAGE.read_text().split()))


def test_kept_hardware_equals_golden():
    for path in KEPT.glob("*.json"):
        for row in load_ladder(path)["mean"]:
            assert all(row[kind] is None or row[kind]["equal"] for kind in ("rtl", "gates"))
