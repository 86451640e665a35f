# SPDX-License-Identifier: Apache-2.0

import re
from pathlib import Path

import numpy as np
import pytest

from spikewright.base.arrays import read_arrays
from spikewright.network.recording import read_recording
from spikewright.train.reaches import (
    Reaches,
    Units,
    default_sessions,
    minimum_jerk,
    save_session,
    simulate,
)
from spikewright.train.recording import dense

ROOT = Path(__file__).parents[2]


def test_minimum_jerk():
    done  = minimum_jerk(np.linspace(-0.5, 1.5, 2001))
    speed = np.diff(done) / 1e-3
    assert (done[0], done[-1]) == (0, 1) and (np.diff(done) >= 0).all()
    assert speed.max() == pytest.approx(1.875, rel=1e-4)
    assert abs(speed.argmax() - 999.5) < 2
    assert (speed[:500] == 0).all() and (speed[1500:] == 0).all()


def test_reaches_end_at_targets():
    session  = simulate(n_bins=5000, seed=3, reaches=Reaches(task="centre_out"), trials=10)
    position = np.cumsum(session.velocity, axis=0) * session.dt
    start    = np.flatnonzero(session.reset)[1:]
    radius   = np.linalg.norm(position[start - 1], axis=1)
    assert len(start) == 9
    np.testing.assert_allclose(np.where(radius > 40, radius - 80, radius), 0, atol=1e-3)
    assert (session.velocity[start + 5] == 0).all()         # a pause lasts 0.1 s or longer

    free = simulate(n_bins=5000, seed=3)
    position = np.cumsum(free.velocity, axis=0) * free.dt
    assert np.abs(position).max() <= 80.001
    assert 200 < np.linalg.norm(free.velocity, axis=1).max() < 600


def test_units_are_tuned():
    units   = Units(seed=5)
    angle   = np.arange(16) * np.pi / 8
    compass = np.stack([np.cos(angle), np.sin(angle)], 1)
    at_rest = units.rates(np.zeros((100, 2)))[0]
    curve   = np.stack([units.rates(np.tile(100.0 * v, (100, 1)))[0] for v in compass])
    wanted  = curve.T @ compass                             # first harmonic: preferred direction
    strong  = np.linalg.norm(wanted, axis=1) > 40
    assert strong.sum() > 20
    assert ((3 <= at_rest) & (at_rest <= 15)).all()

    session = simulate(n_bins=50_000, seed=6, units=units)
    spikes  = dense(session).astype(float)
    found   = spikes[:-25].T @ session.velocity[25:]
    found  -= spikes.mean(0)[:, None] * session.velocity[25:].sum(0)
    cosine  = (found * wanted).sum(1)
    cosine /= np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    assert (cosine[strong] > 0.95).all()

    step = np.zeros((200, 2))
    step[100:] = (200, 0)
    lead = (100 - (units.rates(step) != at_rest).argmax(0)) * session.dt
    assert ((0.048 <= lead) & (lead <= 0.152)).all()


def test_simulated_rates():
    _, session = default_sessions()
    rates = np.bincount(session.channel, minlength=96) / (session.steps * session.dt)
    assert 5 <= rates.mean() <= 20 and rates.min() > 1
    assert 2 <= len(session.channel) / session.steps <= 6
    assert dense(session).max() == 1


def test_simulation_follows_seed():
    one, same, other = (simulate(n_bins=500, seed=seed) for seed in (1, 1, 2))
    for key in ("start", "channel", "velocity", "reset"):
        assert np.array_equal(getattr(one, key), getattr(same, key))
    assert not np.array_equal(one.channel, other.channel)
    assert not np.array_equal(one.velocity, other.velocity)
    assert not np.array_equal(Units(seed=1).rates(one.velocity), Units(seed=2).rates(one.velocity))


@pytest.mark.parametrize("make, message", [
    (lambda: Reaches(task="circle"),
     "Reaches task must be one of random_target, centre_out, not 'circle'"),
    (lambda: Reaches(shortest=90.0),
     "Reaches shortest must be between 0 and half the workspace, not 90.0"),
    (lambda: Units(channels=0),
     "Units channels must be between 1 and 65536, not 0"),
    (lambda: simulate(n_bins=0, seed=1),
     "Session n_bins must be at least 1, not 0"),
    (lambda: simulate(n_bins=9, seed=1, dt=0.0),
     "Session dt must be positive seconds, not 0.0"),
    (lambda: simulate(n_bins=9, seed=1, trials=2),
     "Session trials must be between 1 and its 1 reaches, not 2"),
])
def test_simulation_wrong(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_session_round_trip(tmp_path):
    session = simulate(n_bins=500, seed=1, units=Units(channels=300), trials=2)
    path = tmp_path / "session.npz"
    save_session(path, session)
    read = read_recording(path)
    assert (read.channels, read.dt) == (300, 4e-3)
    for key in ("start", "channel", "reset", "velocity"):
        assert np.array_equal(getattr(read, key), getattr(session, key)), key
    assert [file.name for file in tmp_path.iterdir()] == ["session.npz"]


def test_default_recording_is_made_here(tmp_path):
    save_session(tmp_path / "made.npz", default_sessions()[1])
    made    = read_arrays(tmp_path / "made.npz")
    shipped = read_arrays(ROOT / "data" / "default_recording.npz")
    assert list(made) == list(shipped)
    for key in made:
        assert made[key].dtype == shipped[key].dtype, key
        if key != "velocity":
            assert np.array_equal(made[key], shipped[key]), key
    np.testing.assert_allclose(made["velocity"], shipped["velocity"], rtol=0, atol=1e-3)
