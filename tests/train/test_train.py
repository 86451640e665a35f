# SPDX-License-Identifier: Apache-2.0

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.metrics import r_squared
from spikewright.network.recording import read_recording
from spikewright.network.state_dicts.rsnn import KEYS
from spikewright.train.fitting.recipe import Recipe
from spikewright.train.reaches import Units, simulate
from tests.networks import make_recording, refused

try:
    import torch

    import spikewright.train.fitting.fit as fit_module
    from spikewright.train.fitting.fit import _error, _step, fit
    from spikewright.train.fitting.initial import slow_down
    from spikewright.train.fitting.model import LEAD, TinyRSNN
    from spikewright.train.fitting.predict import predict
    from spikewright.train.fitting.pruning import sparsity_at, trimmed
    from spikewright.train.fitting.windows import Windows
except ModuleNotFoundError:
    torch = None

ROOT   = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"

needs_torch  = pytest.mark.skipif(torch is None, reason="torch is not installed")
needs_shared = pytest.mark.skipif(not (SHARED / "reference").is_dir(),
                                  reason="the published networks are not in ../shared")


@needs_torch
@needs_shared
@pytest.mark.parametrize("name", [
    "indy01_tinyRSNN-1_poisson", "indy01_tinyRSNN-2_poisson", "indy01_tinyRSNN-3_poisson",
    "indy03_tinyRSNN-1_mc_rtt",  "indy03_tinyRSNN-2_mc_rtt",  "indy03_tinyRSNN-3_mc_rtt",
    "indy03_tinyRSNN-1_poisson", "indy03_tinyRSNN-2_poisson", "indy03_tinyRSNN-3_poisson",
    "loco01_tinyRSNN-1_poisson", "loco01_tinyRSNN-2_poisson", "loco01_tinyRSNN-3_poisson",
    "loco03_tinyRSNN-1_poisson", "loco03_tinyRSNN-2_poisson", "loco03_tinyRSNN-3_poisson",
])
def test_model_matches_published(name):
    session, network, _ = name.split("_", 2)
    state = torch.load(SHARED / "checkpoints" / session / f"{network}.pth",
                       weights_only=True, map_location="cpu")
    path  = SHARED / "reference" / f"{name}.npz"
    output, hidden = predict(TinyRSNN.from_state(state).eval(), read_recording(path))
    with np.load(path) as reference:
        wanted = np.unpackbits(reference["hidden_fp32"], axis=1)
        assert wanted.any() and (hidden == wanted).all()
        np.testing.assert_allclose(output, reference["velocity_fp32"], rtol=0, atol=1e-5)


@needs_torch
def test_model_counts_steps():
    # One spike that fires the unit: input 2 steps late to the membrane, output 5 to the velocity.
    model = TinyRSNN(1, 1, 1)
    with torch.no_grad():
        for con, weight in ((model.con1, 100.0), (model.con2, 0.0), (model.con3, 1.0)):
            con.op.weight.fill_(weight)
        spikes = torch.zeros(10, 1, 1)
        spikes[0] = 1
        output, hidden = model(spikes)
    assert hidden[:, 0, 0].nonzero().min() == 3
    assert output[:, 0, 0].nonzero().min() == 5


@needs_torch
def test_model_at_the_earliest_time_leads():
    torch.manual_seed(1)
    late = TinyRSNN(8, 6, 2)
    with torch.no_grad():
        late.con1.op.weight.normal_(std=4)
        early = TinyRSNN.from_state(late.state_dict(), time="earliest")
        spikes = (torch.rand(60, 3, 8) < 0.2).float()
        (output, hidden), (delayed, fired) = early(spikes), late(spikes)
    assert fired.any() and output.shape == delayed.shape and hidden.shape == fired.shape
    assert (output[:-LEAD] == delayed[LEAD:]).all() and (hidden[:-3] == fired[3:]).all()


def delay_line(time):
    """A network whose output 0 is its input of `LEAD` steps before, and output 1 twice of it."""
    model = TinyRSNN(1, 1, 2, time=time)
    with torch.no_grad():
        for key in KEYS:
            if "_param" in key:
                model.get_parameter(key).fill_(-9)      # time constants of microseconds
        model.con1.op.weight.fill_(100)
        model.con2.op.weight.fill_(0)
        model.con3.op.weight.copy_(torch.tensor([[1.0], [2.0]]))
    return model


@needs_torch
def test_loss_knows_the_lead():
    """The answer of each step is compared with the movement in it, also at ends of trials."""
    spikes = np.random.default_rng(1).random(200) < 0.2
    spikes[1:] &= ~spikes[:-1]                          # the unit loses the input after a spike
    recording = make_recording([[0] if spike else [] for spike in spikes], channels=1,
                               reset=[0, 90, 93])
    wanted = spikes[:, None] * np.array([1.0, 2.0])
    recording = replace(recording, velocity=wanted)
    errors = {}
    for time in ("earliest", "published"):
        model  = delay_line(time)
        recipe = Recipe(batch=16, window=0.2, dropout=0, lowest=0, highest=1e3)
        batch  = Windows(recording, recipe).draw(np.random.default_rng(2))
        errors[time] = (_error(model, recording), _step(
            model, batch, recipe, torch.optim.SGD(model.parameters(), lr=0))[0])
    assert errors["earliest"] == pytest.approx((0, 1e-6), rel=0, abs=1e-6)
    assert min(errors["published"]) > 0.5


