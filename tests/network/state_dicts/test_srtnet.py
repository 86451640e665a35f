# SPDX-License-Identifier: Apache-2.0
"""State dicts of the hybrid network, against its equations and answers of another program."""

import numpy as np
import pytest

from docs.make.vectors import hybrid_tensors
from spikewright.network.checkpoint import network_from_tensors
from spikewright.network.graded.run import run_graded
from tests.graded import random_counts, recording_of, srtnet_tensors
from tests.networks import refused
from tests.vectors import dense, vector


def equations(tensors, counts):
    """Outputs in the step in which each leaves, and spikes of the keypoints."""
    def convolved(name, past):
        weight = tensors[f"{name}.weight"]
        past = [np.zeros(weight.shape[1])] * weight.shape[2] + past
        return tensors[f"{name}.bias"] + np.einsum(
            "oij,ji->o", weight, np.array(past[-weight.shape[2]:]))

    m = [np.zeros(len(tensors[f"fc{k}.bias"])) for k in (1, 2)]
    z, thresholds = [0 * m[0], 0 * m[1]], [tensors[f"lif{k}.threshold"] for k in (1, 2)]
    y1, p1, y2 = [], [], [tensors["conv2.bias"]] * int(tensors["phase"])
    before, key, part = 0.0, 0.0, 0
    outputs, fired = [], []
    for n in range(len(counts)):
        y1.append(convolved("conv1", list(counts[:n + 1])))
        if n % 2:
            p1.append(np.maximum(y1[-2], y1[-1]))
            y2.append(convolved("conv2", p1))
        if n % 2 and len(y2) % 2 == 0:
            value = np.maximum(y2[-2], y2[-1])
            for k in (1, 2):
                c = (tensors[f"fc{k}.weight"] @ value + tensors[f"fc{k}.bias"]
                     + tensors[f"lif{k}.recurrent.weight"] @ z[k - 1])
                reset, beta = tensors[f"lif{k}.reset_mechanism_val"], tensors[f"lif{k}.beta"]
                old = m[k - 1] * (1 - z[k - 1]) if reset == 1 else m[k - 1]
                taken = thresholds[k - 1] * z[k - 1] if reset == 0 else 0
                m[k - 1] = beta * old + c - taken
                z[k - 1] = value = (m[k - 1] > thresholds[k - 1]).astype(float)
            before, key, part = key, tensors["fc3.weight"] @ value + tensors["fc3.bias"], 0
            fired.append(np.concatenate(z) > 0)
        part = min(part + 1, 4)
        outputs.append(tensors["mean"] + tensors["sd"] * (before + part * (key - before) / 4))
    return np.array(outputs), np.array(fired)


@pytest.mark.parametrize("reset", [0, 1, 2])
@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("seed, sizes", [
    (0, {}), (1, {"channels": 9, "features": (3, 7), "taps": (9, 18), "hidden": (8, 4)}),
    (2, {"channels": 2, "taps": (1, 1), "outputs": 3})])
def test_network_is_as_the_equations(seed, sizes, phase, reset):
    tensors = srtnet_tensors(seed, **sizes, phase=phase, reset=reset)
    counts = random_counts(seed, 150, sizes.get("channels", 6))
    network = network_from_tensors(tensors)
    assert (network.kind, network.channels) == ("sRTnet", counts.shape[1])
    wanted, fired = equations(tensors, counts)
    assert 0.02 < fired.mean() < 0.98
    trace = run_graded(network, recording_of(counts))
    first = 3 - 2 * phase
    assert np.array_equal(trace.spikes[first::4], fired)
    assert trace.spikes.sum() == fired.sum()
    assert trace.velocity == pytest.approx(wanted, abs=1e-12)


def test_what_the_file_does_not_say():
    """No biases, one beta and threshold for all neurons, reset to zero, phase 1, outputs as they
    are.
    """
    tensors = {key: value for key, value in srtnet_tensors(0).items()
               if "bias" not in key and key not in ("mean", "sd", "phase")
               and "reset" not in key}
    for k in (1, 2):
        tensors |= {f"lif{k}.beta": np.array(0.9), f"lif{k}.threshold": np.array([1.0])}
    network = network_from_tensors(tensors)
    assert network.stage("pool2").phase == 1
    assert not network.stage("pool2").before.any()
    for k, neurons in ((1, 6), (2, 5)):
        layer = network.stage(f"lif{k}")
        assert (layer.reset, layer.decay.tolist(), layer.threshold.tolist()) == (
            "zero_keep", [0.9] * neurons, [1.0] * neurons)
        assert not layer.bias.any()
    assert not any(network.stage(name).bias.any() for name in ("conv1", "conv2", "fc3"))
    assert np.array_equal(network.readout, np.eye(2))
    assert not network.offset.any()


