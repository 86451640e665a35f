# SPDX-License-Identifier: Apache-2.0
"""Weights of several widths, from what a user asks for to the model."""

import dataclasses

import numpy as np
import pytest
from spikewright.model.artefact import load_artefact, model_hash, save_artefact
from spikewright.model.model import Widths
from spikewright.network.retime import retime
from spikewright.plan.export import export_rom
from spikewright.plan.images import places, tables_of
from spikewright.quantize.compile import compile_network
from spikewright.quantize.mixed import mixed_widths

from spikewright.command import quantize_main
from tests.networks import (
    MIXED,
    deep_model,
    make_network,
    random_recording,
    refused,
    tiny_network,
)

INPUT, RECURRENT, OUTPUT = "input->hidden", "hidden->hidden", "hidden->readout"


@pytest.fixture
def call(call_command):
    """Run a command in this process: exit status, standard output, standard error."""
    return lambda *arguments: call_command(quantize_main, *arguments)


@pytest.mark.parametrize("bits, weight, narrow", [
    ({}, 8, {}),
    ({"input": 8}, 8, {}),
    ({"input": 4}, 8, {INPUT: 4}),
    ({"recurrent": 10}, 10, {INPUT: 8, OUTPUT: 8}),
    ({"input": 4, "recurrent": 6, "output": 6}, 6, {INPUT: 4}),
    ({"input": 5, "recurrent": 5, "output": 5}, 5, {}),
    ({"input": 2, "recurrent": 3, "output": 4}, 4, {INPUT: 2, RECURRENT: 3}),
])
def test_mixed_widths(bits, weight, narrow):
    """The widest projections give the width of all that are not named."""
    widths = mixed_widths(retime(tiny_network(0)), Widths(fraction=0), bits)
    assert widths == Widths(fraction=0, weight=weight, narrow=narrow)


def test_mixed_widths_keep_what_is_narrow():
    widths = mixed_widths(retime(tiny_network(0)), Widths(narrow={INPUT: 4, OUTPUT: 5}),
                          {"output": 6})
    assert widths.narrow == {INPUT: 4, OUTPUT: 6}


def test_mixed_widths_of_another_form():
    """What is neither input, recurrent nor output goes by its title; an input may be two."""
    network = make_network(0, {"a": 2, "b": 2, "out": 1}, [
        ("input", "a", 0), ("input", "b", 0), ("a", "b", 1), ("b", "b", 1), ("b", "out", 0)])
    widths = mixed_widths(network, Widths(), {"input": 4, "a->b": 5})
    assert widths.narrow == {"input->a": 4, "input->b": 4, "a->b": 5}
    with refused("Projection must be one of input, a->b, recurrent, output, not 'b->b'",
                 ValueError):
        mixed_widths(network, Widths(), {"b->b": 4})


@pytest.mark.parametrize("bits", [{"input": 3}, {"recurrent": 3}, {"output": 3},
                                  {"input": 3, "recurrent": 2}])
def test_compiled_weights_use_the_range_of_each_projection(bits):
    network = tiny_network(3, channels=12, hidden=16)
    network.projections[1].weights[2:4] = 0
    recording = random_recording(3, 12, 500)
    model, _, facts = compile_network(network, name="m", recording=recording,
                                            projection_bits=bits, widths=Widths(weight=7))
    roles = {INPUT: "input", RECURRENT: "recurrent", OUTPUT: "output"}
    for projection in model.projections:
        width = bits.get(roles[projection.title], 7)
        half = 1 << width - 1
        assert -half <= projection.weights.min() and projection.weights.max() < half
        assert np.abs(projection.weights).max() >= half // 2
    sizes = {INPUT: 10 * 16, RECURRENT: 16 * 16, OUTPUT: 16 * 4}
    assert facts["table_bits"]["dense"] == sum(
        size * bits.get(roles[title], 7) for title, size in sizes.items())


def test_build_with_projection_bits(here, call):
    status, out, _ = call("build", "net.safetensors", "-o", "model", "--weight-bits", 7,
                          "--projection-bits", "input=3", "output=4")
    assert status == 0
    model, _ = load_artefact(here / "model")
    assert (model.widths.weight, model.widths.narrow) == (7, {INPUT: 3, OUTPUT: 4})
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[:-1])
    assert lines["widths"].startswith("weights 7 and 4 and 3 bits, currents 16")
    assert lines[INPUT].startswith("input, 3 bits, delay 0, 6 x 5")
    assert lines[RECURRENT].startswith("recurrent, 7 bits, delay 3, 5 x 5")
    assert lines[OUTPUT].startswith("output, 4 bits, delay 0, 5 x 2")