@needs_torch
def test_windows_settle():
    """The first steps of a window count only where the trial begins; none after its end counts."""
    recording = replace(make_recording([[0]] * 60, channels=1, reset=[0, 4], dt=0.1),
                        velocity=np.arange(120.0).reshape(60, 2))
    recipe  = Recipe(batch=500, window=0.8, settle=0.3)
    windows = Windows(recording, recipe)
    _, target, mask = windows.draw(np.random.default_rng(1))
    assert target.shape == (8, 500, 2) and mask.shape == (8, 500, 1)
    counts = {}
    for first, counted in zip(target[0, :, 0] / 2, mask[:, :, 0].T, strict=True):
        counts.setdefault(int(first), counted.tolist())
    assert counts.pop(0) == [True] * 4 + [False] * 4
    assert counts.pop(4) == [True] * 8
    assert len(counts) > 30 and min(counts) >= 5 and max(counts) == 52
    assert all(counted == [False] * 3 + [True] * 5 for counted in counts.values())


@needs_torch
@pytest.mark.parametrize("reset, batches", [
    ([0], 2),                                           # 200 steps, 4 windows of 40 in a batch
    ([0, *range(40, 200, 10)], 4),                      # a window has 16 steps on average
    ([0, *range(10, 200, 10)], 5)])
def test_windows_of_an_epoch(reset, batches):
    """Together, they are as long as the recording, also where trials are shorter than a window."""
    recording = replace(make_recording([[0]] * 200, channels=1, reset=reset, dt=0.1),
                        velocity=np.zeros((200, 2)))
    windows = Windows(recording, Recipe(batch=4, window=4.0, settle=0.0))
    assert windows.per_epoch == batches
    rng = np.random.default_rng(1)
    drawn = np.mean([windows.draw(rng)[2].sum() for _ in range(500)])
    assert drawn * (batches - 1) < 200 <= drawn * batches * 1.05


@needs_torch
def test_validation_is_apart(session, monkeypatch):
    """The part that chooses the best batch is the last tenth, and no batch has it."""
    learnt, judged = [], []
    monkeypatch.setattr(fit_module, "Windows", lambda recording, *rest: (
        learnt.append(recording) or Windows(recording, *rest)))
    monkeypatch.setattr(fit_module, "_error", lambda model, recording: (
        judged.append(recording) or _error(model, recording)))
    fit(session, Recipe(hidden=4, epochs=8), progress=False)
    assert [recording.steps for recording in learnt] == [450]
    assert {recording.steps for recording in judged} == {50} and len(judged) > 1
    centred = (session.velocity - session.velocity.mean(0)) / session.velocity.std(0)
    assert (learnt[0].velocity == centred[:450]).all()
    assert (judged[0].velocity == centred[450:]).all()


@needs_torch
def test_best_network_is_kept(session, monkeypatch):
    errors = iter([0.5, 0.25, 0.75])
    monkeypatch.setattr(fit_module, "_error", lambda *_: next(errors))
    copies = []
    monkeypatch.setattr(fit_module, "deepcopy", lambda model: (
        copies.append(deepcopy(model)) or copies[-1]))
    model = fit(session, Recipe(hidden=4, epochs=8), progress=False)
    assert len(copies) == 3
    wanted = trimmed(copies[1].rounded(), 0.45).con2.op.weight
    assert (model.con2.op.weight == wanted).all() and (wanted == 0).sum() == 8


@pytest.mark.parametrize("done, part", [
    (0.39, 0), (0.4, 0), (0.4351, 0.271), (0.5751, 0.875), (0.75, 1), (1, 1),
])
@needs_torch
def test_pruning_in_steps(done, part):
    assert sparsity_at(done, 0.4) == pytest.approx(0.4 * part)


@needs_torch
def test_time_constants_follow_the_step():
    for dt, factor in ((0.001, 1), (0.004, 1), (0.016, 2), (0.1, 5)):
        model = TinyRSNN(1, 2, dt=dt)
        slow_down(model)
        tau = torch.tensor([10e-3, 20e-3, 10e-3, 50e-3]) * factor
        for decay, wanted in zip(model.decays(), torch.exp(-dt / tau), strict=True):
            assert torch.allclose(decay, wanted, rtol=1e-5, atol=0)


