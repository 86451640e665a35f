# SPDX-License-Identifier: Apache-2.0
"""Presets of the frameworks, and published graphs with the weights that they came from."""

import json

import numpy as np
import pytest

from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from spikewright.network.reference import run_reference

from .corpus import NAMES, NIR, Entry, dense_recording, needs_corpus

pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")

PREFIXES = {"snn": "snntorch", "norse": "norse", "sj": "spikingjelly", "sinabs": "sinabs",
            "rockpool": "rockpool", "spyx": "spyx"}
FRAMED = [name for name in NAMES if name.split("-")[0] in PREFIXES]


def _same(a, b):
    """Whether two networks compute the same."""
    return ([(p.name, p.spiking, p.reset, p.at_least) for p in a.populations]
            == [(p.name, p.spiking, p.reset, p.at_least) for p in b.populations]
            and all(np.array_equal(getattr(p, key), getattr(q, key))
                    for p, q in zip(a.populations, b.populations, strict=True)
                    for key in ("synaptic_decay", "membrane_decay", "threshold"))
            and [(p.title, p.delay) for p in a.projections] == [(p.title, p.delay)
                                                                for p in b.projections]
            and all(np.array_equal(p.weights, q.weights)
                    for p, q in zip(a.projections, b.projections, strict=True)))


@needs_corpus
@pytest.mark.parametrize("name", FRAMED)
def test_preset_gives_the_options_of_the_graph(name):
    """What the exporter loses must still be said: the kind of reset, and some time steps."""
    entry = Entry(name)
    framework = PREFIXES[name.split("-")[0]]
    lost = {"snntorch": ("reset",), "sinabs": ("reset",), "norse": ("v_reset",)}.get(framework, ())
    given = entry.meta["options"]
    options = Options(
        framework=framework,
        dt=given["dt"] if framework in ("norse", "spikingjelly", "rockpool") else None,
        readout=None if "readout-none" in name else "spikes",
        answers={key: given["defaults"].get(key, 0) for key in lost},
        nodes={name: kept for name, answers in given.get("nodes", {}).items()
               if (kept := {key: answers[key] for key in lost if key in answers})})
    reading = read_nir(entry.path, options)
    assert reading.warnings == () and "assumed" not in reading.options
    assert _same(reading.network, entry.reading.network)


@needs_corpus
def test_wrong_preset_is_another_network():
    entry = Entry("sj-lif")
    reading = read_nir(entry.path, Options(framework="norse", dt=1e-3))
    assert not _same(reading.network, entry.reading.network)


@needs_corpus
@pytest.mark.parametrize("name, reset", [("bias_zero", "zero_keep"),
                                         ("noBias_subtract", "subtract_same")])
def test_published_braille_graph(name, reset):
    """The recursion of the published networks, with their own weights and decays."""
    torch = pytest.importorskip("torch", reason="the published weights are .pt files")
    pair = f"{name.replace('_', '_ref_')}"
    weights = torch.load(NIR / "ref" / f"model_noDelay_{pair}.pt", weights_only=True,
                         map_location="cpu")
    weights = {key: value.double().numpy() for key, value in weights.items()}
    given = json.loads((NIR / "ref" / f"parameters_noDelay_{pair}.json").read_text())
    reading = read_nir(NIR / f"braille_noDelay_{name}.nir",
                       Options(framework="snntorch", readout="spikes", answers={"reset": reset}))
    network = reading.network
    assert reading.warnings == ()

    counts = np.random.default_rng(0).random((256, 12)) < 0.15
    trace = run_reference(network, dense_recording(counts, network.dt),
                          watch=["lif1.lif", "lif2"])
    hidden, out = _Layer(given["alpha_r"], given["beta_r"], reset), _Layer(
        given["alpha_out"], given["beta_out"], reset)
    back, bias = weights["lif1.recurrent.weight"], [
        weights.get(key, 0) for key in ("fc1.bias", "lif1.recurrent.bias", "fc2.bias")]
    fired = np.zeros(len(back))
    for t, x in enumerate(counts.astype(float)):
        fired = hidden.step(weights["fc1.weight"] @ x + bias[0] + back @ fired + bias[1])
        last = out.step(weights["fc2.weight"] @ fired + bias[2])
        assert np.array_equal(trace.spikes[t], np.concatenate([fired, last]) > 0)
        # The file has decays of float32, such as 0.8999999762.
        assert np.allclose(trace.membrane["lif1.lif"][t], hidden.seen, rtol=1e-5, atol=1e-5)
        assert np.allclose(trace.membrane["lif2"][t], out.seen, rtol=1e-5, atol=1e-5)
    assert trace.spikes.sum() > 100


class _Layer:
    """Neurons of the published networks: current, membrane, spike and reset in one step."""

    def __init__(self, alpha, beta, reset):
        self.alpha, self.beta, self.reset = alpha, beta, reset
        self.i = self.m = 0.0

    def step(self, x):
        self.i = self.alpha * self.i + x
        self.seen = self.m = self.beta * self.m + self.i
        y = (self.m > 1).astype(float)
        self.m = self.m * (1 - y) if self.reset == "zero_keep" else self.m - y
        return y


@needs_corpus
def test_old_graphs_by_hand():
    """Two neurons with a resting membrane above the threshold; a graph of an early version."""
    network = read_nir(NIR / "two_lif_neurons.nir",
                       Options(dt=1e-3, answers={"reset": "zero_keep"})).network
    trace = run_reference(network, dense_recording(np.zeros((100, 1)), 1e-3), watch=["lif1"])
    # 1.2 (1 - 0.9^n) is above 1 from n = 18 on.
    assert np.flatnonzero(trace.spikes[:, 0]).tolist() == [17, 35, 53, 71, 89]
    assert np.allclose(trace.membrane["lif1"][:18, 0], 1.2 * (1 - 0.9 ** np.arange(1, 19)))
    network = read_nir(NIR / "lif_norse.nir", Options(framework="norse", dt=1e-4)).network
    assert network.population("1").membrane_decay.tolist() == pytest.approx([0.96])
    assert network.projections[0].weights.tolist() == pytest.approx(np.array([[0.04]]))
