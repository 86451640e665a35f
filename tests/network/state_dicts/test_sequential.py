# SPDX-License-Identifier: Apache-2.0
"""Networks of torch's nn.Sequential, in memory and as a described state dict."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import spikewright as sw
from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.graded.layers import Dense, Rectify
from spikewright.network.graded.run import counted, run_graded
from spikewright.network.metrics import r_squared
from spikewright.plan.config import CoreConfig
from tests.networks import random_recording, refused

DT, WINDOW, SCALE = 0.004, 5, 0.5
MEAN, SD = [3.0, -1.0], [20.0, 30.0]
CHOICES = {"window": WINDOW, "scale": SCALE, "mean": MEAN, "sd": SD}


def _module(torch, *parts):
    """A module with statistics that differ from unit to unit, some gains below 0."""
    torch.manual_seed(1)
    module = torch.nn.Sequential(*parts)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            if part.affine:
                torch.nn.init.normal_(part.weight)
                torch.nn.init.normal_(part.bias)
    return module.eval()


def _modules(torch):
    nn = torch.nn
    return {
        "plain": _module(torch, nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 2)),
        "behind": _module(torch, nn.Flatten(), nn.Linear(6, 9), nn.ReLU(), nn.BatchNorm1d(9),
                          nn.Dropout(), nn.Linear(9, 7, bias=False), nn.ReLU(),
                          nn.BatchNorm1d(7, eps=0.1), nn.Linear(7, 2)),
        "before": _module(torch, nn.BatchNorm1d(6, affine=False),
                          nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9), nn.ReLU()),
                          nn.Linear(9, 2), nn.BatchNorm1d(2))}


@pytest.mark.parametrize("name", ["plain", "behind", "before"])
def test_answers_are_those_of_torch(name):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module = _modules(torch)[name]
    network = sw.from_sequential(module, dt=DT, **CHOICES)
    recording = random_recording(1, 6, 200, rate=0.4)
    counts = counted(recording).values
    sums = np.stack([counts[max(0, t - WINDOW + 1):t + 1].sum(axis=0) for t in range(200)])
    with torch.no_grad():
        wanted = module.double()(torch.from_numpy(SCALE * sums)).numpy()
    wanted[:WINDOW - 1] = 0
    found = run_graded(network, recording).velocity
    assert np.abs(found - (np.array(MEAN) + np.array(SD) * wanted)).max() < 1e-9
    assert (network.kind, network.channels, network.dt) == ("Sequential", 6, DT)


def test_integers_decode_as_the_module():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    network = sw.from_sequential(_modules(torch)["behind"], dt=DT, **CHOICES)
    assert [stage.name for stage in network.stages] == [
        "window", "linear1", "relu2", "linear5", "relu6", "linear8"]
    assert [type(stage) for stage in network.stages[1:]] == [Dense, Rectify, Dense, Rectify, Dense]
    model = sw.quantize(network)
    recording = random_recording(2, 6, 400, rate=0.4)
    answer = run_golden(model.integers, recording, CoreConfig())
    assert r_squared(run_graded(network, recording).velocity, answer.velocity).min() > 0.98


def _described(folder, modules=None, tensors=None, **changes):
    """A description in ``folder``, of a network with a rectifier and a normalization behind it."""
    rng = np.random.default_rng(3)
    save_file({"0.weight": rng.normal(size=(4, 6)), "0.bias": rng.normal(size=4),
               "2.running_mean": rng.normal(size=4), "2.running_var": np.full(4, 2.0),
               "2.num_batches_tracked": np.array(7), "3.weight": rng.normal(size=(2, 4)),
               **(tensors or {})}, folder / "net.safetensors")
    content = {"state_dict": "net.safetensors", "dt": DT, "window": WINDOW, "modules":
               {"0": "Linear", "1": "ReLU", "2": "BatchNorm1d", "3": "Linear"}
               if modules is None else modules, **changes}
    path = folder / "net.json"
    path.write_text(json.dumps(content))
    return path


def test_described_state_dict_is_the_module(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    nn = torch.nn
    network = read_checkpoint(_described(tmp_path, scale=SCALE, mean=MEAN, sd=SD))
    module = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.BatchNorm1d(4, affine=False),
                           nn.Linear(4, 2, bias=False))
    tensors = load_file(tmp_path / "net.safetensors")
    module.double().load_state_dict({key: torch.from_numpy(tensor)
                                     for key, tensor in tensors.items()})
    same = sw.from_sequential(module, dt=DT, **CHOICES)
    recording = random_recording(1, 6, 50, rate=0.4)
    assert np.array_equal(run_graded(network, recording).velocity,
                          run_graded(same, recording).velocity)


def test_commands_take_the_description(tmp_path, call_command):
    path = _described(tmp_path)
    assert call_command("read", path)[1].splitlines()[1:3] == [
        "step     4 ms", "input    6 channels"]
    status, _, err = call_command("quantize", path, "-o", tmp_path / "model")
    assert status == 0, err
    assert sw.load(tmp_path / "model").facts["checkpoint"]["file"] == "net.json"


SEE = "see docs/howto/checkpoint.md"


@pytest.mark.parametrize("changes, message", [
    ({"modules": {"0": "Tanh"}}, (": Module 0 must be one of Linear, ReLU, BatchNorm1d, Dropout, "
                                  "Flatten, Identity, not 'Tanh'")),
    ({"modules": {}}, ": Modules must have a Linear, and before it no ReLU, not nothing"),
    ({"modules": {"0": "ReLU", "1": "Linear"}},
     ": Modules must have a Linear, and before it no ReLU, not ReLU, Linear"),
    ({"modules": ["Linear"]},
     f" modules must be an object with the kind of each module, not ['Linear']: {SEE}"),
    ({"window": 65}, ": window must be a whole number from 1 to 64, not 65"),
    ({"window": True}, ": window must be a whole number from 1 to 64, not True"),
    ({"scale": [1.0]}, ": scale must be a finite number, not [1.0]"),
    ({"sd": "1"}, ": sd must be a finite number or a list of them, not '1'"),
    ({"scale": 10**400}, f": scale must be a finite number, not 1{400 * '0'}"),
    ({"mean": [0, -10**400]}, (
        f": mean must be a finite number or a list of them, not [0, -1{400 * '0'}]")),
    ({"sd": float("inf")}, ": sd must be a finite number or a list of them, not inf"),
    ({"sd": []}, ": sd must be a finite number or a list of them, not []"),
    ({"sd": [1, 0]}, ": sd must be above 0, not [1, 0]"),
    ({"scale": 0}, ": scale must be above 0, not 0"),
    ({"norm": 1},
     f" must have only state_dict, dt, modules, window, scale, mean, sd, not 'norm': {SEE}")])
def test_wrong_description_is_refused(tmp_path, changes, message):
    path = _described(tmp_path, **changes)
    with refused(f"Description {path}{message}"):
        read_checkpoint(path)


@pytest.mark.parametrize("changes, message", [
    ({"mean": [1, 2, 3]}, "mean must have a number for each of the 2 outputs, not 3"),
    ({"tensors": {"3.weight": np.zeros((2, 5))}},
     "3.weight must have shape (2, 4) to fit the module before, not (2, 5)"),
    ({"tensors": {"2.running_var": -np.ones(4)}}, "2.running_var must be 0 or more, not -1 at [0]"),
    ({"tensors": {"0.bias": np.array([0, np.nan, 0, 0])}}, "0.bias must be finite, not nan at [1]"),
    ({"tensors": {"3.weight": np.ones(4)}},
     "3.weight must have shape (4, 4) to fit the module before, not (4,)"),
    ({"modules": {"0": "Linear", "2": "BatchNorm1d"}}, (
        "Checkpoint must have only 0.weight (outputs, inputs), 2.running_mean (units), "
        f"2.running_var (units), not '3.weight': {SEE}")),
    ({"modules": {"5": "Linear"}}, (
        "Checkpoint must have 5.weight (outputs, inputs), not only 0.bias, 0.weight, "
        f"2.num_batches_tracked, 2.running_mean, 2.running_var, 3.weight: {SEE}"))])
def test_wrong_state_dict_is_refused(tmp_path, changes, message):
    path = _described(tmp_path, **changes)
    with refused(f"{path}: {message}"):
        read_checkpoint(path)


def test_wrong_modules_are_refused():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    nn = torch.nn
    with refused("Module must be an nn.Sequential, not Linear"):
        sw.from_sequential(nn.Linear(6, 2), dt=DT, window=5)
    with refused("Module 1 must be one of Linear, ReLU, BatchNorm1d, Dropout, Flatten, Identity, "
                 "not 'Tanh'"):
        sw.from_sequential(nn.Sequential(nn.Linear(6, 2), nn.Tanh()), dt=DT, window=5)
    with refused("1.eps must be 0 or more, not -1.0"):
        sw.from_sequential(nn.Sequential(nn.Linear(6, 2), nn.BatchNorm1d(2, eps=-1.0)), dt=DT,
                           window=5)
    constant = nn.BatchNorm1d(2, eps=0.0)
    constant.running_var[1] = 0
    with refused("1.running_var must be above 0, because eps is 0, not 0 at [1]"):
        sw.from_sequential(nn.Sequential(nn.Linear(6, 2), constant), dt=DT, window=5)
    with refused("dt must be seconds between 0 and 10, not 0"):
        sw.from_sequential(nn.Sequential(nn.Linear(6, 2)), dt=0, window=5)
    with refused("Checkpoint must have 1.running_mean (units), 1.running_var (units), not only "
                 f"0.bias, 0.weight, 1.bias, 1.weight: {SEE}"):
        sw.from_sequential(nn.Sequential(nn.Linear(6, 2), nn.BatchNorm1d(
            2, track_running_stats=False)), dt=DT, window=5)
    with refused("Layers must be Linear, with a ReLU between any two, so that they can be rounded "
                 "to integers, not Linear, ReLU"):
        sw.quantize(sw.from_sequential(nn.Sequential(nn.Linear(6, 2), nn.ReLU()), dt=DT, window=5))
