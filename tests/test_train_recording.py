# SPDX-License-Identifier: Apache-2.0

import re

import numpy as np
import pytest

from train.recording import Recording, load_recording, save_recording

GOOD = {
    "bin":             np.array([0, 1, 1, 3]),
    "channel":         np.array([2, 0, 1, 2]),
    "count":           np.array([1, 2, 1, 3]),
    "n_bins":          5,
    "n_channels":      3,
    "dt":              0.01,
    "trial_start_bin": np.array([0, 3]),
    "velocity":        np.arange(10.0).reshape(5, 2),
}


def test_recording_round_trip(tmp_path):
    path = tmp_path / "a.npz"
    save_recording(path, Recording(**GOOD, note="a note"))
    loaded = load_recording(path)
    for key, value in GOOD.items():
        assert np.array_equal(getattr(loaded, key), value)
    assert loaded.note == "a note"
    assert loaded.dense().tolist() == [[0, 0, 1], [2, 1, 0], [0, 0, 0], [0, 0, 3], [0, 0, 0]]
    assert loaded.trials() == [(0, 3), (3, 5)]

    part = loaded.cut(1, 4)
    assert part.dense().tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 3]]
    assert part.trials() == [(0, 2), (2, 3)]
    assert part.velocity.tolist() == [[2, 3], [4, 5], [6, 7]]


def _velocity_with(value):
    velocity = GOOD["velocity"].copy()
    velocity[3, 1] = value
    return velocity


@pytest.mark.parametrize("change, message", [
    ({"bin": None},
     "must hold bin, channel, n_bins, n_channels, dt, not miss 'bin'"),
    ({"bin": np.array([0, 1, 1, 5])},    "bin in row 3 must be between 0 and 4, not 5"),
    ({"bin": np.array([0, 2, 1, 3])},
     "bin in row 2 must be at least the row before it, 2, not 1"),
    ({"bin": np.zeros(4)},               "bin must be integers, not float64"),
    ({"channel": np.array([2, 0, 3, 2])}, "channel in row 2 must be between 0 and 2, not 3"),
    ({"channel": np.array([2, 0, 1])},   "channel must be of shape (4,), not (3,)"),
    ({"count": np.array([1, 0, 1, 3])},  "count in row 1 must be between 1 and 255, not 0"),
    ({"n_bins": 0},                      "n_bins must be at least 1, not 0"),
    ({"n_bins": 5.0},                    "n_bins must be one int, not float64 of shape ()"),
    ({"n_bins": 10**12}, "n_bins x n_channels must be at most 2147483648, not 3000000000000"),
    ({"dt": np.nan},                     "dt must be positive seconds, not nan"),
    ({"dt": 0.0},                        "dt must be positive seconds, not 0.0"),
    ({"trial_start_bin": np.array([3, 3])},
     "trial_start_bin in row 1 must be above the row before it, 3, not 3"),
    ({"velocity": np.zeros((4, 2))},
     "velocity must be numbers of shape (5, 2), not float64 of shape (4, 2)"),
    ({"velocity": _velocity_with(np.nan)}, "velocity in row 3 must be finite, not [6.0, nan]"),
    ({"velocity": _velocity_with(np.inf)}, "velocity in row 3 must be finite, not [6.0, inf]"),
])
def test_recording_wrong(tmp_path, change, message):
    path = tmp_path / "a.npz"
    np.savez(path, **{key: value for key, value in (GOOD | change).items() if value is not None})
    with pytest.raises((TypeError, ValueError), match=f"Recording {re.escape(message)}$") as caught:
        load_recording(path)
    assert str(caught.value).startswith(f"{path}: ")
