# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest

from spikewright.network.metrics import r_squared
from spikewright.train import kalman as module
from spikewright.train.kalman import SMALL, fit_kalman, kalman_velocity
from spikewright.train.reaches import Units, simulate
from spikewright.train.recording import dense, held_out, trials
from tests.train.memory import bytes_a_step


@pytest.fixture(scope="module")
def session():
    return simulate(n_bins=3000, seed=1, units=Units(channels=12), dt=0.04, trials=3)


def slow_filter(seen, recording):
    """The usual equations, with matrices of channels, step by step."""
    v, y = seen.velocity - seen.velocity.mean(0), dense(seen).astype(float)
    y_mean = y.mean(0)
    pairs = [(v[t], v[t + 1]) for t in range(seen.steps - 1) if not seen.reset[t + 1]]
    before, after = (np.array(part) for part in zip(*pairs, strict=True))
    a = np.linalg.solve(before.T @ before, before.T @ after).T
    w = np.cov((after - before @ a.T).T, bias=True) + np.outer(
        *2 * [(after - before @ a.T).mean(0)])
    c = np.linalg.solve(v.T @ v, v.T @ (y - y_mean)).T
    left = y - y_mean - v @ c.T
    q = left.T @ left / len(left)
    q += np.eye(len(q)) * SMALL * np.cov(y.T, bias=True).trace() / len(q)
    out = []
    for start, stop in trials(recording):
        x, p = np.zeros(2), v.T @ v / len(v)
        for t in range(start, stop):
            if t > start:
                x, p = a @ x, a @ p @ a.T + w
            gain = p @ c.T @ np.linalg.inv(c @ p @ c.T + q)
            x = x + gain @ (dense(recording)[t] - y_mean - c @ x)
            p = (np.eye(2) - gain @ c) @ p
            out.append(x + seen.velocity.mean(0))
    return np.array(out)


def test_kalman_filter_is_the_usual_one(session):
    seen, unseen = session.cut(0, 400), session.cut(2700, 3000)
    assert seen.reset[1:].sum() == 0 and unseen.steps == 300
    for learnt in (seen, session.cut(800, 1300)):
        found = kalman_velocity(fit_kalman(learnt), unseen)
        np.testing.assert_allclose(found, slow_filter(learnt, unseen), rtol=1e-3, atol=0.05)


def test_kalman_filter_decodes(session):
    seen, unseen = held_out(session)
    found = kalman_velocity(fit_kalman(seen), unseen)
    assert r_squared(unseen.velocity, found).mean() > 0.35
    shifted = replace(seen, velocity=seen.velocity + [500, -90])
    np.testing.assert_allclose(kalman_velocity(fit_kalman(shifted), unseen), found + [500, -90],
                               rtol=1e-6, atol=1e-3)


def test_kalman_filter_of_silent_channels_and_a_still_axis(session):
    """Neither gives a NaN."""
    still = replace(session, velocity=session.velocity * [1, 0])
    assert np.isfinite(kalman_velocity(fit_kalman(still), session)).all()
    first = session.channel == 0
    silent = replace(session, channel=np.full(first.sum(), 3),
                     start=np.concatenate([[0], np.cumsum(first)])[session.start])
    assert np.isfinite(kalman_velocity(fit_kalman(silent), session)).all()


def test_kalman_filter_in_parts(session, monkeypatch):
    whole = kalman_velocity(fit_kalman(session), session)
    monkeypatch.setattr(module, "CHUNK", 271)
    np.testing.assert_allclose(kalman_velocity(fit_kalman(session), session), whole, rtol=1e-9)


def test_memory():
    """Some arrays of the velocity grow with the recording, those of the 96 counts do not."""
    assert bytes_a_step(lambda part: kalman_velocity(fit_kalman(part), part), channels=96) < 130
