# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest

from spikewright.train.recording import dense, held_out, target_velocity, trials
from tests.networks import make_recording, random_recording, refused


def test_dense():
    recording = make_recording([[2], [1, 0, 0], [], [2, 2, 2], []], channels=3)
    spikes = dense(recording)
    assert spikes.dtype == np.uint8
    assert spikes.tolist() == [[0, 0, 1], [2, 1, 0], [0, 0, 0], [0, 0, 3], [0, 0, 0]]
    assert dense(make_recording([[0] * 255, [0] * 256], channels=1)).tolist() == [[255], [255]]


def test_dense_too_large():
    recording = replace(make_recording([[0]] * 4, channels=1), channels=1 << 30)
    with refused("Recording made n_bins x n_channels must be at most 2147483648 to train on, "
                 "not 4294967296"):
        dense(recording)


@pytest.mark.parametrize("reset, runs", [
    ([],        [(0, 5)]),
    ([0],       [(0, 5)]),
    ([0, 3],    [(0, 3), (3, 5)]),
    ([1, 2, 4], [(0, 1), (1, 2), (2, 4), (4, 5)]),
])
def test_trials(reset, runs):
    assert trials(make_recording([[0]] * 5, channels=1, reset=reset)) == runs


def test_held_out():
    recording = random_recording(1, channels=4, steps=500, reset=[0, 250, 450])
    recording = replace(recording, velocity=np.arange(1000.0).reshape(500, 2))
    seen, unseen = held_out(recording)
    assert (seen.steps, unseen.steps) == (400, 100)
    assert (np.vstack([dense(seen), dense(unseen)]) == dense(recording)).all()
    assert np.array_equal(np.vstack([seen.velocity, unseen.velocity]), recording.velocity)
    assert trials(seen) == [(0, 250), (250, 400)]
    assert trials(unseen) == [(0, 50), (50, 100)]


def test_held_out_too_short():
    with refused("Recording made n_bins must be enough to hold out 20%, not 1"):
        held_out(make_recording([[0]], channels=1))


def test_target_velocity():
    recording = make_recording([[0], [0]], channels=1)
    moved = replace(recording, velocity=np.ones((2, 2)))
    assert target_velocity(moved) is moved.velocity
    with refused("Recording made must hold velocity or force to train on, not only spikes"):
        target_velocity(recording)
    with refused("Recording made velocity must have 2 axes to train on, not 3"):
        target_velocity(replace(recording, velocity=np.ones((2, 3))))
    with refused("Recording made force must have 2 axes to train on, not 3"):
        target_velocity(replace(recording, velocity=np.ones((2, 3)), target="force"))
