# SPDX-License-Identifier: Apache-2.0
"""The published training as a whole, on short sessions."""

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from spikewright.train.published.recipe import PUBLISHED
from tests.networks import refused
from tests.train.published.reaching import needs_h5py, write_session

torch = pytest.importorskip("torch", reason="torch is not installed")

import spikewright.train.fitting.kept_state as kept_state  # noqa: E402  # they need torch
from spikewright.train.fitting.smorms3 import SMORMS3  # noqa: E402
from spikewright.train.published import fit as fit_module  # noqa: E402
from spikewright.train.published.fit import _Epochs, fit_published  # noqa: E402
from spikewright.train.published.sessions import read_parts  # noqa: E402
from spikewright.train.published.step import bounds, r2, run_noisy  # noqa: E402

RECIPE = replace(PUBLISHED["tinyrsnn"], hidden=6, pretraining=2, tuning=3, retraining=2, batch=7)

pytestmark = needs_h5py


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Two sessions with a dozen samples."""
    folder = tmp_path_factory.mktemp("sessions")
    parts = []
    for number in range(2):
        write_session(folder / f"indy_{number}.mat", samples=2800, seed=number, rate=40)
        parts.append(read_parts(folder / f"indy_{number}.mat"))
    return parts


@pytest.fixture(scope="module")
def whole(sessions):
    return fit_published(sessions[0], RECIPE, pretraining=sessions, progress=False)


@pytest.fixture
def seen(monkeypatch):
    """Of each batch: part, samples, answer, networks around it; and the rate of each step."""
    found, rates, step, update = [], [], _Epochs.batch, SMORMS3.step

    def batch(self):
        before = deepcopy(self.model.state_dict())
        chosen, draw = [], self.samples.batch
        self.samples.batch = lambda own: chosen.append(own) or draw(own)
        answer = step(self)
        del self.samples.batch
        found.append({"number": self.number, "chosen": chosen[0], "before": before,
                      "answer": answer, "after": deepcopy(self.model.state_dict())})
        return answer

    def rated(self, closure=None):
        rates.append(self.param_groups[0]["lr"])
        return update(self, closure)
    monkeypatch.setattr(_Epochs, "batch", batch)
    monkeypatch.setattr(SMORMS3, "step", rated)
    return found, rates


def test_parts_of_a_training(sessions, seen):
    """Epochs, batches, rates and first weights of pre-training, fine-tuning and pruning."""
    found, rates = seen
    training = fit_published(sessions[0], RECIPE, pretraining=sessions, progress=False)
    lengths = [len(fit_module.Samples([part.learn for part in parts])) for parts in (
        sessions, sessions[:1])]
    assert all(length > 7 and length % 7 for length in lengths)
    parts = {}
    for batch, rate in zip(found, rates, strict=True):
        parts.setdefault(batch["number"], []).append(batch | {"rate": rate})
    assert len(parts) == 2 + len(training.rounds)
    for number, batches in parts.items():
        length = lengths[bool(number)]
        epochs = (2, 3, *[2] * len(training.rounds))[number]
        period = 200 if number < 2 else 2
        per_epoch = math.ceil(length / 7)
        assert len(batches) == epochs * per_epoch
        orders = []
        for epoch in range(epochs):
            own = batches[epoch * per_epoch:(epoch + 1) * per_epoch]
            wanted = 2e-3 * (1 + math.cos(math.pi * epoch / period)) / 2
            assert [each["rate"] for each in own] == pytest.approx([wanted] * per_epoch, rel=1e-6)
            sizes = [len(each["chosen"]) for each in own]
            assert sizes == [7] * (length // 7) + [length % 7]      # the last one is kept
            orders.append(np.concatenate([each["chosen"] for each in own]).tolist())
            assert sorted(orders[-1]) == list(range(length))
        assert len({tuple(order) for order in orders}) == epochs    # shuffled for each epoch
        # The optimiser is new: at first, a weight that moves does so by sqrt(2) times the rate.
        moved = torch.cat([(batches[0]["after"][key] - value).abs().flatten()
                           for key, value in batches[0]["before"].items()])
        assert moved.any() and moved[moved > 0].numpy() == pytest.approx(2e-3 * 2**0.5, rel=1e-3)
    before, after = (parts[number][place][key] for number, place, key in (
        (1, 0, "before"), (0, -1, "after")))
    assert all((before[key] == after[key]).all() for key in before)
    assert all((training.pretrained.state_dict()[key] == after[key]).all() for key in before)
    # Each round begins with the network of the fine-tuning, but for its smallest weights.
    tuned = parts[1][-1]["after"]
    for number, each in enumerate(training.rounds, 2):
        for key, value in parts[number][0]["before"].items():
            if "weight" in key:
                order = tuned[key].abs().flatten().argsort()
                zero = order[:math.floor(each.percent * value.numel() / 100)]
                wanted = tuned[key].clone().flatten()
                wanted[zero] = 0
                assert (value.flatten() == wanted).all()
                assert not parts[number][-1]["after"][key].flatten()[zero].any()
                assert (parts[number][-1]["after"][key] != value).any()
            else:
                assert (value == tuned[key]).all()
        last = parts[number][-math.ceil(lengths[1] / 7):]
        assert each.r2 == pytest.approx(np.mean([batch["answer"][1] for batch in last]))
    last = parts[1][-math.ceil(lengths[1] / 7):]
    assert training.r2 == pytest.approx(np.mean([batch["answer"][1] for batch in last]))
    kept = 1 + max((number for number, each in enumerate(training.rounds, 1)
                    if each.percent == training.percent and training.percent), default=0)
    assert all((training.model.state_dict()[key] == parts[kept][-1]["after"][key]).all()
               for key in tuned)                                    # the last epoch is kept
    assert [point.epoch for point in training.curves] == list(range(
        1, 6 + 2 * len(training.rounds)))


def test_a_batch_is_one_step_of_the_loss(sessions):
    """Root mean square of both axes and the bounds, no clipping and no weight decay."""
    samples = fit_module.Samples([sessions[0].learn])
    model = fit_module.TinyRSNN(4, 6)
    fit_module.initialise(model, RECIPE, samples.rates, torch.Generator().manual_seed(0))
    other = deepcopy(model)
    epochs = _Epochs(model, samples, [], RECIPE, number=3, epochs=1, period=200)
    assert epochs.optimiser.defaults == {"lr": 2e-3, "eps": 1e-16}
    answer = epochs.batch()
    torch.manual_seed(3)
    chosen = np.random.default_rng([0, 3, 0]).permutation(len(samples))[:7]
    spikes, target = samples.batch(chosen)
    output, hidden = run_noisy(other, spikes, RECIPE)
    error = ((output - target) ** 2).sum().div(500 * 7 * 2).sqrt()
    (error + bounds(hidden, RECIPE)).backward()
    # First step by hand: g = d / 2, g2 = d^2 / 2, so x = 1/2 > 2e-3 and w -= 2e-3 d / (|d| / 2^.5)
    moved = False
    for mine, wanted in zip(model.parameters(), other.parameters(), strict=True):
        step = 2e-3 * wanted.grad / (wanted.grad.abs() / 2 ** 0.5 + 1e-16)
        torch.testing.assert_close(mine.data, wanted.data - step, rtol=1e-5, atol=1e-8)
        moved = moved or bool(step.any())
    assert moved
    assert answer == pytest.approx(
        [error.item(), r2(output.detach(), target), hidden.mean().item() / 0.004], rel=1e-6)


@pytest.mark.parametrize("pretrained", [True, False])
def test_first_weights_know_the_rates(sessions, monkeypatch, pretrained):
    """Those of the samples of all sessions of the pre-training, or of the one to fine-tune."""
    class Known(Exception):
        pass

    def stop(model, recipe, rates, generator):
        known.append(rates)
        raise Known
    known = []
    monkeypatch.setattr(fit_module, "initialise", stop)
    with pytest.raises(Known):
        fit_published(sessions[0], RECIPE, pretraining=sessions if pretrained else (),
                      progress=False)
    wanted = [fit_module.Samples([part.learn for part in parts]).rates
              for parts in (sessions, sessions[:1])]
    assert wanted[0] != wanted[1] and known == [wanted[not pretrained]]


@pytest.mark.parametrize("batches", [3, 13, 20])
def test_a_training_goes_on_to_the_same_network(sessions, whole, tmp_path, monkeypatch, batches):
    """From each of its parts, bit by bit, and with whole curves."""
    path = tmp_path / "run.resume"
    monkeypatch.setattr(kept_state, "EVERY", 0)
    count, step = iter(range(batches)), _Epochs.batch

    def stop(self):
        if next(count, None) is None:
            raise KeyboardInterrupt
        return step(self)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(_Epochs, "batch", stop)
        fit_published(sessions[0], RECIPE, pretraining=sessions, state=path, progress=False)
    again = fit_published(sessions[0], RECIPE, pretraining=sessions, state=path, progress=False)
    for key, value in whole.model.state_dict().items():
        assert (again.model.get_parameter(key) == value).all(), key
    assert again.curves == whole.curves and again.rounds == whole.rounds
    assert (again.r2, again.percent) == (whole.r2, whole.percent)
    with monkeypatch.context() as patch:                    # at the end there is nothing to do
        patch.setattr(_Epochs, "batch", None)
        assert fit_published(sessions[0], RECIPE, pretraining=sessions, state=path,
                             progress=False).curves == whole.curves
    other = fit_published(sessions[0], replace(RECIPE, tuning=1, prunes=False), state=path,
                          progress=False)
    assert len(other.curves) == 1 and other.pretrained is None and other.rounds == []


def test_another_cut_is_another_training(sessions, tmp_path, monkeypatch):
    """The same steps to learn from and for validation together, but cut one step later."""
    whole = sessions[0]
    cut   = whole.learn.steps + 1
    other = replace(whole, learn=whole.seen.cut(0, cut),
                    validation=whole.seen.cut(cut, whole.seen.steps))
    recipe = replace(RECIPE, tuning=1, prunes=False)
    path = tmp_path / "run.resume"
    fit_published(whole, recipe, state=path, progress=False)
    done, step = [], _Epochs.batch
    monkeypatch.setattr(_Epochs, "batch", lambda self: done.append(self.done) or step(self))
    fit_published(whole, recipe, state=path, progress=False)
    assert done == []
    fit_published(other, recipe, state=path, progress=False)
    assert done[0] == 0


def test_a_session_without_spikes(sessions):
    empty = replace(sessions[0], learn=replace(sessions[0].learn, channel=np.zeros(0, np.int64),
                                               start=0 * sessions[0].learn.start))
    with refused("Recording indy_0.mat must hold at least 1 event to train on, not 0"):
        fit_published(empty, RECIPE, progress=False)
