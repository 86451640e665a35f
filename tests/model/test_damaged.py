# SPDX-License-Identifier: Apache-2.0
"""Model folders with random changes and correct hashes are loaded, or refused in one line."""

import copy
import shutil

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.golden.run import run_golden
from spikewright.model.artefact import load_artefact, load_model, load_network, save_artefact
from spikewright.network.network import INPUT, RESETS
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from tests.model.parts import compiled, rehash_all
from tests.model.test_schema1 import SCHEMA1
from tests.networks import general_network, make_recording, model_of_all_parts

FOLDERS = 150

NUMBERS = (-1, 0, 1, 2, 7, 63, 65535, 65536, 10**9, 2**63, -10**30, 10**400, 1.5, -0.0, 1e-300,
           1e300, float("nan"), float("inf"), float("-inf"))
TEXTS = ("", "a", "out", INPUT, "constant", "start", "a/b", "0.input", "../x", "\x1b[31m", "a\nb",
         "é" * 200, *RESETS)
VALUES = (None, True, False, *NUMBERS, *TEXTS, "\ud800", [], [[1]], {}, {"a": 1})
KEYS = ("reset", "at_least", "size", "spiking", "narrow", "delay", "name", "", "\n")

TYPES = ("int8", "int32", ">i8", "float32", "float64", "int64", "complex128", "bool", "S4",
         "object", "V8")
INTEGERS = (-1, 0, 1, 127, -128, 2**20, 2**62, -2**63)
FLOATS = (-1.0, 0.0, 1.0, 2.0, np.nan, np.inf, -np.inf, 1e308, 1e-320)

