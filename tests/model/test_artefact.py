# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json
import os

import numpy as np
import pytest

from spikewright.model.artefact import (
    load_artefact,
    load_manifest,
    load_network,
    model_hash,
    save_artefact,
)
from spikewright.network.network import INPUT
from spikewright.quantize.compile import compile_network
from tests.model.parts import compiled, rewrite, same
from tests.networks import (
    MIXED,
    deep_model,
    make_network,
    refused,
    tiny_network,
)

FILES = ["manifest.json", "network.npz", "tables.npz"]


def test_artefact_round_trip(tmp_path):
    model, network, facts = compile_network(tiny_network(0), name="Ünï – net")
    manifest = save_artefact(tmp_path / "new" / "model", model, network, facts)
    again, read = load_artefact(tmp_path / "new" / "model")
    same(model, again)
    same(network, load_network(tmp_path / "new" / "model"))
    assert read == json.loads(json.dumps(manifest))
    assert set(facts) < set(read)
    assert sorted(p.name for p in (tmp_path / "new" / "model").iterdir()) == FILES
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["model"]


@pytest.mark.parametrize("seed", range(3))
def test_artefact_round_trip_of_a_deep_model(tmp_path, seed):
    network = make_network(seed, {"a.b": 3, "a": 2, "out": 2}, [
        (INPUT, "a.b", 0), ("a.b", "a", 1), ("a.b", "a", 2), ("a", "out", 0), ("a", "out", 0)])
    model = deep_model(seed, None, MIXED)
    save_artefact(tmp_path / "model", model, network, {})
    same(model, load_artefact(tmp_path / "model")[0])
    same(network, load_network(tmp_path / "model"))


