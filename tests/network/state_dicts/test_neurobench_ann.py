# SPDX-License-Identifier: Apache-2.0
"""State dicts of NeuroBench's ANN and ANN_Flat, against their equations and published answers."""

import numpy as np
import pytest

from spikewright.network.checkpoint import network_from_tensors
from spikewright.network.graded.run import run_graded
from tests.graded import ann_tensors, random_counts, recording_of
from tests.networks import refused
from tests.vectors import SESSIONS, WEIGHTS, dense, published, vector

FOLDERS = {"ANN": "2D_ANN_Weight", "ANN_Flat": "3D_ANN_Weight"}


def equations(tensors, counts):
    """Outputs of the training code: frames of 50 rows, and three layers in evaluation mode."""
    frame, outputs = [np.zeros_like(counts[0])], []
    flat = tensors["fc1.weight"].shape[1] == 7 * counts.shape[1]
    for t in range(len(counts)):
        if flat:
            frame = [*frame, counts[t]][-50:]
            rows = np.array([*frame, *[np.zeros_like(counts[0])] * (50 - len(frame))])
            x = rows[:49].reshape(7, 7, -1).sum(axis=1).T.ravel()
        else:
            x = counts[max(0, t - 49):t + 1].sum(axis=0)
        for k in (1, 2):
            x = np.maximum(tensors[f"fc{k}.weight"] @ x + tensors[f"fc{k}.bias"], 0)
            gain, offset, mean, variance = (tensors[f"batchnorm{k}.{name}"] for name in (
                "weight", "bias", "running_mean", "running_var"))
            x = (x - mean) / np.sqrt(variance + 1e-5) * gain + offset
        ready = flat or t >= 49
        outputs.append(ready * (tensors["fc3.weight"] @ x + tensors["fc3.bias"]))
    return np.array(outputs)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("seed, channels, hidden, outputs", [
    (0, 6, (5, 4), 2), (1, 96, (32, 48), 2), (2, 3, (1, 9), 1), (3, 11, (7, 2), 3)])
def test_network_is_as_the_equations(seed, channels, hidden, outputs, flat):
    tensors = ann_tensors(seed, channels, hidden, outputs, flat)
    counts = random_counts(seed, 130, channels)
    network = network_from_tensors(tensors)
    assert (network.kind, network.channels, network.dt) == (
        "ANN_Flat" if flat else "ANN", channels, 4e-3)
    wanted = equations(tensors, counts)
    found = run_graded(network, recording_of(counts)).velocity
    assert found == pytest.approx(wanted, abs=1e-9 * np.abs(wanted).max())
    assert wanted[60:].std() > 0


def test_parts_decide_where_shapes_do_not():
    tensors = ann_tensors(0, channels=14)
    assert network_from_tensors(tensors).kind == "ANN_Flat"
    network = network_from_tensors(tensors | {"parts": np.array(1.0)})
    assert (network.kind, network.channels) == ("ANN", 14)
    flat = network_from_tensors(ann_tensors(0, flat=True) | {"parts": np.array(7.0)})
    assert (flat.kind, flat.channels) == ("ANN_Flat", 6)


def test_steps_of_the_window():
    network = network_from_tensors(ann_tensors(0) | {"steps": np.array(8.0)})
    assert network.stage("window").width == 8


def test_prefix():
    tensors = {f"module.{key}": value for key, value in ann_tensors(0).items()}
    assert network_from_tensors(tensors).kind == "ANN"


KEYS = ("fc1.weight (H, I), fc1.bias (H), fc2.weight (J, H), fc2.bias (J), fc3.weight (O, J), "
        "fc3.bias (O), " + ", ".join(
            f"batchnorm{k}.{name} ({size})" for k, size in ((1, "H"), (2, "J"))
            for name in ("weight", "bias", "running_mean", "running_var")))
SHAPES = f": the shapes are {KEYS}, see docs/howto/checkpoint.md"


@pytest.mark.parametrize("change, message", [
    ({"fc4.bias": np.ones(2)},
     f"Checkpoint must have only {KEYS}, not 'fc4.bias': see docs/howto/checkpoint.md"),
    ({"fc2.weight": np.ones((4, 6))},
     "fc2.weight must have shape (4, 5) to fit the other tensors, not (4, 6)" + SHAPES),
    ({"batchnorm2.running_var": np.ones(5)},
     "batchnorm2.running_var must have shape (4,) to fit the other tensors, not (5,)" + SHAPES),
    ({"batchnorm1.running_var": -np.ones(5)},
     "batchnorm1.running_var must be 0 or more, not -1 at [0]"),
    ({"batchnorm1.bias": np.full(5, np.inf)}, "batchnorm1.bias must be finite, not inf at [0]"),
    ({"fc1.weight": np.ones(5)}, "fc1.weight must have 2 non-empty axes, not shape (5,)" + SHAPES),
    ({"steps": np.array(65.0)}, "steps must be a whole number from 1 to 64, not 65"),
    ({"steps": np.array(2.5)}, "steps must be a whole number from 1 to 64, not 2.5"),
    ({"parts": np.array(2.0)}, "parts must be 1 or 7, not 2"),
    ({"parts": np.ones(2)}, "parts must be 1 or 7, not shape (2,)"),
    ({"steps": np.array(np.nan)}, "steps must be a whole number from 1 to 64, not nan"),
    ({"batchnorm1.num_batches_tracked": np.ones(2)},
     "batchnorm1.num_batches_tracked must be one number, not shape (2,)"),
    ({"batchnorm2.num_batches_tracked": np.array(np.inf)},
     "batchnorm2.num_batches_tracked must be finite, not inf"),
    ({"parts": np.array(7.0)},
     "fc1.weight must have a multiple of 7 columns, because parts is 7, not 6")])
def test_wrong_tensor(change, message):
    with refused(message, ValueError):
        network_from_tensors(ann_tensors(0) | change)


def test_missing_tensor():
    tensors = ann_tensors(0)
    del tensors["batchnorm2.running_mean"], tensors["fc3.bias"]
    with refused("Checkpoint must have fc3.bias (O), batchnorm2.running_mean (J), not only "
                 "batchnorm1.bias, batchnorm1.num_batches_tracked, batchnorm1.running_mean, "
                 "batchnorm1.running_var, batchnorm1.weight, batchnorm2.bias, "
                 "batchnorm2.num_batches_tracked, batchnorm2.running_var and 6 more: see "
                 "docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors)


@pytest.mark.parametrize("name", ["nb_ann", "nb_ann_flat"])
def test_network_is_as_the_vectors(name):
    data = vector(name)
    tensors = {f"fc{k}.{kind}": data[f"{key}{k}"] for k in (1, 2, 3)
               for kind, key in (("weight", "w"), ("bias", "bias"))}
    for k in (1, 2):
        names = ("weight", "bias", "running_mean", "running_var")
        tensors |= {f"batchnorm{k}.{name}": value
                    for name, value in zip(names, data[f"bn{k}"], strict=True)}
    network = network_from_tensors(tensors)
    assert network.kind == ("ANN_Flat" if data["flat"] else "ANN")
    found = run_graded(network, recording_of(dense(data))).velocity
    assert found == pytest.approx(data["outputs"], abs=1e-12)


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("kind", FOLDERS)
def test_published_weights_give_the_published_answers(kind, session):
    network, recording, wanted = published(
        kind, session, WEIGHTS / FOLDERS[kind] / f"{session}_model_state_dict.pth")
    assert network.kind == kind
    assert run_graded(network, recording).velocity == pytest.approx(wanted, abs=1e-12)