CONFIGS = (CoreConfig(), CoreConfig(lanes=1, multiplier="serial"),
           CoreConfig(lanes=8, neurons="lanes", weight_memory="large"), CoreConfig(tables="bitmap"),
           CoreConfig(lanes=3, tables="rows"), CoreConfig(tables="smallest"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Model folders without a fault."""
    place = tmp_path_factory.mktemp("whole")
    save_artefact(place / "net", *compiled(0, "net"))
    save_artefact(place / "parts", *model_of_all_parts(), {"warnings": ["one"]})
    save_artefact(place / "general", *compile_network(general_network(7), name="general"))
    return [place / "net", place / "parts", place / "general", SCHEMA1]


@pytest.mark.parametrize("seed", range(FOLDERS))
def test_damaged_folder(whole, tmp_path, seed):
    rng, folder = np.random.default_rng(seed), tmp_path / "model"
    shutil.copytree(_one(rng, whole), folder)
    edits = rng.choice(list(EDITS), rng.integers(1, 4), p=list(EDITS.values()))

    def change(manifest, arrays):
        for edit in edits:
            # An edit may need what the edit before it took away.
            if all(isinstance(manifest.get(part), dict) for part in arrays):
                edit(rng, manifest, arrays)
    rehash_all(folder, change)
    _read(load_network, folder)
    whole_model, integers = _read(load_model, folder), _read(load_artefact, folder)
    if integers is None:
        assert whole_model is None
        return
    model = integers[0]
    events = [rng.integers(0, model.channels, rng.integers(0, 6)).tolist() for _ in range(12)]
    recording = make_recording(events, model.channels, [0, 5], model.dt)
    with np.errstate(over="ignore", invalid="ignore"):
        answer = run_golden(model, recording, CONFIGS[0])
        _read(lambda config: Plan(model=model, config=config).layout.images, _one(rng, CONFIGS))
        if whole_model:
            exact = run_reference(whole_model[1], recording)
            assert exact.velocity.shape == answer.velocity.shape


def _read(function, argument):
    """What ``function`` returns; None if it refuses in one line that can be printed."""
    try:
        return function(argument)
    except InputError as error:
        assert str(error).isprintable()
        return None


def _one(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def _paths(value, path=()):
    """The path of each entry in a manifest."""
    inner = (value.items() if isinstance(value, dict)
             else enumerate(value) if isinstance(value, list) else ())
    for key, entry in inner:
        yield (*path, key)
        yield from _paths(entry, (*path, key))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def change_entry(rng, manifest, arrays):
    paths = list(_paths(manifest))
    parts = [path for path in paths if path[0] in ("model", "network")]
    path = _one(rng, parts if rng.random() < 0.8 else paths)
    parent, key = _at(manifest, path[:-1]), path[-1]
    kind = rng.integers(6)
    if kind < 3:
        parent[key] = _one(rng, VALUES)
    elif kind == 3:
        del parent[key]
    elif kind == 4:
        parent[key] = copy.deepcopy(_at(manifest, _one(rng, paths)))
    elif isinstance(parent, list):
        parent.insert(int(rng.integers(len(parent) + 1)), copy.deepcopy(parent[key]))
    else:
        parent[_one(rng, KEYS)] = _one(rng, VALUES)


def change_number(rng, manifest, arrays):
    """A number that is too large, or a little off."""
    parts = [path for path in _paths(manifest) if type(_at(manifest, path)) is int]
    path = _one(rng, parts)
    parent, key = _at(manifest, path[:-1]), path[-1]
    parent[key] = (_one(rng, NUMBERS) if rng.random() < 0.5
                   else parent[key] + int(rng.integers(-3, 4)))


def change_kind(rng, manifest, arrays):
    """What kind of neurons a population has."""
    populations = manifest[_one(rng, ("model", "network"))].get("populations")
    if isinstance(populations, list) and populations and isinstance(populations[-1], dict):
        population = _one(rng, [each for each in populations if isinstance(each, dict)])
        key = _one(rng, ("reset", "at_least", "spiking"))
        population[key] = _one(rng, (*RESETS, "other", True, False, None, 1, []))


def change_array(rng, manifest, arrays):
    tables = arrays[_one(rng, ("model", "network"))]
    key, other = (_one(rng, sorted(tables)) for _ in range(2))
    array, kind = tables[key], rng.integers(5)
    if kind == 0:
        tables[key] = _of_type(array, _one(rng, TYPES))
    elif kind == 1:
        tables[key] = _one(rng, (
            array.ravel(), array.T, array[None], array[:0], array[:-1], array[::-1],
            np.concatenate([array, array]), array[..., :0], np.zeros(1, array.dtype)))
    elif kind == 2:
        tables[key], tables[other] = tables[other], array
    elif kind == 3:
        del tables[key]
    else:
        tables[_one(rng, ("further", "x.kept", "", "readout"))] = array


def _of_type(array, kind):
    with np.errstate(all="ignore"):
        return np.zeros(array.shape, kind) if kind == "V8" else array.astype(kind)


def change_values(rng, manifest, arrays):
    tables = arrays[_one(rng, ("model", "network"))]
    array = tables[_one(rng, sorted(tables))]
    if array.size and array.dtype in (np.int64, np.float64):
        places = rng.integers(array.size, size=rng.integers(1, 4))
        array.flat[places] = _one(rng, INTEGERS if array.dtype == np.int64 else FLOATS)


def change_axes(rng, manifest, arrays):
    """A readout with other rows."""
    tables = arrays[_one(rng, ("model", "network"))]
    if "readout" in tables and tables["readout"].ndim == 2:
        columns = tables["readout"].shape[1]
        tables["readout"] = _one(rng, (1.0, 1e308)) * np.ones((_one(rng, (0, 1, 5)), columns))


def change_size(rng, manifest, arrays):
    """A population with fewer neurons, or with none, in all arrays of a part, or of both."""
    size, name = _one(rng, (0, 0, 1, 2)), _one(rng, ("hidden", "readout", "keep", "out", "p0"))
    for part in _one(rng, (("model",), ("network",), ("model", "network"))):
        tables = arrays[part]
        for key, array in tables.items():
            if key.startswith(f"{name}."):
                tables[key] = array[:size]
            if key.endswith(f".{name}.weights"):
                tables[key] = array = array[..., :size]
            if f".{name}." in key and key.split(".")[1] == name:
                tables[key] = array[:size]
        if name in ("readout", "out") and "readout" in tables:
            tables["readout"] = tables["readout"][..., :size]


def change_channels(rng, manifest, arrays):
    """Another number of channels, or channels without a row, in all integers."""
    tables, count = arrays["model"], _one(rng, (0, 1, 3, 1000))
    manifest["model"]["channels"] = count
    if rng.random() < 0.5:
        tables["channel_row"] = np.resize(np.arange(4), count)
        return
    tables["channel_row"] = np.full(count, -1)
    for key in tables:
        if f".{INPUT}." in key:
            tables[key] = tables[key][:0]


def change_name(rng, manifest, arrays):
    """The name of a population, in the manifest and in the keys of all arrays."""
    new = _one(rng, TEXTS)
    for part, tables in arrays.items():
        for path in list(_paths(manifest[part])):
            if path[-1] in ("name", "source", "target") and _at(manifest[part], path) == "hidden":
                _at(manifest[part], path[:-1])[path[-1]] = new
        for key in list(tables):
            words = [new if word == "hidden" else word for word in key.split(".")]
            tables[".".join(words)] = tables.pop(key)


# Each with its share.
EDITS = {change_entry: 0.2, change_number: 0.15, change_kind: 0.1, change_array: 0.15,
         change_values: 0.1, change_axes: 0.05, change_size: 0.1, change_channels: 0.1,
         change_name: 0.05}
