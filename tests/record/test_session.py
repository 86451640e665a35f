# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.record.session import Motion, Session, arrays_of_counts, arrays_of_session
from tests.networks import refused


def session(**more):
    values = {"spikes": [np.array([0.0, 0.009, 0.0101, 0.5]), np.array([0.031, -0.1])],
              "start": 0.0, "stop": 0.05}
    return Session(**{**values, **more})


def counts(arrays):
    table = np.zeros((int(arrays["n_bins"]), int(arrays["n_channels"])), int)
    table[arrays["bin"], arrays["channel"]] = arrays["count"]
    return table.tolist()


def test_spikes_fall_into_the_step_of_their_time():
    arrays = arrays_of_session(session(), 0.01, "s")
    assert counts(arrays) == [[2, 0], [1, 0], [0, 0], [0, 1], [0, 0]]
    assert (np.diff(arrays["bin"]) >= 0).all()


def test_a_time_on_an_edge_begins_a_step():
    """0.003 * 100 is a little below 0.3: rounding must not move the spike."""
    edges = 0.003 * np.arange(200)
    arrays = arrays_of_session(session(spikes=[edges], stop=0.6), 0.003, "s")
    assert counts(arrays) == [[1]] * 200


def test_positions_become_slopes_and_gaps_become_nan():
    times = np.arange(6) / 100
    values = np.stack([3 * times, -times], axis=1)
    arrays = arrays_of_session(session(motion=Motion(
        times=times, values=values, is_velocity=False, unit="mm/s")), 0.01, "s")
    assert arrays["velocity"] == pytest.approx(np.tile([3, -1], (5, 1)))
    assert str(arrays["unit"]) == "mm/s"
    values[2] = np.nan
    arrays = arrays_of_session(session(motion=Motion(
        times=times, values=values, is_velocity=False)), 0.01, "s")
    assert np.isnan(arrays["velocity"]).any(axis=1).tolist() == [False, True, True, False, False]


def test_velocities_are_those_of_the_middle_and_nan_outside():
    motion = Motion(times=np.array([0.01, 0.02, 0.03]), values=np.array([[1.0], [2.0], [3.0]]),
                    is_velocity=True)
    velocity = arrays_of_session(session(motion=motion), 0.01, "s")["velocity"]
    assert velocity[[1, 2], 0] == pytest.approx([1.5, 2.5])
    assert np.isnan(velocity[[0, 3, 4]]).all()


def test_trials_begin_at_steps():
    arrays = arrays_of_session(session(trials=np.array([0.021, 0.0, 0.022, 9])), 0.01, "s")
    assert arrays["trial_start_bin"].tolist() == [0, 2]


def test_session_shorter_than_a_step():
    with refused("s must last between 1 and 134217728 steps of 0.1 s, not 0.05 s"):
        arrays_of_session(session(), 0.1, "s")


def test_counts_and_velocity():
    table = np.array([[0, 2], [1, 0], [0, 0]], float)
    velocity = np.array([[1.0], [np.nan], [2.0]])
    arrays = arrays_of_counts(table, velocity, 0.02, "c")
    assert counts(arrays) == table.astype(int).tolist()
    assert np.array_equal(arrays["velocity"], velocity, equal_nan=True)


@pytest.mark.parametrize("table, velocity, told", [
    (np.array([[0.0, 1.5]]), None,
     "c must hold whole numbers of spikes from 0 to 65535, not 1.5 in step 0 of channel 1"),
    (np.array([[0.0], [-1]]), None,
     "c must hold whole numbers of spikes from 0 to 65535, not -1.0 in step 1 of channel 0"),
    (np.array([[np.nan]]), None,
     "c must hold whole numbers of spikes from 0 to 65535, not nan in step 0 of channel 0"),
    (np.zeros(3), None, "c must hold counts of shape (steps, channels), not of shape (3,)"),
    (np.zeros((3, 1)), np.zeros((2, 2)),
     "Velocity must have shape (3, axes), as c has steps, not (2, 2)"),
    (np.zeros((3, 1)), np.array([[0, 1], [np.nan, 1], [0, -np.inf]]),
     "Velocity must be finite, or NaN where it is not known, not [0.0, -inf] in row 2"),
])
def test_counts_that_are_none(table, velocity, told):
    with refused(told):
        arrays_of_counts(table, velocity, 0.01, "c")


def motion(times=(0.0, 0.1), values=((1.0,), (2.0,))):
    return Motion(times=np.array(times), values=np.array(values), is_velocity=True)


@pytest.mark.parametrize("more, told", [
    ({"spikes": [np.array([0.01]), np.array([0.01, np.nan])]},
     "s spike times must be finite, not nan in channel 1"),
    ({"spikes": [np.array([np.inf])]}, "s spike times must be finite, not inf in channel 0"),
    ({"motion": motion((0.1, 0.0))}, "s series must have times that ascend, not 0.0 s in sample 1"),
    ({"motion": motion((0.0, np.nan))},
     "s series must have times that ascend, not nan s in sample 1"),
    ({"motion": motion(values=((1.0,), (-np.inf,)))},
     "s series must be finite, or NaN where it is not known, not [-inf] in row 1"),
    ({"motion": motion((), np.zeros((0, 2)))},
     ("s series must have a time and a row of values for each sample, not 0 times and values of "
      "shape (0, 2)")),
    ({"motion": motion(values=np.zeros((2, 2, 1)))},
     ("s series must have a time and a row of values for each sample, not 2 times and values of "
      "shape (2, 2, 1)"))])
def test_sessions_with_wrong_times(more, told):
    with refused(told):
        arrays_of_session(session(**more), 0.01, "s")
