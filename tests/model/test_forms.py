# SPDX-License-Identifier: Apache-2.0
"""Forms of a network beyond the published one, from quantizing to loading."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import load_artefact, load_network, model_hash, save_artefact
from spikewright.model.integers import Widths
from spikewright.model.summary import summary
from spikewright.network.network import INPUT
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from spikewright.quantize.integer import quantize
from spikewright.quantize.rounding import compensated
from tests.model.parts import compiled, same
from tests.networks import make_network, random_recording, refused


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
    same(model, again)
    assert [(p["source"], p["delay"], p["bits"]) for p in manifest["model"]["projections"]] == [
        (INPUT, 0, 6), ("a", 1, 5), ("a", 4, 3), ("a", 0, 8), ("a", 2, 4)]
    lines = summary(manifest).splitlines()
    assert lines[-5:] == [
        "input->a  input, 6 bits, delay 0", "a->a      recurrent, 5 bits, delay 1",
        "a->a      recurrent, 3 bits, delay 4", "a->out    output, 8 bits, delay 0",
        "a->out    output, 4 bits, delay 2"]


def test_artefact_with_an_offset(tmp_path):
    """The manifest has the offset, which makes another hash. Golden and the reference add it."""
    model, network, facts = compiled(0, "offset")
    assert "offset" not in save_artefact(tmp_path / "plain", model, network, facts)["model"]
    offset = np.array([-0.75, 1e-3])
    moved = [dataclasses.replace(part, offset=offset) for part in (model, network)]
    manifest = save_artefact(tmp_path / "model", *moved, facts)
    assert manifest["model"]["offset"] == manifest["network"]["offset"] == [-0.75, 1e-3]
    assert manifest["model_hash"] != model_hash(model)
    same(load_artefact(tmp_path / "model")[0], moved[0])
    same(load_network(tmp_path / "model"), moved[1])
    recording = random_recording(6, network.channels, 100)
    plain, shifted = (run_golden(each, recording, CoreConfig()) for each in (model, moved[0]))
    assert (shifted.velocity_int == plain.velocity_int).all() and plain.velocity.any()
    assert (shifted.velocity == plain.velocity + offset).all()
    plain, shifted = (run_reference(each, recording).velocity for each in (network, moved[1]))
    assert (shifted == plain + offset).all()


@pytest.mark.parametrize("offset, message", [
    (np.zeros(3), "offset must have shape (2,), not (3,)"),
    (np.array([0, np.nan]), "offset must be finite, not nan at [1]")])
def test_wrong_offset(offset, message):
    for part, title in zip(compiled(0, "offset")[:2], ("", "Network "), strict=True):
        with refused(f"{title}{message}", ValueError):
            dataclasses.replace(part, offset=offset)


def test_artefact_of_two_axes_from_four_outputs(tmp_path):
    """The readout of the float network also makes the velocity of golden."""
    network = make_network(6, {"a": 8, "out": 4}, [(INPUT, "a", 0), ("a", "a", 1), ("a", "out", 0)])
    readout = np.array([[1.0, -1.0, 0.0, 0.5], [0.0, 0.25, 2.0, -3.0]])
    plain, network = network, dataclasses.replace(network, readout=readout, offset=None)
    recording = random_recording(6, 4, 300, rate=0.5)
    model, early, facts = compile_network(network, name="axes", recording=recording)
    save_artefact(tmp_path / "model", model, early, facts)
    again = load_artefact(tmp_path / "model")[0]
    same(model, again)
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
