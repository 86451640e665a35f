# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest

from spikewright.network.metrics import r_squared
from spikewright.train import baselines
from spikewright.train.baselines import LAGS, lagged_counts, linear_decoders
from spikewright.train.recording import dense, held_out, trials
from tests.networks import make_recording, random_recording
from tests.train.memory import bytes_a_step


def slow_counts(recording, bins, width):
    """`lagged_counts` of a whole recording, by the definition."""
    spikes = dense(recording).astype(int)
    rows = []
    for first, stop in trials(recording):
        for step in range(first, stop):
            row = []
            for lag in range(bins):
                last = step - lag * width
                window = [t for t in range(last - width + 1, last + 1) if t >= first]
                row.extend(sum((spikes[t] for t in window), np.zeros(recording.channels, int)))
            rows.append(row)
    return np.array(rows)


def slow_ridge(counts, moved, penalty):
    """Weights and offset that minimise the mean squared error plus a penalty on the weights."""
    centred = counts - counts.mean(axis=0)
    square = centred.T @ centred / len(counts)
    size = len(square)
    weights = np.linalg.solve(square + penalty * np.trace(square) / size * np.eye(size),
                              centred.T @ (moved - moved.mean(axis=0)) / len(counts))
    return weights, moved.mean(axis=0) - counts.mean(axis=0) @ weights


@pytest.fixture
def session():
    """Counts that move two axes, with a lag, and noise."""
    recording = replace(random_recording(1, channels=3, steps=400, reset=[0, 130, 333]), dt=0.025)
    counts = slow_counts(recording, 3, 1)
    rng = np.random.default_rng(2)
    return replace(recording, velocity=counts @ rng.normal(size=(9, 2)) + [5, -3]
                   + rng.normal(size=(400, 2)))


def test_lagged_counts_of_a_few_steps():
    recording = make_recording([[0], [0, 0], [], [1], [1, 0]], channels=2, reset=[0, 3], dt=0.05)
    assert lagged_counts(recording, 0, 5, bins=2).tolist() == [
        [1, 0, 0, 0], [2, 0, 1, 0], [0, 0, 2, 0],
        [0, 1, 0, 0], [1, 1, 0, 1]]                     # nothing from before the reset


@pytest.mark.parametrize("dt, width", [(0.025, 2), (0.05, 1), (0.2, 1), (0.01, 5)])
def test_lagged_counts(session, dt, width):
    session = replace(session, dt=dt)
    wanted = slow_counts(session, 4, width)
    assert (lagged_counts(session, 0, 400, bins=4) == wanted).all()
    assert (lagged_counts(session, 120, 345, bins=4) == wanted[120:345]).all()


@pytest.mark.parametrize("chunk", [7, 1000])
def test_linear_decoders(session, monkeypatch, chunk):
    monkeypatch.setattr(baselines, "CHUNK", chunk)
    seen, unseen = held_out(session)
    learnt, judged = held_out(seen, 0.1)
    found = linear_decoders(seen, unseen, 0.1)
    assert list(found) == ["wiener", "ridge"]
    for name, seconds in LAGS.items():
        bins = round(seconds / 0.05)
        counts = slow_counts(seen, bins, 2)
        errors = []
        for penalty in baselines.PENALTIES:
            weights, offset = slow_ridge(counts[:288], learnt.velocity, penalty)
            errors.append(np.square((counts[288:] @ weights + offset - judged.velocity)
                                    / seen.velocity.std(axis=0)).mean())
        weights, offset = slow_ridge(counts, seen.velocity,
                                     baselines.PENALTIES[np.argmin(errors)])
        wanted = r_squared(unseen.velocity, slow_counts(unseen, bins, 2) @ weights + offset)
        assert wanted.min() > 0.3
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=1e-9)


def test_many_channels(session, monkeypatch):
    """A decoder sees at most ``MOST_COUNTS`` counts, and none if the channels are more."""
    seen, unseen = held_out(session)
    monkeypatch.setattr(baselines, "MOST_COUNTS", 32)
    few = linear_decoders(seen, unseen, 0.1)
    assert (few["wiener"] == few["ridge"]).all()        # 10 bins of 3 channels each
    monkeypatch.setattr(baselines, "MOST_COUNTS", 2)
    for found in linear_decoders(seen, unseen, 0.1).values():
        assert np.isnan(found).all() and found.shape == (2,)


def test_silent_recording(session):
    """Without a spike, the mean is decoded."""
    silent = replace(session, channel=session.channel[:0], start=0 * session.start)
    seen, unseen = held_out(silent)
    mean = np.broadcast_to(seen.velocity.mean(axis=0), unseen.velocity.shape)
    for found in linear_decoders(seen, unseen, 0.1).values():
        np.testing.assert_allclose(found, r_squared(unseen.velocity, mean), rtol=0, atol=1e-12)


def test_memory():
    """The events of a step are sorted; its counts, 480 bytes and more, are not kept."""
    assert bytes_a_step(lambda part: linear_decoders(part, part.head(100), 0.1), channels=6) < 200
