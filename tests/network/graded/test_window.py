# SPDX-License-Identifier: Apache-2.0
"""Windows, against the buffers that the training code keeps."""

import numpy as np
import pytest

from spikewright.network.graded.run import counted
from spikewright.network.graded.window import Sum, Window
from tests.graded import random_counts, recording_of


def _frames(counts, parts, width):
    """Sums over a list of rows that begins with zeros, grows, and then slides."""
    rows, most = [np.zeros_like(counts[0])], parts * width + 1
    for now in counts:
        rows = [*rows, now][-most:]
        padded = [*rows, *[np.zeros_like(now)] * (most - len(rows))]
        yield np.concatenate([sum(padded[width * part:width * (part + 1)])
                              for part in range(parts)])


@pytest.mark.parametrize("parts, width", [(7, 7), (1, 3), (3, 1), (2, 4)])
@pytest.mark.parametrize("steps", [1, 5, 120])
def test_window_is_the_frame_of_the_training_code(parts, width, steps):
    counts = random_counts(parts, steps, 4)
    given = Window(name="window", channels=4, parts=parts, width=width).run(
        counted(recording_of(counts)))
    assert given.step.tolist() == list(range(steps))
    assert np.array_equal(given.values, list(_frames(counts, parts, width)))


def test_looks_of_a_full_window():
    window = Window(name="window", channels=3, parts=7, width=7)
    assert [(look.delay, look.enters, look.leaves) for look in window.looks] == [
        (1, 6, None), (8, 5, 6), (15, 4, 5), (22, 3, 4), (29, 2, 3), (36, 1, 2), (43, 0, 1),
        (50, None, 0)]
    counts = random_counts(1, 130, 3)
    values = window.run(counted(recording_of(counts))).values.reshape(-1, 7, 3)
    for t in range(window.rows - 1, 130):
        wanted = values[t - 1].copy()
        for look in window.looks:
            if look.delay <= t:
                for part, sign in ((look.enters, 1), (look.leaves, -1)):
                    if part is not None:
                        wanted[part] += sign * counts[t - look.delay]
        assert np.array_equal(values[t], wanted), t


def test_sum_comes_when_it_is_full():
    counts = random_counts(2, 60, 5)
    total = Sum(name="window", channels=5, width=50)
    given = total.run(counted(recording_of(counts)))
    assert given.step.tolist() == list(range(49, 60))
    assert np.array_equal(given.values, [counts[t - 49:t + 1].sum(axis=0) for t in range(49, 60)])
    assert [(look.delay, look.enters, look.leaves) for look in total.looks] == [
        (0, 0, None), (50, None, 0)]


@pytest.mark.parametrize("steps", [1, 49])
def test_sum_of_a_short_run_never_comes(steps):
    given = Sum(name="window", channels=5, width=50).run(
        counted(recording_of(random_counts(2, steps, 5))))
    assert given.values.shape == (0, 5)
    assert not given.held().any()
