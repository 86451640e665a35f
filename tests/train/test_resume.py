# SPDX-License-Identifier: Apache-2.0
"""A training that stops and goes on, one that begins with a network, and its curves."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.train.fitting.recipe import Recipe
from spikewright.train.reaches import Units, simulate
from tests.networks import refused

torch = pytest.importorskip("torch", reason="torch is not installed")

import spikewright.train.fitting.kept_state as kept_state  # noqa: E402  # they need torch
from spikewright.train.fitting import fit as fit_module  # noqa: E402
from spikewright.train.fitting.fit import Training, fit, scaled  # noqa: E402
from spikewright.train.fitting.predict import predict  # noqa: E402

RECIPE = Recipe(hidden=8, epochs=40, seed=2)


@pytest.fixture(scope="module")
def session():
    return simulate(n_bins=600, seed=1, units=Units(channels=12), trials=2)


@pytest.fixture(scope="module")
def whole(session):
    """The network of a training that does not stop."""
    return fit(session, RECIPE, progress=False)


def _stop_after(monkeypatch, batches):
    """Let each training stop after so many batches, as Ctrl-C and a crash do."""
    step = Training._batch
    count = iter(range(batches))

    def batch(self):
        if next(count, None) is None:
            raise KeyboardInterrupt
        return step(self)
    monkeypatch.setattr(Training, "_batch", batch)


@pytest.mark.parametrize("batches", [1, 19, 33])
def test_a_training_goes_on_to_the_same_network(session, whole, tmp_path, monkeypatch, batches):
    """Before, while and after the network is pruned; bit by bit, and with whole curves."""
    path = tmp_path / "run.resume"
    monkeypatch.setattr(kept_state, "EVERY", 0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        _stop_after(patch, batches)
        fit(session, RECIPE, state=path, progress=False)
    assert path.is_file()
    done = []
    step = Training._batch
    monkeypatch.setattr(Training, "_batch", lambda self: done.append(self.done) or step(self))
    curves = []
    model = fit(session, RECIPE, state=path, curves=curves, progress=False)
    assert done[0] == batches and len(done) == 40 - batches
    for key, value in whole.state_dict().items():
        assert (model.get_parameter(key) == value).all(), key
    assert model.offset == whole.offset
    assert [point.epoch for point in curves] == list(range(1, 41))
    assert curves[15].pruned == 0 and curves[-1].pruned == 0.45
    assert np.isinf(curves[0].validation) and curves[-1].validation < 2
    assert list(tmp_path.iterdir()) == [path]


def test_the_state_stays_at_the_end(session, whole, tmp_path, monkeypatch):
    """After the last batch, the same training ends at once, with the same network and curves."""
    path = tmp_path / "run.resume"
    curves, again = [], []
    fit(session, RECIPE, state=path, curves=curves, progress=False)
    assert list(tmp_path.iterdir()) == [path]
    with monkeypatch.context() as patch:
        _stop_after(patch, 0)
        model = fit(session, RECIPE, state=path, curves=again, progress=False)
    for key, value in whole.state_dict().items():
        assert (model.get_parameter(key) == value).all(), key
    assert again == curves and len(curves) == 40


def test_points_of_the_curves(session, tmp_path, monkeypatch):
    """Means over the batches of an epoch, also if it stops amid them; the last validation."""
    recipe = replace(RECIPE, batch=1, epochs=8)
    batches, judged, curves, again = [], [], [], []
    step, error = Training._batch, fit_module._error

    def batch(self):
        batches.append(step(self))
        judged.extend([np.inf] * (len(batches) - len(judged)))
        return batches[-1]

    def wrong(*of):
        judged.extend([np.inf] * (len(batches) - len(judged)))
        judged.append(error(*of))
        return judged[-1]
    with monkeypatch.context() as patch:
        patch.setattr(Training, "_batch", batch)
        patch.setattr(fit_module, "_error", wrong)
        fit(session, recipe, curves=curves, progress=False)
    assert (len(batches), len(judged), len(curves)) == (16, 16, 8)
    means = np.array(batches).reshape(8, 2, 2).mean(1)
    assert [[point.error, point.hertz] for point in curves] == means.tolist()
    assert [point.validation for point in curves] == judged[1::2]
    assert np.isinf(judged[:11]).all() and np.isfinite(judged[12:]).all()
    path = tmp_path / "run.resume"
    monkeypatch.setattr(kept_state, "EVERY", 0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        _stop_after(patch, 13)
        fit(session, recipe, state=path, progress=False)
    fit(session, recipe, state=path, curves=again, progress=False)
    assert again == curves


def test_a_state_of_another_training_is_not_used(session, tmp_path, monkeypatch):
    path = tmp_path / "run.resume"
    monkeypatch.setattr(kept_state, "EVERY", 0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        _stop_after(patch, 3)
        fit(session, RECIPE, state=path, progress=False)
    state = path.read_bytes()
    begun = []
    step = Training._batch

    def stop(self):
        begun.append(self.done)
        raise KeyboardInterrupt
    monkeypatch.setattr(Training, "_batch", stop)
    other = replace(session, velocity=session.velocity + 1)
    start = scaled(Training(session, RECIPE).model, np.ones(2))
    for recording, recipe, begin in ((session, replace(RECIPE, seed=3), None),
                                     (other, RECIPE, None), (session, RECIPE, start),
                                     (session, RECIPE, None)):
        with pytest.raises(KeyboardInterrupt):
            fit(recording, recipe, start=begin, state=path, progress=False)
    monkeypatch.setattr(kept_state, "version", lambda: "0.1.9")
    with pytest.raises(KeyboardInterrupt):
        fit(session, RECIPE, state=path, progress=False)
    assert begun == [0, 0, 0, 3, 0] and path.read_bytes() == state
    monkeypatch.setattr(Training, "_batch", step)


@pytest.mark.parametrize("content", [b"mine", b""])
def test_a_file_of_the_user_is_not_replaced(session, tmp_path, content):
    path = tmp_path / "run.resume"
    path.write_bytes(content)
    with refused(f"{path} must be the state of a training, not another file: move it away"):
        fit(session, RECIPE, state=path, progress=False)
    assert path.read_bytes() == content


def test_a_training_begins_with_a_network(session, whole):
    """The first network is the given one, in the scale of the training."""
    mean, std = session.velocity.mean(0), session.velocity.std(0)
    training = Training(replace(session, velocity=(session.velocity - mean) / std), RECIPE,
                        scaled(whole, 1 / std))
    wanted = (predict(whole, session)[0] - whole.offset) / std
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(predict(training.model, session)[0], wanted, rtol=1e-4, atol=1e-5)
    one, two = (fit(session, Recipe(hidden=8, epochs=1), start=start, progress=False)
                for start in (whole, None))
    target = session.velocity
    errors = [np.square(predict(model, session)[0] - target).mean() for model in (one, two)]
    assert errors[0] < errors[1]