@needs_torch
def test_model_learns_everything():
    torch.manual_seed(1)
    model = TinyRSNN(8, 6, 2)
    with torch.no_grad():
        model.con1.op.weight.normal_(std=2)
    output, _ = model((torch.rand(100, 4, 8) < 0.2).float())
    (output - 1).square().mean().backward()
    assert tuple(sorted(model.state_dict())) == tuple(sorted(KEYS))
    for key in KEYS:
        assert model.get_parameter(key).grad.abs().sum() > 0, key


@needs_torch
def test_checkpoint_round_trip(tmp_path):
    torch.manual_seed(1)
    model = TinyRSNN(5, 4, 2, dt=0.033, time="earliest", offset=[0.1, -3.0])
    path  = tmp_path / "a.safetensors"
    model.checkpoint(path)
    assert (read_checkpoint(path).offset == [0.1, -3.0]).all()
    with safe_open(path, framework="np") as file:
        assert file.metadata() == {"dt": "0.033", "time": "earliest", "offset": "[0.1, -3.0]"}
        assert sorted(file.keys()) == sorted(KEYS)
        for key in KEYS:
            assert file.get_tensor(key).dtype == np.float16
            wanted = model.rounded().get_parameter(key).detach().numpy()
            assert (file.get_tensor(key) == wanted).all()
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


@needs_torch
def test_checkpoint_has_one_form(tmp_path):
    """The same network gives the same bytes: `save` writes metadata in any order."""
    model = TinyRSNN(5, 4, 2, dt=0.033, time="earliest")
    for k in range(8):
        model.checkpoint(tmp_path / f"{k}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


@needs_torch
def test_checkpoint_too_large(tmp_path):
    model = TinyRSNN(1, 1, 1)
    model.con3.op.weight.data.fill_(1e6)
    with refused("Network con3.op.weight must be from -65504 to 65504, so that it fits in half "
                 "precision, not 1000000.0"):
        model.checkpoint(tmp_path / "a.safetensors")
    model.con3.op.weight.data.fill_(float("inf"))
    with refused("Network con3.op.weight must be finite, not inf"):
        model.checkpoint(tmp_path / "a.safetensors", half=False)
    assert not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def session():
    return simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2)


@needs_torch
def test_fit_learns_and_follows_seed(session):
    scores = []
    for epochs in (1, 60):
        recipe = Recipe(hidden=16, epochs=epochs, dropout=0.0, learning_rate=0.03)
        model  = fit(session, recipe, progress=False)
        scores.append(r_squared(session.velocity, predict(model, session)[0]).mean())
    assert scores[0] < 0 < scores[1] - 0.1, scores
    for con in (model.con1, model.con2, model.con3):
        assert 0.4 < (con.op.weight == 0).float().mean() < 0.5

    models = [fit(session, Recipe(hidden=16, epochs=2, seed=seed), progress=False)
              for seed in (1, 1, 2)]
    first, same, other = (model.con1.op.weight.detach().numpy() for model in models)
    assert (first == same).all() and (first != other).any()


@needs_torch
def test_fit_centres_each_axis(session):
    """A force that is never around 0 is learnt as well as one that is."""
    far = replace(session, velocity=session.velocity * [2, 4] + [3000, -500])
    near, moved = (fit(each, Recipe(hidden=16, epochs=2), progress=False)
                   for each in (session, far))
    assert moved.offset == far.velocity.mean(0).tolist()
    one, two = predict(near, session)[0], predict(moved, far)[0]
    assert np.abs(two - (one * [2, 4] + [3000, -500])).max() < 0.1 * one.std()


@needs_torch
def test_predict_resets_at_trials(session):
    model  = fit(session, Recipe(hidden=16, epochs=2), progress=False)
    second = int(np.flatnonzero(session.reset)[1])
    whole, _ = predict(model, session)
    alone, _ = predict(model, session.cut(second, session.steps))
    np.testing.assert_allclose(whole[second:], alone, rtol=0, atol=1e-3)
    assert np.abs(alone).max() > 1


@pytest.mark.parametrize("name, value, limits", [
    ("hidden", 0, "1 and 1024"), ("epochs", 100_001, "1 and 100000"),
    ("seed", -1, "0 and 2147483647"),
])
def test_recipe_wrong(name, value, limits):
    with refused(f"Training {name} must be between {limits}, not {value}", ValueError):
        Recipe(**{name: value})


@needs_torch
def test_default_network_decodes():
    with safe_open(ROOT / "data" / "default.safetensors", framework="pt") as file:
        state = {key: file.get_tensor(key) for key in KEYS}
        offset = json.loads(file.metadata()["offset"])
        assert file.metadata()["time"] == "earliest"
    recording = read_recording(ROOT / "data" / "default_recording.npz")
    output, hidden = predict(TinyRSNN.from_state(state, time="earliest", offset=offset), recording)
    assert r_squared(recording.velocity, output).mean() > 0.93
    weights = torch.cat([state[key].flatten() for key in KEYS if "weight" in key])
    assert (weights == 0).float().mean() >= 0.45
    assert 0.5 <= hidden.sum(1).mean() <= 1.5
    assert hidden.any(0).all()
