# SPDX-License-Identifier: Apache-2.0
"""A folder of an older version can still be read."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.model.artefact import load_artefact, load_manifest, load_network, model_hash
from spikewright.model.integers import Widths
from spikewright.model.summary import summary
from spikewright.network.retime import retime
from spikewright.quantize.compile import compile_network
from tests.model.parts import rehash, rewrite, same
from tests.networks import refused, tiny_network

SCHEMA1 = Path(__file__).parent / "data" / "schema1"


def test_artefact_of_schema_1():
    """In that version, a projection had no bits and a model no readout."""
    model, manifest = load_artefact(SCHEMA1)
    written = json.loads((SCHEMA1 / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["model_hash"] == written["model_hash"] != model_hash(model)
    assert written["model"]["widths"]["narrow"] == {"input->hidden": 3, "hidden->readout": 4}
    assert manifest["schema"] == 2 and manifest == load_manifest(SCHEMA1)
    assert not {"tables", "table_bits"} & manifest.keys()
    assert [(p.title, p.delay, p.bits, p.shift) for p in model.projections] == [
        ("hidden->hidden", 3, 7, 0), ("input->hidden", 0, 3, 3), ("hidden->readout", 0, 4, 0)]
    assert model.widths == Widths(weight=7, fraction=5)
    with np.load(SCHEMA1 / "tables.npz") as file:
        assert np.array_equal(model.readout, np.diag(file["output_scale"]))
        assert np.array_equal(model.projections[1].weights, file["1.input.hidden.weights"])
    network = load_network(SCHEMA1)
    assert np.array_equal(network.readout, np.eye(2)) and network.lead_steps == 5
    same(network, retime(tiny_network(0)))
    assert "weights 7 and 4 and 3 bits" in summary(manifest)


def test_artefact_of_schema_1_is_compiled_alike_today():
    """The same integers, thresholds and decays come from the same network."""
    old, _ = load_artefact(SCHEMA1)
    new, _, _ = compile_network(
        tiny_network(0), name="fixture", widths=Widths(weight=7, fraction=0),
        projection_bits={"input": 3, "output": 4})
    same(old, new)


@pytest.mark.parametrize("name, load, message", [
    ("tables.npz", load_artefact, "must have hash 69f816b771bca8ac, as the manifest says"),
    ("network.npz", load_network, "must have hash 5ded0619853c6118, as the manifest says"),
    ("manifest.json", load_manifest, "must be as it was written, not changed"),
])
def test_artefact_of_schema_1_that_was_changed(tmp_path, name, load, message):
    folder = tmp_path / "old"
    shutil.copytree(SCHEMA1, folder)
    if name == "manifest.json":
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace("fixture", "another"),
                        encoding="utf-8")
    else:
        rewrite(folder / name, lambda t: t["hidden.threshold"].__iadd__(1))
    with pytest.raises(InputError, match=message):
        load(folder)


def test_artefact_of_schema_1_with_entries_missing(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(SCHEMA1, folder)
    rehash(folder, lambda manifest, tables: manifest["model"].pop("widths"))
    with refused(f"{folder / 'manifest.json'} must be the manifest of a model, not a damaged "
                 "file"):
        load_artefact(folder)