def test_artefact_hash_follows_the_tables(tmp_path):
    model, network, _ = compile_network(tiny_network(0), name="net")
    first = save_artefact(tmp_path / "a", model, network, {})
    again = save_artefact(tmp_path / "b", model, network, {"note": 1})
    assert first["model_hash"] == again["model_hash"] and len(first["model_hash"]) == 64
    hashes = {first["model_hash"]}
    model.projections[0].weights[1, 2] ^= 1
    hashes.add(save_artefact(tmp_path / "a", model, network, {})["model_hash"])
    model.populations[1].synaptic_decay[0] -= 1
    hashes.add(save_artefact(tmp_path / "a", model, network, {})["model_hash"])
    model.readout[0, 1] = 0.5
    hashes.add(save_artefact(tmp_path / "a", model, network, {})["model_hash"])
    shape = [dataclasses.replace(model.projections[0], bits=7), *model.projections[1:]]
    narrow = dataclasses.replace(model, projections=tuple(
        dataclasses.replace(p, weights=p.weights // 2) for p in shape))
    hashes |= {model_hash(narrow), model_hash(dataclasses.replace(narrow, lead_steps=4))}
    assert len(hashes) == 6


def test_artefact_hash_does_not_depend_on_the_name(tmp_path):
    """A name may come from a file name, and a locale may write it in another encoding."""
    model, network, facts = compiled(0, "net")
    renamed = dataclasses.replace(model, name="Ünï – net")
    first = save_artefact(tmp_path / "a", model, network, facts)
    other = save_artefact(tmp_path / "b", renamed, network, facts)
    assert first["model_hash"] == other["model_hash"] == model_hash(model)
    assert first["manifest_hash"] != other["manifest_hash"]
    assert load_artefact(tmp_path / "b")[0].name == "Ünï – net"


@pytest.mark.parametrize("name, load", [("tables.npz", load_artefact),
                                        ("network.npz", load_network)])
@pytest.mark.parametrize("share", [0, 0.2, 0.7, 0.99])
def test_artefact_truncated(folder, name, load, share):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:int(share * len(whole))])
    with refused(f"{folder / name} must be a whole file, not a truncated or damaged one: build "
                 "the model again"):
        load(folder)


def test_artefact_damaged_anywhere(folder):
    path, rng = folder / "tables.npz", np.random.default_rng(0)
    whole, refusals = path.read_bytes(), 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            load_artefact(folder)
        except ValueError as error:
            assert str(error).startswith(f"{path} must ")
            refusals += 1
    assert refusals > 100


@pytest.mark.parametrize("change", [
    lambda t: t["1.input.hidden.weights"].__setitem__((0, 0), 99),
    lambda t: t["hidden.threshold"].__setitem__(3, 1),
    lambda t: t["readout"].__setitem__((0, 0), 1.0),
    lambda t: t.update({"channel_row": t["channel_row"][::-1].copy()}),
    lambda t: t.update({"readout.synaptic_decay": t["readout.synaptic_decay"].astype(np.int32)}),
    lambda t: t.update({"0.hidden.hidden.weights": t["0.hidden.hidden.weights"].reshape(25)}),
    lambda t: t.update({"hidden.kepu": t.pop("hidden.kept")}),
    lambda t: t.pop("hidden.kept"),
    lambda t: t.update({"further": np.zeros(1)}),
])
def test_artefact_changed_table(folder, change):
    wanted = load_manifest(folder)["model_hash"][:16]
    rewrite(folder / "tables.npz", change)
    with pytest.raises(ValueError, match=f"tables.npz must have hash {wanted}, as the manifest "
                                         "says, not [0-9a-f]{16}: it was changed, build the "
                                         "model again$"):
        load_artefact(folder)


@pytest.mark.parametrize("name, load", [("tables.npz", load_artefact),
                                        ("network.npz", load_network)])
def test_artefact_missing_file(folder, name, load):
    (folder / name).unlink()
    with refused(f"Model {folder} must hold {name}; it is missing"):
        load(folder)


def test_artefact_that_is_no_model(tmp_path):
    for name in ("net.pth", "net.json", "a.npz", "manifest.json"):
        (tmp_path / name).write_text("{}")
    network = tmp_path / "net.pth"
    for path, told in (
            (tmp_path.parent, f"{str(tmp_path.parent)!r}: it has no manifest.json"),
            (tmp_path / "gone", f"'{tmp_path}/gone': there is none"),
            (tmp_path / "gone.pth", f"'{tmp_path}/gone.pth': there is none"),
            (network, (f"the network file '{network}': round it with 'spikewright quantize "
                       f"{network} -o MODEL'")),
            (tmp_path / "net.json", (f"the network file '{tmp_path}/net.json': round it with "
                                     f"'spikewright quantize {tmp_path}/net.json -o MODEL'")),
            (tmp_path / "a.npz", f"the file '{tmp_path}/a.npz'"),
            (tmp_path / "manifest.json", f"the file '{tmp_path}/manifest.json'")):
        with refused(f"Model must be a folder made by 'spikewright quantize', not {told}"):
            load_artefact(path)


def test_artefact_is_never_half_written(folder, monkeypatch):
    """After a failure while writing, the old model is whole, and there are no other files."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    model, network, facts = compiled(1, "other")
    save, calls = np.savez_compressed, []

    def fail_on_the_second(*arguments, **tables):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        save(*arguments, **tables)
    monkeypatch.setattr(np, "savez_compressed", fail_on_the_second)
    with pytest.raises(OSError, match="No space left"):
        save_artefact(folder, model, network, facts)
    assert len(calls) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_artefact_comes_back_when_the_new_one_cannot_take_its_place(folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    replace, calls = os.replace, []

    def fail_on_the_second(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        replace(source, target)
    monkeypatch.setattr(os, "replace", fail_on_the_second)
    with pytest.raises(OSError, match="No space left"):
        save_artefact(folder, *compiled(1, "other"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_artefact_replaces_a_model_as_a_whole(folder):
    (folder / "stale").touch()
    save_artefact(folder, *compiled(1, "other"))
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert load_manifest(folder)["model"]["name"] == "other"


@pytest.mark.parametrize("name, text", [
    ("notes.txt", "mine"), ("manifest.json", "{}"), ("manifest.json", '{"name": "a web page"}'),
    ("manifest.json", "not JSON"), ("rom.json", '{"model_hash": ""}'),
    ("report.json", '{"model_hash": ""}')])
def test_artefact_never_replaces_a_folder_of_others(tmp_path, name, text):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).write_text(text)
    model, network, facts = compiled(1, "other")
    with refused("Output folder must be new, empty or made by this command, not "
                 f"{tmp_path / 'work'}"):
        save_artefact(tmp_path / "work", model, network, facts)
    assert (tmp_path / "work" / name).read_text() == text


def test_artefact_never_replaces_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    model, network, facts = compiled(1, "other")
    with refused(f"Output folder must be new, empty or made by this command, not "
                 f"{tmp_path / 'file'}"):
        save_artefact(tmp_path / "file", model, network, facts)
