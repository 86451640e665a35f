# SPDX-License-Identifier: Apache-2.0
"""A GRU to compare with: it learns, follows its seed, and knows nothing of the future."""

import functools

import numpy as np
import pytest

from spikewright.command.training.shared import gru_scores, scored
from spikewright.network.metrics import r_squared
from spikewright.train.reaches import Units, simulate
from spikewright.train.recording import held_out

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train import gru as module  # noqa: E402  # they need torch
from spikewright.train.fitting import predict  # noqa: E402
from spikewright.train.gru import fit_gru, gru_velocity  # noqa: E402


@pytest.fixture(scope="module")
def session():
    return simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2, dt=0.04)


@pytest.fixture(scope="module")
def model(session):
    return fit_gru(session, units=8, batches=30, rate=0.03, progress=False)


def test_it_learns(session, model):
    assert r_squared(session.velocity, gru_velocity(model, session)).mean() > 0.3


def test_it_follows_its_seed(session):
    one, same, other = (gru_velocity(fit_gru(session, units=4, batches=3, seed=seed,
                                             progress=False), session) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()


def test_it_sees_no_later_step_and_no_other_trial(session, model):
    whole  = gru_velocity(model, session)
    second = int(np.flatnonzero(session.reset)[1])
    np.testing.assert_allclose(gru_velocity(model, session.head(100)), whole[:100], rtol=1e-4,
                               atol=1e-3)
    np.testing.assert_allclose(gru_velocity(model, session.cut(second, session.steps)),
                               whole[second:], rtol=1e-4, atol=1e-3)


def test_chunks_do_not_matter(session, model, monkeypatch):
    whole = gru_velocity(model, session)
    monkeypatch.setattr(predict, "CHUNK", 77)
    np.testing.assert_allclose(gru_velocity(model, session), whole, rtol=1e-4, atol=1e-3)


def test_scores_of_the_command(session, capsys, monkeypatch):
    monkeypatch.setattr(module, "fit_gru", functools.partial(fit_gru, units=4, batches=3))
    found = gru_scores(*held_out(session), seed=1)
    assert len(found) == 2
    assert capsys.readouterr().out == f"GRU of 64 units, same part: {scored(np.array(found))}\n"
