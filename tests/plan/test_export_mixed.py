# SPDX-License-Identifier: Apache-2.0
"""Export of a model whose projections have weights of several widths."""

import numpy as np

from spikewright.plan.export import export_rom
from spikewright.plan.layout import Layout
from tests.networks import MIXED, deep_model


def test_export_of_mixed_widths(tmp_path):
    """A memory for each width. The width of a projection decides its memory."""
    model = deep_model(0, None, MIXED)
    index = export_rom(tmp_path / "rom", model, "0" * 64, 4)
    layout = Layout(model=model, lanes=4)
    assert {name: memory["bits"] for name, memory in index["memories"].items()} == {
        "weights": 20, "weights_3": 12, "weights_2": 8, "neurons": 17}
    for name, bits in (("weights", 5), ("weights_3", 3), ("weights_2", 2)):
        lines = (tmp_path / "rom" / f"{name}.mem").read_text().splitlines()
        assert f"weights of {bits} bits" in lines[1]
        assert [int(line, 16) for line in lines[2:]] == layout.images[bits].dense
        assert index["memories"][name]["words"] == len(layout.images[bits].dense)
    assert {path.name for path in (tmp_path / "rom").iterdir()} == {"rom.json", *index["files"]}
    assert [(p["weight_bits"], p["weight_base"]) for p in index["projections"]] == [
        (table.bits, table.first) for table in layout.tables]
    header = (tmp_path / "rom" / "rom.svh").read_text()
    for text in ("WEIGHT_WORDS = ", "WEIGHT_3_WORD_BITS = 12;", "NEURON_WORDS = 20;",
                 "INPUT_TO_FIRST_WEIGHT_BITS = 3;", "WEIGHT_BITS = 5;"):
        assert f" DEEP_0_{text}" in header
    with np.load(tmp_path / "rom" / "rom.npz") as file:
        assert int(file["weight_bits"]) == 5
