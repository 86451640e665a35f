# SPDX-License-Identifier: Apache-2.0
"""State dicts of NeuroBench's SNN_Flat, against its equations and published answers."""

import numpy as np
import pytest

from spikewright.network.checkpoint import network_from_tensors
from spikewright.network.graded.run import run_graded
from tests.graded import random_counts, recording_of, snn_flat_tensors
from tests.networks import refused
from tests.vectors import SESSIONS, WEIGHTS, dense, published, vector


def equations(tensors, counts):
    """Outputs of the training code, and spikes of each step."""
    frame, outputs, fired = [np.zeros_like(counts[0])], [], []
    v = np.concatenate([tensors["v_x"], tensors["v_y"]])
    for now in counts:
        frame = [*frame, now][-50:]
        rows = np.array([*frame, *[np.zeros_like(now)] * (50 - len(frame))])
        x = rows[:49].reshape(7, 7, -1).sum(axis=1)
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        x = x * tensors["norm_layer.weight"] + tensors["norm_layer.bias"]
        m, z = [np.zeros(len(tensors[f"fc{k}.bias"])) for k in (1, 2, 3)], []
        for part in x:
            for k in range(3):
                weights, bias, beta, threshold = (tensors[f"{key}"] for key in (
                    f"fc{k + 1}.weight", f"fc{k + 1}.bias", f"lif{k + 1}.beta",
                    f"lif{k + 1}.threshold"))
                reset = threshold * (m[k] > threshold) * (k < 2)
                m[k] = beta * m[k] + weights @ part + bias - reset
                part = (m[k] > threshold).astype(float)
                z.append(part if k < 2 else part[:0])
        outputs.append(v * m[2])
        fired.append(np.concatenate(z[0::3] + z[1::3]))
    return np.array(outputs), np.array(fired) > 0


@pytest.mark.parametrize("seed, channels, hidden", [
    (0, 6, (5, 4)), (1, 96, (32, 48)), (2, 3, (1, 9)), (3, 11, (7, 2))])
def test_network_is_as_the_equations(seed, channels, hidden):
    tensors, counts = snn_flat_tensors(seed, channels, hidden), random_counts(seed, 90, channels)
    network = network_from_tensors(tensors)
    assert (network.kind, network.channels, network.dt) == ("SNN_Flat", channels, 4e-3)
    assert network.spike_columns == {"lif1": slice(0, 7 * hidden[0]),
                                     "lif2": slice(7 * hidden[0], 7 * sum(hidden))}
    wanted, fired = equations(tensors, counts)
    assert 0.02 < fired.mean() < 0.9
    trace = run_graded(network, recording_of(counts))
    assert np.array_equal(trace.spikes, fired)
    assert trace.velocity == pytest.approx(wanted, abs=1e-12)


def test_graded_spikes_and_resets_of_the_file():
    tensors = snn_flat_tensors(0)
    plain = network_from_tensors(tensors).stage("lif").layers
    more = {"lif1.graded_spikes_factor": np.array(0.5), "lif1.reset_mechanism_val": np.array(1),
            "lif2.reset_mechanism_val": np.array(2)}
    layers = network_from_tensors(tensors | more).stage("lif").layers
    assert np.array_equal(layers[1].weights, 0.5 * plain[1].weights)
    assert [layer.reset for layer in plain] == ["subtract_next", "subtract_next", "none"]
    assert [layer.reset for layer in layers] == ["zero_keep", "none", "none"]


SHAPES = (": the shapes are fc1.weight (H, C), fc1.bias (H), fc2.weight (J, H), fc2.bias (J), "
          "fc3.weight (2, J), fc3.bias (2), norm_layer.weight (7, C), norm_layer.bias (7, C), "
          "v_x (1), v_y (1), see docs/howto/checkpoint.md")