def test_build_with_the_same_bits_for_all_is_the_same_model(here, call):
    names = [f"{name}=8" for name in ("input", "recurrent", "output")]
    for folder, options in (("a", ()), ("b", ("--weight-bits", 4, "--projection-bits", *names))):
        assert call("build", "net.safetensors", "-o", folder, *options)[0] == 0
    assert load_artefact(here / "a")[1] == load_artefact(here / "b")[1]


PARSED = "argument --projection-bits: must be NAME=N with a whole number N from 2 to 16, as input=4"


@pytest.mark.parametrize("options, message", [
    (("recurent=4",), "Projection must be one of recurrent, input, output, not 'recurent'"),
    (("input=4", "input=5"), "--projection-bits must give input once, not twice"),
    (("input=1",), f"{PARSED}, not 'input=1' (see 'python -m quantize build --help')"),
    (("input=17",), f"{PARSED}, not 'input=17' (see 'python -m quantize build --help')"),
    (("input",), f"{PARSED}, not 'input' (see 'python -m quantize build --help')"),
    (("input=4", "net.safetensors"),
     f"{PARSED}, not 'net.safetensors' (see 'python -m quantize build --help')"),
    (("input=16", "--current-bits", 12),
     "Width current must be at least weight + fraction = 16, not 12"),
])
def test_wrong_projection_bits(here, call, options, message):
    assert call("build", "net.safetensors", "-o", "model", "--projection-bits", *options) == (
        2, "", f"error: {message}\n")
    assert not (here / "model").exists()


def test_artefact_of_mixed_widths(tmp_path):
    """Only such a model names them, so that the hash of any other stays what it was."""
    model, network = deep_model(0, MIXED), retime(tiny_network(0))
    manifest = save_artefact(tmp_path / "model", model, network, {})
    again = load_artefact(tmp_path / "model")[0]
    assert again.widths == MIXED and model_hash(again) == manifest["model_hash"]
    assert manifest["model"]["widths"]["narrow"] == MIXED.narrow
    narrow = {**MIXED.narrow, "second->second": 3}
    other = dataclasses.replace(model, widths=dataclasses.replace(MIXED, narrow=narrow))
    assert model_hash(other) != manifest["model_hash"]
    alike = save_artefact(tmp_path / "alike", deep_model(0), network, {})["model"]["widths"]
    assert list(alike) == ["weight", "current", "membrane", "decay", "fraction"]


def test_export_of_mixed_widths(tmp_path):
    """A memory for each width, and for each projection the width that tells which."""
    model = deep_model(0, MIXED)
    index = export_rom(tmp_path / "rom", model, "0" * 64, 4)
    tables = tables_of(model, 4)
    assert {name: memory["bits"] for name, memory in index["memories"].items()} == {
        "weights": 20, "weights_3": 12, "weights_2": 8, "neurons": 17}
    for name, bits in (("weights", 5), ("weights_3", 3), ("weights_2", 2)):
        lines = (tmp_path / "rom" / f"{name}.mem").read_text().splitlines()
        assert f"weights of {bits} bits" in lines[1]
        assert [int(line, 16) for line in lines[2:]] == tables[bits].dense
        assert index["memories"][name]["words"] == len(tables[bits].dense)
    assert {path.name for path in (tmp_path / "rom").iterdir()} == {"rom.json", *index["files"]}
    assert [(p["weight_bits"], p["weight_base"]) for p in index["projections"]] == [
        (place.bits, place.first) for place in places(model, 4)]
    header = (tmp_path / "rom" / "rom.svh").read_text()
    for text in ("WEIGHT_WORDS = ", "WEIGHT_3_WORD_BITS = 12;", "NEURON_WORDS = 20;",
                 "INPUT_TO_FIRST_WEIGHT_BITS = 3;", "WEIGHT_BITS = 5;"):
        assert f" DEEP_0_{text}" in header
    with np.load(tmp_path / "rom" / "rom.npz") as file:
        assert int(file["weight_bits"]) == 5
