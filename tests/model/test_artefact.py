# SPDX-License-Identifier: Apache-2.0

import dataclasses
import functools
import json
import os

import numpy as np
import pytest
from spikewright.model.artefact import load_artefact, load_manifest, load_network, save_artefact
from spikewright.network.network import INPUT
from spikewright.quantize.compile import compile_network

from tests.networks import deep_model, make_network, refused, tiny_network

FILES = ["manifest.json", "network.npz", "tables.npz"]


def _same(one, other):
    """Two dataclasses are equal in every field, arrays in type and value too."""
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype and np.array_equal(a, b), field.name
        elif isinstance(a, tuple):
            assert len(a) == len(b), field.name
            for x, y in zip(a, b, strict=True):
                _same(x, y)
        else:
            assert a == b, field.name


@functools.cache
def _compiled(seed, name):
    return compile_network(tiny_network(seed), name=name)


@pytest.fixture
def folder(tmp_path):
    save_artefact(tmp_path / "model", *_compiled(0, "net"))
    return tmp_path / "model"


def test_artefact_round_trip(tmp_path):
    model, network, facts = compile_network(tiny_network(0), name="Ünï – net")
    manifest = save_artefact(tmp_path / "new" / "model", model, network, facts)
    again, read = load_artefact(tmp_path / "new" / "model")
    _same(model, again)
    _same(network, load_network(tmp_path / "new" / "model"))
    assert read == json.loads(json.dumps(manifest))
    assert set(facts) < set(read)
    assert sorted(p.name for p in (tmp_path / "new" / "model").iterdir()) == FILES
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["model"]


@pytest.mark.parametrize("seed", range(3))
def test_artefact_round_trip_of_a_deep_model(tmp_path, seed):
    network = make_network(seed, {"a.b": 3, "a": 2, "out": 2}, [
        (INPUT, "a.b", 0), ("a.b", "a", 1), ("a.b", "a", 2), ("a", "out", 0), ("a", "out", 0)])
    model = deep_model(seed)
    save_artefact(tmp_path / "model", model, network, {})
    _same(model, load_artefact(tmp_path / "model")[0])
    _same(network, load_network(tmp_path / "model"))


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
    renamed = dataclasses.replace(model, name="other")
    hashes.add(save_artefact(tmp_path / "a", renamed, network, {})["model_hash"])
    assert len(hashes) == 4


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


def _rewrite(path, change):
    with np.load(path) as file:
        tables = dict(file)
    change(tables)
    np.savez(path, **tables)


@pytest.mark.parametrize("change", [
    lambda t: t["1.input.hidden.weights"].__setitem__((0, 0), 99),
    lambda t: t["hidden.threshold"].__setitem__(3, 1),
    lambda t: t["output_scale"].__setitem__(0, 1.0),
    lambda t: t.update({"channel_row": t["channel_row"][::-1].copy()}),
    lambda t: t.update({"readout.synaptic_decay": t["readout.synaptic_decay"].astype(np.int32)}),
    lambda t: t.update({"0.hidden.hidden.weights": t["0.hidden.hidden.weights"].reshape(25)}),
    lambda t: t.update({"hidden.kepu": t.pop("hidden.kept")}),
    lambda t: t.pop("hidden.kept"),
    lambda t: t.update({"further": np.zeros(1)}),
])
def test_artefact_changed_table(folder, change):
    wanted = load_manifest(folder)["model_hash"][:16]
    _rewrite(folder / "tables.npz", change)
    with pytest.raises(ValueError, match=f"tables.npz must have hash {wanted}, as the manifest "
                                         "says, not [0-9a-f]{16}: it was changed, build the "
                                         "model again$"):
        load_artefact(folder)


@pytest.mark.parametrize("change", [
    lambda m: m["model"].update(lead_steps=0),
    lambda m: m["model"]["widths"].update(fraction=0),
    lambda m: m["model"]["projections"][0].update(delay=4),
    lambda m: m["model"]["projections"][0].update(shift=1),
    lambda m: m.update(table_bits=1),
    lambda m: m.update(model_hash="0" * 64),
    lambda m: m.update(model_hash=None),
    lambda m: m["checkpoint"].update(sha256="0" * 64),
    lambda m: m.pop("model"),
])
def test_artefact_changed_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text()), "checkpoint": {}}
    change(manifest)
    path.write_text(json.dumps(manifest))
    for load in (load_artefact, load_manifest, load_network):
        with refused(f"{path} must be as it was written, not changed: build the model again"):
            load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "{}", '{"schema": 1}', "\udcff",
                                  "[" * 100000])
def test_artefact_damaged_manifest(folder, text):
    path = folder / "manifest.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with refused(f"{path} must be the manifest of a model, not a damaged file"):
        load_manifest(folder)


@pytest.mark.parametrize("schema", [0, 2, None, "1"])
def test_artefact_wrong_schema(folder, schema):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))
    with refused(f"{path} schema must be 1, not {schema!r}: build the model again"):
        load_artefact(folder)


@pytest.mark.parametrize("name, load", [("tables.npz", load_artefact),
                                        ("network.npz", load_network)])
def test_artefact_missing_file(folder, name, load):
    (folder / name).unlink()
    with refused(f"Model {folder} must hold {name}; it is missing"):
        load(folder)


def test_artefact_that_is_no_model(tmp_path):
    for path in (tmp_path, tmp_path / "gone"):
        with refused("Model must be a folder made by 'python -m quantize build', not "
                     f"{str(path)!r}: it has no manifest.json"):
            load_artefact(path)


def test_artefact_is_never_half_written(folder, monkeypatch):
    """A failure while writing leaves the old model whole, and nothing else beside it."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    model, network, facts = _compiled(1, "other")
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
        save_artefact(folder, *_compiled(1, "other"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_artefact_replaces_a_model_as_a_whole(folder):
    (folder / "stale").touch()
    save_artefact(folder, *_compiled(1, "other"))
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert load_manifest(folder)["model"]["name"] == "other"


@pytest.mark.parametrize("name, text", [
    ("notes.txt", "mine"), ("manifest.json", "{}"), ("manifest.json", '{"name": "a web page"}'),
    ("manifest.json", "not JSON"), ("rom.json", '{"model_hash": ""}'),
    ("report.json", '{"model_hash": ""}')])
def test_artefact_never_replaces_a_folder_of_others(tmp_path, name, text):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).write_text(text)
    model, network, facts = _compiled(1, "other")
    with refused("Output folder must be new, empty or made by this command, not "
                 f"{tmp_path / 'work'}"):
        save_artefact(tmp_path / "work", model, network, facts)
    assert (tmp_path / "work" / name).read_text() == text


def test_artefact_never_replaces_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    model, network, facts = _compiled(1, "other")
    with refused(f"Output folder must be new, empty or made by this command, not "
                 f"{tmp_path / 'file'}"):
        save_artefact(tmp_path / "file", model, network, facts)