@pytest.mark.parametrize("change, message", [
    ({"norm_layer.weight": np.ones((8, 6))},
     "norm_layer.weight must have shape (7, 6) to fit the other tensors, not (8, 6)" + SHAPES),
    ({"norm_layer.bias": np.ones((7, 5))},
     "norm_layer.bias must have shape (7, 6) to fit the other tensors, not (7, 5)" + SHAPES),
    ({"fc3.bias": np.ones(3)},
     "fc3.bias must have shape (2,) to fit the other tensors, not (3,)" + SHAPES),
    ({"v_x": np.ones(2)}, "v_x must have shape (1,) to fit the other tensors, not (2,)" + SHAPES),
    ({"v_y": np.array(1.0)}, "v_y must have 1 non-empty axes, not shape ()" + SHAPES),
    ({"lif1.threshold": np.array(-0.5)}, "lif1.threshold must be above 0, not -0.5"),
    ({"lif2.beta": np.array(np.nan)}, "lif2.beta must be finite, not nan"),
    ({"lif3.beta": np.array(1.0)}, "lif3.beta must be 0 or more and below 1, not 1"),
    ({"lif2.beta": np.array([0.5, -0.1, 0.5, 0.5])},
     "lif2.beta must be 0 or more and below 1, not -0.1 at [1]"),
    ({"v_x": np.zeros(1)}, "v_x must be other than 0, not 0 at [0]"),
    ({"lif2.threshold": np.ones(3)},
     "lif2.threshold must be one number, or one for each of 4 neurons, not of shape (3,)"),
    ({"lif3.reset_mechanism_val": np.array(0)},
     ("Layer lif3 must have no reset, because its membranes are the outputs, not the reset "
      "subtract"))])
def test_wrong_tensor(change, message):
    with refused(message, ValueError):
        network_from_tensors(snn_flat_tensors(0) | change)


def test_missing_and_unknown_tensors():
    tensors = snn_flat_tensors(0)
    with refused("Checkpoint must have only fc1.weight (H, C), fc1.bias (H), fc2.weight (J, H), "
                 "fc2.bias (J), fc3.weight (2, J), fc3.bias (2), norm_layer.weight (7, C), "
                 "norm_layer.bias (7, C), v_x (1), v_y (1), lif1.beta, lif1.threshold, lif2.beta, "
                 "lif2.threshold, lif3.beta, lif3.threshold, not 'fc4.bias': see "
                 "docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors | {"fc4.bias": np.ones(2)})
    del tensors["v_x"], tensors["lif2.beta"]
    with refused("Checkpoint must have v_x (1), lif2.beta, not only fc1.bias, fc1.weight, "
                 "fc2.bias, fc2.weight, fc3.bias, fc3.weight, lif1.beta, "
                 "lif1.graded_spikes_factor and 12 more: see docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors)


def test_network_is_as_the_vectors():
    data = vector("nb_snn_flat")
    tensors = {f"fc{k}.{kind}": data[f"{key}{k}"] for k in (1, 2, 3)
               for kind, key in (("weight", "w"), ("bias", "bias"))}
    for k in (1, 2, 3):
        tensors |= {f"lif{k}.beta": data["b"][k - 1], f"lif{k}.threshold": data["thr"][k - 1]}
    network = network_from_tensors(tensors | {
        "norm_layer.weight": data["gamma"], "norm_layer.bias": data["beta"],
        "v_x": data["v"][:1], "v_y": data["v"][1:]})
    trace = run_graded(network, recording_of(dense(data)))
    assert np.array_equal(trace.spikes.sum(axis=1), data["fired"])
    assert trace.velocity == pytest.approx(data["outputs"], abs=1e-12)


@pytest.mark.parametrize("session", SESSIONS)
def test_published_weights_give_the_published_answers(session):
    network, recording, wanted = published(
        "SNN_Flat", session, WEIGHTS / "SNN3_Weight" / f"{session}_model_state_dict.pth")
    assert run_graded(network, recording).velocity == pytest.approx(wanted, abs=1e-12)
