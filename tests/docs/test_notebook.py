# SPDX-License-Identifier: Apache-2.0
"""The example notebook: its cells run, one after another, in a folder of their own."""

import json
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "first_decoder.ipynb"


def cells(kind):
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_notebook_has_no_outputs():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells("code"))


def test_cells_run(tmp_path, monkeypatch, capsys):
    """Its own assertions hold the compiled RTL to golden."""
    matplotlib.use("Agg")
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, cell in enumerate(cells("code")):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    printed = capsys.readouterr().out
    assert "8 bits: 0.9" in printed and "4 bits: 0." in printed
    assert {path.name for path in tmp_path.iterdir()} >= {"model", "decoded.png"}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    import matplotlib.pyplot as plt
    plt.close("all")
