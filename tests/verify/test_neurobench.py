# SPDX-License-Identifier: Apache-2.0
"""The metrics of NeuroBench's package are those of this project, where both count."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.golden.run import run_golden
from spikewright.model.saved import Model
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.metrics import published_time, r_squared
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from spikewright.report.score import outputs_of
from spikewright.train.reaches import Units, save_session, simulate
from spikewright.train.recording import dense
from tests.designs import BUILD
from tests.networks import random_tensors


@pytest.fixture
def package():
    pytest.importorskip("torch", reason="torch is not installed")
    return pytest.importorskip("neurobench", reason="neurobench is not installed")


@pytest.fixture
def compiled(tmp_path):
    """A model, its network, its facts, and a recording; some channels and neurons are dropped."""
    tensors = random_tensors(0)
    tensors["con1.op.weight"][:, 2] = 0
    tensors["con1.op.weight"][1] = tensors["con2.op.weight"][1] = 0
    save_file(tensors, tmp_path / "net.safetensors")
    network = retime(read_checkpoint(tmp_path / "net.safetensors"))
    recording = simulate(n_bins=400, seed=1, units=Units(channels=6))
    return *compile_network(network, name="m", recording=recording), recording


def test_floats(package, compiled):
    from spikewright.verify.neurobench import float_layers, neurobench_scores
    _, network, _, recording = compiled
    velocity, spikes = outputs_of(network, recording, ["fp32"])["fp32"]
    found = neurobench_scores(network, *float_layers(network), recording, velocity, spikes)
    weights = [p.weights for p in network.projections]
    assert found["footprint_bytes"] == 4 * sum(w.size for w in weights) + 8 * (
        sum(p.neurons for p in network.populations))
    _check(found, network, weights, recording, velocity, spikes)


def test_integers(package, compiled):
    from spikewright.verify.neurobench import integer_layers, neurobench_scores
    model, network, _, recording = compiled
    assert (model.channel_row < 0).any()
    answer = run_golden(model, recording, CoreConfig())
    layers, constants = integer_layers(model)
    assert [w.shape for _, w in layers] == [p.weights.shape for p in network.projections]
    assert {w.dtype for _, w in layers} == {np.dtype("int8")}
    found = neurobench_scores(network, layers, constants, recording, answer.velocity,
                              answer.spikes)
    neurons = sum(p.neurons for p in model.populations)
    hidden = sum(p.neurons for p in model.populations if p.spiking)
    assert found["footprint_bytes"] == (sum(w.size for _, w in layers) + 2 * 2 * neurons
                                        + 4 * hidden)
    _check(found, network, [w for _, w in layers], recording, answer.velocity, answer.spikes)


def _check(found, network, weights, recording, velocity, spikes):
    """The figures by hand; a delay does not matter, as the last step is a step like any other."""
    counts, size = dense(recording), sum(w.size for w in weights)
    assert counts.max() == 1 and spikes.any()
    sent = {"input": counts, network.populations[0].name: spikes}
    used = [w != 0 for w in weights]
    operations = sum((sent[p.source] @ w.astype(int)).sum()
                     for p, w in zip(network.projections, used, strict=True))
    assert found["effective_acs"] == pytest.approx(operations / recording.steps, rel=1e-12)
    assert (found["effective_macs"], found["dense_operations"]) == (0, size)
    assert found["connection_sparsity"] == pytest.approx(1 - sum(w.sum() for w in used) / size,
                                                         abs=1e-4)
    assert found["activation_sparsity"] == pytest.approx(1 - spikes.mean(), rel=1e-12)
    said = published_time(velocity, network.lead_steps, recording.reset)
    assert found["r2"] == pytest.approx(r_squared(recording.velocity, said).mean(), rel=1e-9)


def test_command(package, compiled, tmp_path, call_command):
    model, network, facts, recording = compiled
    Model(integers=model, network=network, facts=facts).save(tmp_path / "model")
    save_session(tmp_path / "a.npz", recording)
    status, out, _ = call_command("neurobench", tmp_path / "model", tmp_path / "a.npz", "-o",
                                  tmp_path / "scores.json", "--build", BUILD)
    lines = out.splitlines()
    assert status == 0 and lines[0] == f"neurobench {package.__version__} on a.npz, 400 steps"
    assert [line[:10].strip() for line in lines[2:]] == ["fp32", "int8", "int8 RTL"]
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert scores["int8"] == scores["int8 RTL"] != scores["fp32"]


@pytest.mark.parametrize("r2", [np.nan, -np.inf])
def test_a_recording_without_movement(compiled, tmp_path, call_command, monkeypatch, r2):
    """Its R2 is no number: a dash, and null. The package is not needed here."""
    pytest.importorskip("torch", reason="torch is not installed")
    figures = {"r2": r2, "footprint_bytes": 12345, "connection_sparsity": 0.25,
               "activation_sparsity": 0.5, "effective_acs": 1234.5, "effective_macs": 0.0,
               "dense_operations": 20.0}
    layers = lambda _: ((), ())  # noqa: E731
    monkeypatch.setitem(sys.modules, "neurobench", SimpleNamespace(__version__="2.2"))
    monkeypatch.setitem(sys.modules, "spikewright.verify.neurobench", SimpleNamespace(
        float_layers=layers, integer_layers=layers, neurobench_scores=lambda *_: dict(figures)))
    monkeypatch.setattr("spikewright.sim.compiled.run_compiled", lambda plan, recording, _:
                        run_golden(plan.model, recording, plan.config))
    model, network, facts, recording = compiled
    Model(integers=model, network=network, facts=facts).save(tmp_path / "model")
    save_session(tmp_path / "a.npz", replace(recording, velocity=0 * recording.velocity))
    status, out, err = call_command("neurobench", tmp_path / "model", tmp_path / "a.npz", "-o",
                                    tmp_path / "scores.json")
    assert (status, err) == (0, "")
    assert out.splitlines()[2] == "fp32      " + "".join(
        f"{word:>14}" for word in ("-", "12,345", "0.25", "0.5", "1,234", "0", "20"))
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert scores == dict.fromkeys(("fp32", "int8", "int8 RTL"), {**figures, "r2": None})


def test_command_without_the_package(tmp_path, call_command, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setitem(sys.modules, "neurobench", None)
    status, out, err = call_command("neurobench", tmp_path, tmp_path / "a.npz")
    assert (status, out) == (2, "")
    assert err.startswith("error: Package neurobench must be installed for its metrics (pip "
                          "install -e '.[neurobench]'), not missing: ")
