# SPDX-License-Identifier: Apache-2.0

import dataclasses
import functools
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from spikewright.base.cli import InputError
from spikewright.model.artefact import (
    load_artefact,
    load_manifest,
    load_network,
    model_hash,
    save_artefact,
)
from spikewright.model.model import Widths
from spikewright.model.summary import summary
from spikewright.network.network import INPUT
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.quantize.compile import compile_network
from spikewright.quantize.integer import quantize
from spikewright.quantize.rounding import compensated

from tests.networks import (
    MIXED,
    deep_model,
    make_network,
    random_recording,
    refused,
    tiny_network,
)

SCHEMA1 = Path(__file__).parent / "data" / "schema1"
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
    model = deep_model(seed, None, MIXED)
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
    model.readout[0, 1] = 0.5
    hashes.add(save_artefact(tmp_path / "a", model, network, {})["model_hash"])
    shape = [dataclasses.replace(model.projections[0], bits=7), *model.projections[1:]]
    narrow = dataclasses.replace(model, projections=tuple(
        dataclasses.replace(p, weights=p.weights // 2) for p in shape))
    hashes |= {model_hash(narrow), model_hash(dataclasses.replace(narrow, lead_steps=4))}
    assert len(hashes) == 6


def test_artefact_hash_does_not_depend_on_the_name(tmp_path):
    """A name may come from a file name, which a locale may spell otherwise."""
    model, network, facts = _compiled(0, "net")
    renamed = dataclasses.replace(model, name="Ünï – net")
    first = save_artefact(tmp_path / "a", model, network, facts)
    other = save_artefact(tmp_path / "b", renamed, network, facts)
    assert first["model_hash"] == other["model_hash"] == model_hash(model)
    assert first["manifest_hash"] != other["manifest_hash"]
    assert load_artefact(tmp_path / "b")[0].name == "Ünï – net"


def test_artefact_hash_does_not_depend_on_the_order_of_keys(folder):
    before, wanted = load_artefact(folder), load_network(folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(_reversed(manifest), ensure_ascii=False), encoding="utf-8")
    _same(load_artefact(folder)[0], before[0])
    _same(load_network(folder), wanted)
    assert load_manifest(folder) == before[1]


def _reversed(value):
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(entry) for entry in value] if isinstance(value, list) else value


def _rehash(folder, change=lambda manifest, tables: None):
    """Change an artefact, and make all of its hashes anew."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    arrays = {}
    for part, name in (("model", "tables.npz"), ("network", "network.npz")):
        with np.load(folder / name) as file:
            arrays[part] = dict(file)
    change(manifest, arrays["model"])
    for part, name in (("model", "tables.npz"), ("network", "network.npz")):
        np.savez(folder / name, **arrays[part])
        if isinstance(manifest.get(part), dict):
            shape = {key: value for key, value in manifest[part].items() if key != "name"}
            digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode())
            for key, array in sorted(arrays[part].items()):
                digest.update(f"{key} {array.dtype.str} {array.shape}".encode() + array.tobytes())
            manifest[f"{part}_hash"] = digest.hexdigest()
    del manifest["manifest_hash"]
    manifest["manifest_hash"] = hashlib.sha256(
        json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_artefact_hashes_are_those_of_its_format(folder):
    before = load_manifest(folder)
    _rehash(folder)
    assert load_artefact(folder)[1] == before


@pytest.mark.parametrize("change, message", [
    (lambda m: m["model"].update(dt="4 ms"), "model.dt must be a number, not '4 ms'"),
    (lambda m: m["model"].update(channels=6.0),
     "model.channels must be a whole number of 0 or more, not 6.0"),
    (lambda m: m["model"].update(lead_steps=True),
     "model.lead_steps must be a whole number of 0 or more, not True"),
    (lambda m: m["model"].update(name=None), "model.name must be text, not None"),
    (lambda m: m["model"].update(populations={}), "model.populations must be a list, not {}"),
    (lambda m: m["model"]["populations"][0].update(spiking=1),
     "model.populations[0].spiking must be true or false, not 1"),
    (lambda m: m["model"]["populations"][1].update(leak=1),
     ("model.populations[1] must have the entries name, spiking, size, not name, spiking, size, "
     "leak")),
    (lambda m: m["model"]["projections"][0].update(delay=-1),
     "model.projections[0].delay must be a whole number of 0 or more, not -1"),
    (lambda m: m["model"]["projections"][2].pop("bits"),
     ("model.projections[2] must have the entries source, target, delay, bits, shift, not source, "
     "target, delay, shift")),
    (lambda m: m["model"]["widths"].update(narrow={}),
     ("model.widths must have the entries weight, current, membrane, decay, fraction, not weight, "
     "current, membrane, decay, fraction, narrow")),
    (lambda m: m["network"]["projections"].insert(0, 3),
     "network.projections[0] must have the entries source, target, delay, not 3"),
    (lambda m: m.pop("network"),
     "network must have the entries channels, dt, lead_steps, populations, projections, not None"),
    (lambda m: m.update(warnings=["one", 2]), "warnings[1] must be text, not 2"),
    (lambda m: m["calibration"].pop("margin"),
     ("calibration must have the entries rule, states, proven, source, margin, current_peak, "
     "membrane_peak, simulated, proven_bits, state_bits, not rule, states, proven, source, "
     "current_peak, membrane_peak, proven_bits, state_bits, simulated")),
])
def test_artefact_with_entries_of_the_wrong_kind(folder, change, message):
    """Its hashes fit, so that somebody must have made it so."""
    _rehash(folder, lambda manifest, tables: change(manifest))
    for load in (load_artefact, load_manifest, load_network):
        with refused(f"{folder / 'manifest.json'} {message}: build the model again"):
            load(folder)


@pytest.mark.parametrize("change, message", [
    (lambda m, t: t.pop("hidden.kept"), "there is no array 'hidden.kept'"),
    (lambda m, t: t.pop("readout"), "there is no array 'readout'"),
    (lambda m, t: t.update(readout=t["readout"][0]),
     "array readout must be float64 of 2 axes, not float64 of 1"),
    (lambda m, t: t.update(readout=t["readout"][:, :1]),
     "readout must have shape (axes, 2), not (2, 1)"),
    (lambda m, t: t["readout"].__setitem__((0, 0), np.inf),
     "readout must be finite, not hold NaN or an infinity"),
    (lambda m, t: t.update({"hidden.threshold": t["hidden.threshold"] * 0.5}),
     "array hidden.threshold must be int64 of 1 axes, not float64 of 1"),
    (lambda m, t: t.update({"hidden.threshold": t["hidden.threshold"][:4]}),
     "hidden threshold must have shape (5,), as kept has, not (4,)"),
    (lambda m, t: t["hidden.kept"].__setitem__(4, 5), ("hidden kept must be between 0 and 4, not 5 "
     "at [4]")),
    (lambda m, t: m["model"]["widths"].update(weight=9, current=40),
     "Width current must be between 8 and 32, not 40"),
    (lambda m, t: m["model"]["widths"].update(weight=9),
     "Width weight must be the bits of the widest projection, one of [8], not 9"),
    (lambda m, t: m["model"]["projections"][0].update(bits=17),
     "hidden->hidden bits must be an int from 2 to weight = 8, not 17"),
    (lambda m, t: m["model"]["projections"][0].update(bits=2),
     "hidden->hidden weights must be between -2 and 1, not {} at [0, 0]"),
    (lambda m, t: m["model"].update(projections=[]),
     "Width weight must be the bits of the widest projection, one of [], not 8"),
    (lambda m, t: m["model"].update(dt=float("nan")),
     "Network must have 1 channel or more and a dt between 0 and 10 s, not 6 and nan"),
    (lambda m, t: m["model"]["populations"].pop(),
     "Network must have a population that does not spike, its output"),
    (lambda m, t: (m["model"]["projections"][1].update(target="gone"),
                   t.update({"1.input.gone.weights": t["1.input.hidden.weights"]})),
     "Projection input->gone must join populations of the network, not others"),
    (lambda m, t: m["model"]["projections"][0].update(delay=0),
     "Projection hidden->hidden delay must be 1 or more to go backward, not 0"),
])
def test_artefact_whose_parts_do_not_belong_together(folder, change, message):
    first = load_artefact(folder)[0].projections[0].weights[0, 0]
    _rehash(folder, change)
    with refused(f"Model {folder} must be whole, but {message.format(first)}: build the model "
                 "again"):
        load_artefact(folder)


def test_artefact_of_two_projections_of_one_title(tmp_path):
    """They have different delays, and different bits."""
    network = retime(make_network(5, {"a": 6, "out": 2}, [
        (INPUT, "a", 0), ("a", "a", 1), ("a", "a", 4), ("a", "out", 0), ("a", "out", 2)]))
    bits, widths = (6, 5, 3, 8, 4), Widths(fraction=2)
    rounded = compensated(network, bits, random_recording(5, 4, 300, rate=0.5), decay_bits=12)
    assert rounded.bits == bits
    model = quantize(network, rounded, widths, "twice")
    for projection, own in zip(model.projections, bits, strict=True):
        assert (projection.bits, projection.largest) == (own, (1 << own - 1) - 1)
        assert -projection.largest - 1 <= projection.weights.min()
        assert projection.largest // 2 <= np.abs(projection.weights).max()
    assert model.weight_bits == [8, 6, 5, 4, 3]
    save_artefact(tmp_path / "model", model, network, {})
    again, manifest = load_artefact(tmp_path / "model")
    _same(model, again)
    assert [(p["source"], p["delay"], p["bits"]) for p in manifest["model"]["projections"]] == [
        (INPUT, 0, 6), ("a", 1, 5), ("a", 4, 3), ("a", 0, 8), ("a", 2, 4)]
    lines = summary(manifest).splitlines()
    assert lines[-5:] == [
        "input->a  input, 6 bits, delay 0", "a->a      recurrent, 5 bits, delay 1",
        "a->a      recurrent, 3 bits, delay 4", "a->out    output, 8 bits, delay 0",
        "a->out    output, 4 bits, delay 2"]


def test_artefact_of_two_axes_from_four_outputs(tmp_path):
    """The readout goes from the float network to the velocity of golden."""
    network = make_network(6, {"a": 8, "out": 4}, [(INPUT, "a", 0), ("a", "a", 1), ("a", "out", 0)])
    readout = np.array([[1.0, -1.0, 0.0, 0.5], [0.0, 0.25, 2.0, -3.0]])
    plain, network = network, dataclasses.replace(network, readout=readout)
    recording = random_recording(6, 4, 300, rate=0.5)
    model, early, facts = compile_network(network, name="axes", recording=recording)
    save_artefact(tmp_path / "model", model, early, facts)
    again = load_artefact(tmp_path / "model")[0]
    _same(model, again)
    assert np.array_equal(load_network(tmp_path / "model").readout, readout)
    assert (again.axes, again.outputs) == (2, 4)
    unmixed = compile_network(plain, name="plain", recording=recording)[0]
    scale = np.diag(unmixed.readout)
    assert np.array_equal(unmixed.readout, np.diag(scale))
    assert np.array_equal(again.readout, readout * scale)
    outputs = np.array([[1, 2, 3, 4], [-5, 0, 100, 7]])
    assert np.array_equal(again.velocity(outputs), outputs @ (readout * scale).T)
    exact, mixed = run_reference(plain, recording), run_reference(network, recording)
    assert np.array_equal(mixed.velocity, exact.velocity @ readout.T)


def test_artefact_of_schema_1():
    """Made before a projection had bits and a model a readout."""
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
    _same(network, retime(tiny_network(0)))
    assert "weights 7 and 4 and 3 bits" in summary(manifest)


def test_artefact_of_schema_1_is_compiled_alike_today():
    """The same integers, thresholds and decays come from the same network."""
    old, _ = load_artefact(SCHEMA1)
    new, _, _ = compile_network(
        tiny_network(0), name="fixture", widths=Widths(weight=7, fraction=0),
        projection_bits={"input": 3, "output": 4})
    _same(old, new)


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
        _rewrite(folder / name, lambda t: t["hidden.threshold"].__iadd__(1))
    with pytest.raises(InputError, match=message):
        load(folder)


def test_artefact_of_schema_1_with_entries_missing(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(SCHEMA1, folder)
    _rehash(folder, lambda manifest, tables: manifest["model"].pop("widths"))
    with refused(f"{folder / 'manifest.json'} must be the manifest of a model, not a damaged "
                 "file"):
        load_artefact(folder)


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
    lambda m: m["model"]["projections"][0].update(bits=7),
    lambda m: m.update(non_zeros=1),
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


@pytest.mark.parametrize("schema", [0, True, None, "1", 2.0])
def test_artefact_wrong_schema(folder, schema):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))
    with refused(f"{path} schema must be a whole number from 1 to 2, not {schema!r}: build the "
                 "model again"):
        load_artefact(folder)


@pytest.mark.parametrize("text", ['{"schema": 3}', '{"schema": 3, "manifest_hash": ""}'])
def test_artefact_of_a_newer_schema(folder, text):
    path = folder / "manifest.json"
    path.write_text(text)
    for load in (load_artefact, load_manifest, load_network):
        with refused(f"{path} schema must be at most 2, not 3: it was made by a newer Spikewright"):
            load(folder)


@pytest.mark.parametrize("name, load", [("tables.npz", load_artefact),
                                        ("network.npz", load_network)])
def test_artefact_missing_file(folder, name, load):
    (folder / name).unlink()
    with refused(f"Model {folder} must hold {name}; it is missing"):
        load(folder)


def test_artefact_that_is_no_model(tmp_path):
    for path in (tmp_path, tmp_path / "gone"):
        with refused("Model must be a folder made by 'spikewright quantize', not "
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
