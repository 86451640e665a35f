# SPDX-License-Identifier: Apache-2.0
"""Training of graded networks. The trained network is the float network of its state dict."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.network.checkpoint import network_from_tensors, read_checkpoint
from spikewright.network.graded.run import run_graded
from spikewright.network.metrics import r_squared
from spikewright.train.graded.recipe import GRADED, GradedRecipe
from spikewright.train.reaches import Units, simulate
from spikewright.train.recording import dense, held_out, target_velocity
from tests.graded import random_counts, recording_of
from tests.networks import refused

torch = pytest.importorskip("torch")

from spikewright.train.graded.fit import (  # noqa: E402  # they need torch
    MODELS,
    _Sums,
    _Windows,
    fit_graded,
    save_graded,
)
from spikewright.train.graded.models import Ann, Hybrid, Leaky  # noqa: E402


def _network(model, dt=4e-3):
    return network_from_tensors({key: value.double().numpy()
                                 for key, value in model.state_dict().items()}, dt)


def _shaken(kind, channels=6, dt=4e-3):
    """A model with values everywhere that are not those of the beginning."""
    torch.manual_seed(1)
    model = MODELS[kind](channels, dt)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.rand(parameter.shape)
        for name, buffer in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer += torch.rand(buffer.shape)
    return model.eval()


def test_trained_neurons_are_in_the_range_of_the_reader():
    neurons = Leaky((3,), 0.5, 0.5, 0)
    with torch.no_grad():
        neurons.beta.copy_(torch.tensor([-0.1, 0.5, 1.2]))
        neurons.threshold.copy_(torch.tensor([-1.0, 0.0, 2.0]))
    neurons.keep()
    assert neurons.beta.tolist() == pytest.approx([0, 0.5, 0.999])
    assert neurons.threshold.tolist() == pytest.approx([1e-3, 1e-3, 2])


@pytest.mark.parametrize("kind", ["ann", "ann_flat", "snn_flat"])
def test_model_of_sums_is_the_network(kind):
    model, recording = _shaken(kind), recording_of(random_counts(0, 120, 6))
    model.scale(torch.tensor([3.0, -1.0]), torch.tensor([2.0, 5.0]))
    network = _network(model)
    assert network.kind.lower() == kind
    sums = _Sums(recording, model.window, np.zeros((120, 2)))
    with torch.no_grad():
        wanted = model(sums.sums(torch.arange(len(sums.edges)))).numpy()
    found = run_graded(network, recording).velocity[-len(wanted):]
    # In single precision, a membrane beside its threshold may fire or not.
    assert np.median(np.abs(found - wanted)) < 1e-5
    near = (np.abs(found - wanted) < 1e-4).all(axis=1).mean()
    assert near > 0.95 if kind == "snn_flat" else near == 1


def test_hybrid_model_is_the_network():
    model, recording = _shaken("srtnet"), recording_of(random_counts(0, 200, 6))
    model.begin(torch.from_numpy(dense(recording))[None].float())
    model.scale(torch.tensor([3.0, -1.0]), torch.tensor([2.0, 5.0]))
    network = _network(model)
    trace = run_graded(network, recording, watch=["fc3"])
    with torch.no_grad():
        keys, spikes = model(torch.from_numpy(dense(recording))[None].float())
    assert 0.02 < spikes.mean() < 0.98
    fired = trace.spikes[3::4]
    same = (fired == spikes[0].numpy().astype(bool)).all(axis=1)
    assert same.mean() > 0.9
    assert trace.values["fc3"].values[same] == pytest.approx(keys[0].numpy()[same], abs=1e-4)
    assert (network.offset.tolist(), np.diag(network.readout).tolist()) == ([3, -1], [2, 5])


@pytest.mark.parametrize("kind", MODELS)
def test_scale(kind):
    model, recording = _shaken(kind), recording_of(random_counts(0, 120, 6))
    before = run_graded(_network(model), recording).velocity
    model.scale(torch.tensor([3.0, -1.0]), torch.tensor([2.0, 5.0]))
    after = run_graded(_network(model), recording).velocity
    ready = slice(49, None)
    assert after[ready] == pytest.approx(before[ready] * [2, 5] + [3, -1], abs=1e-4)


@pytest.mark.parametrize("dt, steps", [(4e-3, 50), (0.05, 4), (1e-3, 64), (0.5, 1)])
def test_window_of_the_ann_is_200_ms_long(dt, steps):
    assert _network(Ann(3, dt), dt).stage("window").width == steps


def _session(bins, trials=1):
    return simulate(n_bins=bins, seed=1, units=Units(channels=30), trials=trials)


@pytest.mark.parametrize("kind, epochs, least", [("ann", 8, 0.4), ("ann_flat", 6, 0.4),
                                                 ("snn_flat", 6, 0.3), ("srtnet", 12, 0.3)])
def test_training_learns_and_repeats(kind, epochs, least):
    seen, unseen = held_out(_session(6000, trials=2))
    recipe = GradedRecipe(network=kind, epochs=epochs, seed=3)
    tensors = fit_graded(seen, recipe, progress=False)
    network = network_from_tensors({key: np.asarray(value, float)
                                    for key, value in tensors.items()}, seen.dt)
    scores = r_squared(target_velocity(unseen), run_graded(network, unseen).velocity)
    assert scores.mean() > least
    if kind == "ann":
        again = fit_graded(seen, recipe, progress=False)
        assert all(np.array_equal(tensors[key], again[key]) for key in tensors)


def test_batches_do_not_cross_a_reset():
    session = _session(1000, trials=3)
    starts = np.flatnonzero(session.reset)
    sums = _Sums(session, Ann(30, 4e-3).window, np.zeros((1000, 2)))
    assert len(sums.edges) == 1000 - 3 * 49
    assert not any(((sums.edges[:, 0] < start) & (sums.edges[:, 1] > start)).any()
                   for start in starts)
    windows = _Windows(session, np.zeros((1000, 2)))
    for steps, first, stop in windows.batches(np.random.default_rng(0)):
        inside = (steps >= first) & (steps < stop)
        assert (inside[:, 0]).all()
        assert steps.shape[1] % 4 == 0
    assert np.isfinite(windows.error(Hybrid(30, 4e-3)))


def test_file_has_the_step(tmp_path):
    model = Ann(3, 0.02)
    save_graded(tmp_path / "net.safetensors", {
        key: value.numpy() for key, value in model.state_dict().items()}, 0.02)
    network = read_checkpoint(tmp_path / "net.safetensors")
    assert (network.kind, network.dt, network.stage("window").width) == ("ANN", 0.02, 10)


@pytest.mark.parametrize("change, message", [
    (lambda session: replace(session, velocity=session.velocity * [1, 0]),
     "must change on both axes to train on, not be constant"),
    (lambda session: replace(session, velocity=None),
     "must hold velocity or force to train on, not only spikes")])
def test_recording_that_cannot_teach(change, message):
    session = replace(_session(200), name="a")
    with pytest.raises(ValueError, match=message):
        fit_graded(change(session), GradedRecipe(network="ann", epochs=1), progress=False)


@pytest.mark.parametrize("network, first, length", [
    ("ann", 0, 20), ("srtnet", 0, 3),
    ("ann", 360, 20), ("srtnet", 360, 3)])      # only the last tenth, which validates
def test_recording_of_short_trials(network, first, length):
    step = np.arange(400)
    session = replace(_session(400), name="a", reset=(step >= first) & (step % length == 0))
    with refused("Recording a trials, also in the part that validates, must be as long as the "
                 "window of the network to train on, not shorter"):
        fit_graded(session, GradedRecipe(network=network, epochs=1), progress=False)


@pytest.mark.parametrize("settings, message", [
    ({"network": "gru"}, ("Training network must be one of ann, ann_flat, snn_flat, srtnet, not "
                         "'gru'")),
    ({"epochs": 0}, "Training epochs must be between 1 and 100000, not 0"),
    ({"seed": -1}, "Training seed must be between 0 and 2147483647, not -1")])
def test_wrong_recipe(settings, message):
    with refused(message, ValueError):
        GradedRecipe(**{"network": "ann", "epochs": 1} | settings)
    assert set(GRADED) == set(MODELS)
