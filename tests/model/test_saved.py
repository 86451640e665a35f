# SPDX-License-Identifier: Apache-2.0
"""A model folder: integers, network and facts of one manifest."""

import pytest

from spikewright.model import artefact
from spikewright.model.artefact import load_artefact, load_network, save_artefact
from spikewright.model.saved import Model
from tests.model.parts import compiled, same
from tests.networks import refused


def test_model_of_a_folder(folder, tmp_path):
    model = Model.load(folder)
    same(model.integers, load_artefact(folder)[0])
    assert repr(model) == "<Model 'net': 6 -> 5 -> 2>"
    same(model.network, load_network(folder))
    assert model.save(tmp_path / "again") == load_artefact(folder)[1]


@pytest.mark.parametrize("name", ["tables.npz", "network.npz"])
def test_folder_that_is_replaced_meanwhile_is_refused(folder, monkeypatch, name):
    """The integers of one model with the network of another are refused."""
    read = artefact.read_arrays

    def read_arrays(path):
        if path.name == name:
            save_artefact(folder, *compiled(1, "other"))
        return read(path)

    key = {"tables.npz": "model_hash", "network.npz": "network_hash"}[name]
    old = load_artefact(folder)[1][key]
    new = save_artefact(folder.with_name("other"), *compiled(1, "other"))[key]
    monkeypatch.setattr(artefact, "read_arrays", read_arrays)
    with refused(f"{folder / name} must have hash {old[:16]}, as the manifest says, not "
                 f"{new[:16]}: it was changed, build the model again"):
        Model.load(folder)
