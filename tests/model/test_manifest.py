# SPDX-License-Identifier: Apache-2.0
"""Refused manifests, and refused folders with parts that do not fit but have correct hashes."""

import json

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.model.artefact import load_artefact, load_manifest, load_model, load_network
from tests.model.parts import rehash, same
from tests.networks import refused


def test_artefact_hash_does_not_depend_on_the_order_of_keys(folder):
    before, wanted = load_artefact(folder), load_network(folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(_reversed(manifest), ensure_ascii=False), encoding="utf-8")
    same(load_artefact(folder)[0], before[0])
    same(load_network(folder), wanted)
    assert load_manifest(folder) == before[1]


def _reversed(value):
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(entry) for entry in value] if isinstance(value, list) else value


def test_artefact_hashes_are_those_of_its_format(folder):
    before = load_manifest(folder)
    rehash(folder)
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
    (lambda m: m["model"].update(offset=0.5), "model.offset must be a list, not 0.5"),
    (lambda m: m["network"].update(offset=[0.5, "1"]),
     "network.offset[1] must be a number, not '1'"),
    (lambda m: m["model"]["widths"].update(narrow={}),
     ("model.widths must have the entries weight, current, membrane, decay, fraction, not weight, "
     "current, membrane, decay, fraction, narrow")),
    (lambda m: m["network"]["projections"].insert(0, 3),
     "network.projections[0] must have the entries source, target, delay, not 3"),
    (lambda m: m.pop("network"),
     "network must have the entries channels, dt, lead_steps, populations, projections, not None"),
    (lambda m: m["model"]["populations"][0].update({"\x1b[31m": 1}),
     ("model.populations[0] must have the entries name, spiking, size, not {'\\x1b[31m': 1, "
      "'name': 'hidden', 'size': 5, 'spiking': True}")),
    (lambda m: m["model"]["populations"][0].update(name="a\nb"),
     "model.populations[0].name must be printable text, not 'a\\nb'"),
    (lambda m: m["network"]["projections"][0].update(source="\x1b[31m"),
     "network.projections[0].source must be printable text, not '\\x1b[31m'"),
    (lambda m: m["model"]["populations"][0].update(reset=None),
     "model.populations[0].reset must be text, not None"),
    (lambda m: m["model"]["populations"][0].update(at_least=True),
     ("model.populations[0] must have the entries name, spiking, size, not name, spiking, size, "
      "at_least")),
    (lambda m: m["network"]["populations"][0].update(at_least=1),
     "network.populations[0].at_least must be true or false, not 1"),
    (lambda m: m.update(warnings=["one", 2]), "warnings[1] must be text, not 2"),
    (lambda m: m["calibration"].pop("margin"),
     ("calibration must have the entries rule, states, proven, source, margin, current_peak, "
     "membrane_peak, simulated, proven_bits, state_bits, not rule, states, proven, source, "
     "current_peak, membrane_peak, proven_bits, state_bits, simulated")),
])
def test_artefact_with_entries_of_the_wrong_kind(folder, change, message):
    """Its hashes are correct, so somebody changed it on purpose."""
    rehash(folder, lambda manifest, tables: change(manifest))
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
     "Network population hidden must be the target of a projection, not of none"),
    (lambda m, t: m["model"].update(dt=float("nan")),
     "Network must have 1 channel or more and a dt between 0 and 10 s, not 6 and nan"),
    (lambda m, t: m["model"]["populations"].pop(),
     "Network must have a population that does not spike, its output, not none"),
    (lambda m, t: (m["model"]["projections"][1].update(target="gone"),
                   t.update({"1.input.gone.weights": t["1.input.hidden.weights"]})),
     "Projection input->gone must join populations of the network, not others"),
    (lambda m, t: m["model"]["projections"][0].update(delay=0),
     "Projection hidden->hidden delay must be 1 or more to go backward, not 0"),
    (lambda m, t: m["model"]["projections"][0].update(delay=65536),
     "Projection hidden->hidden delay must be at most 65535, not 65536"),
    (lambda m, t: m["model"].update(lead_steps=65536),
     "Network lead_steps must be from 0 to 65535, not 65536"),
    (lambda m, t: m["model"]["populations"][0].update(size=65537),
     ("hidden must have from 1 neuron to all of its size, and a size of at most 65536, not 5 of "
      "65537")),
    (lambda m, t: t.update({key: t[key][:0] for key in t if key.startswith("hidden.")}),
     ("hidden must have from 1 neuron to all of its size, and a size of at most 65536, not 0 of "
      "5")),
    (lambda m, t: (t["channel_row"].fill(-1), t.update(
        {"1.input.hidden.weights": t["1.input.hidden.weights"][:0]})),
     "channel_row must hold an input row, not only -1"),
    (lambda m, t: t.update(readout=t["readout"][:0]), "readout must have 1 axis or more, not none"),
    (lambda m, t: m["model"]["populations"][0].update(reset="one"),
     ("hidden reset must be one of zero_lose, zero_keep, subtract_next, subtract_same, none, not "
      "'one'")),
    (lambda m, t: m["model"]["populations"][1].update(reset="none"),
     "readout reset must be zero_lose, because it does not spike, not 'none'"),
])
def test_artefact_whose_parts_do_not_belong_together(folder, change, message):
    first = load_artefact(folder)[0].projections[0].weights[0, 0]
    rehash(folder, change)
    with refused(f"Model {folder} must be whole, but {message.format(first)}: build the model "
                 "again"):
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


def test_artefact_manifest_that_is_too_deep(folder):
    path = folder / "manifest.json"
    for depth in range(700, 1000):
        path.write_text(f'{{"schema": 2, "manifest_hash": "", "note": {"[" * depth}{"]" * depth}}}')
        with pytest.raises(InputError):
            load_manifest(folder)


@pytest.mark.parametrize("change, message", [
    (lambda m, t: (m["model"].update(channels=7),
                   t.update(channel_row=np.append(t["channel_row"], 0))),
     "its channels must be 6, as its network has, not 7"),
    (lambda m, t: m["model"].update(dt=0.005),
     "its dt must be 0.004, as its network has, not 0.005"),
    (lambda m, t: m["model"].update(lead_steps=4),
     "its lead_steps must be 5, as its network has, not 4"),
    (lambda m, t: t.update(readout=t["readout"][:1]),
     "its axes must be 2, as its network has, not 1"),
    (lambda m, t: m["model"]["populations"][0].update(size=6),
     ("its populations must be [('hidden', True, 5), ('readout', False, 2)], as its network has, "
      "not [('hidden', True, 6), ('readout', False, 2)]")),
    (lambda m, t: m["model"]["projections"][1].update(delay=1),
     ("its projections must be [('hidden', 'hidden', 3), ('input', 'hidden', 0), ('hidden', "
      "'readout', 0)], as its network has, not [('hidden', 'hidden', 3), ('input', 'hidden', 1), "
      "('hidden', 'readout', 0)]")),
])
def test_artefact_whose_integers_are_of_another_network(folder, change, message):
    rehash(folder, change)
    load_artefact(folder)
    with refused(f"Model {folder} must be whole, but {message}: build the model again"):
        load_model(folder)


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