def test_biases_of_a_layer_add_up():
    more = srtnet_tensors(0) | {"lif1.recurrent.bias": np.full(6, 0.5)}
    assert np.array_equal(network_from_tensors(more).stage("lif1").bias,
                          more["fc1.bias"] + 0.5)


SHAPES = (": the shapes are conv1.weight (F, C, K), conv2.weight (G, F, L), fc1.weight (H, G), "
          "lif1.recurrent.weight (H, H), fc2.weight (J, H), lif2.recurrent.weight (J, J), "
          "fc3.weight (O, J), conv1.bias (F), conv2.bias (G), fc1.bias (H), fc2.bias (J), "
          "fc3.bias (O), mean (O), sd (O), see docs/howto/checkpoint.md")


@pytest.mark.parametrize("change, message", [
    ({"conv2.weight": np.ones((4, 6, 4))},
     "conv2.weight must have shape (4, 5, 4) to fit the other tensors, not (4, 6, 4)" + SHAPES),
    ({"fc1.weight": np.ones((6, 5))},
     "fc1.weight must have shape (6, 4) to fit the other tensors, not (6, 5)" + SHAPES),
    ({"lif2.recurrent.weight": np.ones((5, 6))},
     "lif2.recurrent.weight must have shape (5, 5) to fit the other tensors, not (5, 6)" + SHAPES),
    ({"sd": np.ones(3)}, "sd must have shape (2,) to fit the other tensors, not (3,)" + SHAPES),
    ({"phase": np.array(2.0)}, "phase must be 0 or 1, not 2"),
    ({"phase": np.ones(2)}, "phase must be 0 or 1, not shape (2,)"),
    ({"lif1.threshold": np.zeros(6)}, "lif1.threshold must be above 0, not 0 at [0]"),
    ({"lif1.reset_mechanism_val": np.array(3.0)},
     "lif1.reset_mechanism_val must be 0, 1 or 2, not 3"),
    ({"lif1.beta": np.array(1.5)}, "lif1.beta must be 0 or more and below 1, not 1.5"),
    ({"lif2.beta": np.array(np.inf)}, "lif2.beta must be finite, not inf"),
    ({"sd": np.array([1.0, 0.0])}, "sd must be above 0, not 0 at [1]"),
    ({"mean": np.array([0.0, np.nan])}, "mean must be finite, not nan at [1]"),
    ({"lif1.beta": np.full(5, 0.5)},
     "lif1.beta must be one number, or one for each of 6 neurons, not of shape (5,)"),
    ({"conv3.bias": np.ones(2)},
     ("Checkpoint must have only conv1.weight (F, C, K), conv2.weight (G, F, L), fc1.weight (H, G),"
      " lif1.recurrent.weight (H, H), fc2.weight (J, H), lif2.recurrent.weight (J, J), fc3.weight "
      "(O, J), lif1.beta, lif1.threshold, lif2.beta, lif2.threshold, not 'conv3.bias': see "
      "docs/howto/checkpoint.md"))])
def test_wrong_tensor(change, message):
    with refused(message, ValueError):
        network_from_tensors(srtnet_tensors(0) | change)


def test_missing_tensor():
    tensors = srtnet_tensors(0)
    del tensors["lif2.recurrent.weight"]
    with refused("Checkpoint must have lif2.recurrent.weight (J, J), not only conv1.bias, "
                 "conv1.weight, conv2.bias, conv2.weight, fc1.bias, fc1.weight, fc2.bias, "
                 "fc2.weight and 12 more: see docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors)


@pytest.mark.parametrize("name", ["srtnet_zero", "srtnet_subtract", "trained_srtnet"])
def test_network_is_as_the_vectors(name):
    data = vector(name)
    network = network_from_tensors(hybrid_tensors(data))
    trace = run_graded(network, recording_of(dense(data)), watch=("pool2", "fc3"))
    first = 3 - 2 * int(data["phase"])
    for k in (1, 2):
        neurons = len(data[f"beta_{k - 1}"])
        spikes = np.unpackbits(data[f"spikes_{k - 1}"], axis=1)[:, :neurons] > 0
        assert np.array_equal(trace.spikes[first::4, network.spike_columns[f"lif{k}"]], spikes)
    assert trace.values["pool2"].values == pytest.approx(data["features"], abs=1e-12)
    assert trace.values["fc3"].values == pytest.approx(data["keypoints"], abs=1e-12)
    assert trace.velocity[first:] == pytest.approx(data["outputs"][:len(trace.velocity) - first],
                                                   abs=1e-12)
