# SPDX-License-Identifier: Apache-2.0

import dataclasses

import numpy as np
import pytest

from spikewright.base.arrays import read_arrays
from spikewright.network.recording import (
    KEYS,
    poisson_recording,
    read_recording,
    simulated_recording,
)
from tests.networks import make_recording, refused, tiny_network

GOOD = {"bin": [0, 0, 2, 2, 3], "channel": [1, 0, 2, 2, 0], "n_bins": 5, "n_channels": 3,
        "dt": 4e-3}


@pytest.fixture
def write(tmp_path):
    """Save the good recording with changes. A change to None drops the key."""
    def save(**changes):
        data = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
        np.savez(tmp_path / "rec.npz", **data)
        return tmp_path / "rec.npz"
    return save


def _steps(recording):
    return [recording.channel[a:b].tolist()
            for a, b in zip(recording.start, recording.start[1:], strict=False)]


def test_recording_reads(write):
    recording = read_recording(write())
    assert _steps(recording) == [[1, 0], [], [2, 2], [0], []]
    assert (recording.name, recording.steps, recording.channels, recording.dt) == (
        "rec.npz", 5, 3, 4e-3)
    assert not recording.reset.any() and recording.velocity is None
    assert recording.channel.dtype == recording.start.dtype == np.int64


def test_recording_expands_counts(write):
    """Each spike is one event, at the position of its channel."""
    recording = read_recording(write(count=[2, 1, 0, 3, 1]))
    assert _steps(recording) == [[1, 1, 0], [], [2, 2, 2], [0], []]


def test_recording_of_no_events(write):
    none = np.zeros(0, int)
    assert _steps(read_recording(write(bin=none, channel=none))) == [[]] * 5


def test_recording_resets(write):
    assert read_recording(write(trial_start_bin=[0, 3])).reset.tolist() == [True, False, False,
                                                                           True, False]


def test_recording_velocity(write):
    velocity = np.arange(10, dtype=np.float32).reshape(5, 2)
    recording = read_recording(write(velocity=velocity))
    assert recording.velocity.dtype == np.float64
    assert np.array_equal(recording.velocity, velocity)


def test_recording_of_force(write):
    """Force is read if there is no velocity, or if the target is force."""
    velocity, force = np.zeros((5, 2)), np.arange(10.0).reshape(5, 2)
    assert np.array_equal(read_recording(write(force=force)).velocity, force)
    path = write(velocity=velocity, force=force)
    assert np.array_equal(read_recording(path).velocity, velocity)
    assert np.array_equal(read_recording(path, "velocity").velocity, velocity)
    assert np.array_equal(read_recording(path, "force").velocity, force)


def test_recording_without_the_target(write):
    path = write(velocity=np.zeros((5, 2)))
    with refused(f"Recording {path} must have the key 'force', not only bin, channel, dt, n_bins, "
                 "n_channels, velocity: see docs/howto/recording.md"):
        read_recording(path, "force")


def test_recording_head(write):
    recording = read_recording(write(trial_start_bin=[0, 3], velocity=np.ones((5, 2))))
    head = recording.head(3)
    assert _steps(head) == [[1, 0], [], [2, 2]]
    assert head.reset.tolist() == [True, False, False] and head.velocity.shape == (3, 2)
    assert _steps(recording.head(99)) == _steps(recording)


def test_recording_cut(write):
    path = write(trial_start_bin=[0, 3], velocity=np.arange(10.0).reshape(5, 2))
    part = read_recording(path).cut(2, 5)
    assert _steps(part) == [[2, 2], [0], []] and part.start[0] == 0
    assert (part.name, part.channels, part.dt) == ("rec.npz", 3, 4e-3)
    assert part.reset.tolist() == [False, True, False]
    assert part.velocity.tolist() == [[4, 5], [6, 7], [8, 9]]


@pytest.mark.parametrize("changes, message", [
    ({"bin": None}, ("must have the key 'bin', not only channel, dt, n_bins, n_channels: see "
                     "docs/howto/recording.md")),
    ({"dt": None}, ("must have the key 'dt', not only bin, channel, n_bins, n_channels: see "
                    "docs/howto/recording.md")),
    ({"n_bins": 0}, "n_bins must be between 1 and 134217728, not 0"),
    ({"n_bins": 1 << 60}, f"n_bins must be between 1 and 134217728, not {1 << 60}"),
    ({"n_bins": 5.0}, "n_bins must be an integer, not float64 of shape ()"),
    ({"n_bins": [5]}, "n_bins must be an integer, not int64 of shape (1,)"),
    ({"n_channels": -3}, "n_channels must be between 1 and 65536, not -3"),
    ({"n_channels": True}, "n_channels must be an integer, not bool of shape ()"),
    ({"channel": [1, 0, 2, 3, 0]}, "channel must be between 0 and 2, not 3 at entry 3"),
    ({"channel": [1, -1, 2, 2, 0]}, "channel must be between 0 and 2, not -1 at entry 1"),
    ({"channel": [1.0, 0, 2, 2, 0]},
     "channel must be a list of integers, not float64 of shape (5,): convert it with .astype(int)"),
    ({"channel": [1.5, 0, 2, 2, 0]},
     "channel must be a list of integers, not float64 of shape (5,)"),
    ({"channel": [[1, 0, 2, 2, 0]]},
     "channel must be a list of integers, not int64 of shape (1, 5)"),
    ({"bin": [0, 0, 2, 2, 5]}, "bin must be between 0 and 4, not 5 at entry 4"),
    ({"bin": [0, 0, 2, 1, 3]}, "bin must be ascending, not 1 after 2 at event 3"),
    ({"bin": [0, 0, 2]}, "bin, channel and count must have equal length, not 3, 5, 3"),
    ({"count": [1, 1, 1, 1]}, "bin, channel and count must have equal length, not 5, 5, 4"),
    ({"count": [1, 1, -1, 1, 1]}, "count must be between 0 and 65535, not -1 at entry 2"),
    ({"count": [1, 1, 65536, 1, 1]}, "count must be between 0 and 65535, not 65536 at entry 2"),
    ({"trial_start_bin": [0, 5]}, "trial_start_bin must be between 0 and 4, not 5 at entry 1"),
    ({"trial_start_bin": 0}, "trial_start_bin must be a list of integers, not int64 of shape ()"),
    ({"dt": 0.0}, "dt must be seconds between 0 and 10, not 0.0"),
    ({"dt": -1}, "dt must be seconds between 0 and 10, not -1.0"),
    ({"dt": np.nan}, "dt must be seconds between 0 and 10, not nan"),
    ({"dt": 10}, "dt must be seconds between 0 and 10, not 10.0"),
    ({"dt": "4 ms"}, "dt must be a number, not <U4 of shape ()"),
    ({"dt": [4e-3]}, "dt must be a number, not float64 of shape (1,)"),
    ({"velocity": np.zeros((4, 2))},
     "velocity must be numbers of shape (5, axes), not float64 of shape (4, 2)"),
    ({"velocity": np.zeros(5)},
     "velocity must be numbers of shape (5, axes), not float64 of shape (5,)"),
    ({"velocity": np.full((5, 2), "x")},
     "velocity must be numbers of shape (5, axes), not <U1 of shape (5, 2)"),
    ({"velocity": [[0, 0], [0, 0], [0, -np.inf], [0, 0], [0, 0]]},
     "velocity must be finite, or NaN where it is not known, not [0.0, -inf] in row 2"),
    ({"force": np.zeros(5)},
     "force must be numbers of shape (5, axes), not float64 of shape (5,)"),
    ({"force": np.full((5, 1), np.inf)},
     "force must be finite, or NaN where it is not known, not [inf] in row 0"),
])
def test_recording_wrong(write, changes, message):
    path = write(**changes)
    with refused(f"Recording {path} {message}"):
        read_recording(path)


def test_recording_of_too_many_events(write):
    events = np.zeros(3000, int)
    path = write(bin=events, channel=events, count=np.full(3000, 65535))
    with refused(f"Recording {path} count must add up to at most 134217728, not 196605000"):
        read_recording(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"bin,channel\n0,1\n"])
def test_recording_that_is_no_npz(tmp_path, content):
    path = tmp_path / "rec.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^Recording {path} must be an .npz file of plain arrays, "
                                         "not a file that NumPy refuses: .+"):
        read_recording(path)


def test_recording_of_other_npy_files(tmp_path):
    np.save(tmp_path / "rec.npy", np.zeros(3))
    np.savez(tmp_path / "rec.npz", **{**GOOD, "channel": np.array([None] * 5)})
    reasons = {"rec.npy": "it has one array without a name; 'spikewright record import' makes an "
               ".npz file", "rec.npz": "it has Python objects"}
    for name, reason in reasons.items():
        path = tmp_path / name
        with refused(f"Recording {path} must be an .npz file of plain arrays, not a file that "
                     f"NumPy refuses: {reason}"):
            read_recording(path)


def test_recording_truncated_or_damaged(write):
    path = write(velocity=np.zeros((5, 2)))
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for size in (1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="must be an .npz file"):
            read_recording(path)
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            read_recording(path)
        except ValueError as error:
            assert str(error).startswith(f"Recording {path} ")


def test_recording_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_recording(tmp_path / "rec.npz")


def test_recording_of_another_network():
    recording = make_recording([[0]], channels=3)
    recording.check_fits(3, 4e-3)
    with refused("Recording made n_channels must be 4, as the network has, not 3"):
        recording.check_fits(4, 4e-3)
    with refused("Recording made dt must be 0.005 s, as the network has, not 0.004"):
        recording.check_fits(3, 5e-3)


def test_poisson_recording():
    recording = poisson_recording(10, 4e-3, steps=20000, rate=50, seed=3)
    assert (recording.steps, recording.channels, recording.dt) == (20000, 10, 4e-3)
    counts = np.bincount(recording.channel, minlength=10)
    assert counts == pytest.approx(np.full(10, 4000), rel=0.06)
    assert recording.start[-1] == len(recording.channel)
    assert np.diff(recording.start).var() == pytest.approx(2, rel=0.1)  # Poisson: mean = variance


def test_simulated_recording_is_always_the_same():
    network = tiny_network(0, channels=20)
    one, other = simulated_recording(network), simulated_recording(network)
    assert np.array_equal(one.channel, other.channel)
    assert (one.channels, one.dt, one.steps) == (20, 4e-3, 10000)
    assert len(one.channel) / (one.steps * one.dt * one.channels) == pytest.approx(20, rel=0.03)
    assert one.name == "simulated Poisson spikes, 20 Hz per channel, seed 1"


@pytest.mark.parametrize("dt, rate, text", [(1.0, 0.2, "0.2"), (1e-6, 20000, "20000"),
                                            (1e-3, 20, "20")])
def test_simulated_recording_of_a_step_that_is_not_in_seconds(dt, rate, text):
    """Between 0.02 and 0.2 spikes per channel and step."""
    network = dataclasses.replace(tiny_network(0, channels=20), dt=dt)
    recording = simulated_recording(network)
    assert len(recording.channel) / (recording.steps * dt * 20) == pytest.approx(rate, rel=0.05)
    assert recording.name == f"simulated Poisson spikes, {text} Hz per channel, seed 1"


def test_recording_with_gaps_and_texts(tmp_path):
    """A gap in the velocity is kept, and the recording has the texts of the file."""
    velocity = np.zeros((4, 2))
    velocity[2] = np.nan
    np.savez(tmp_path / "rec.npz", bin=[0, 3], channel=[1, 0], n_bins=4, n_channels=2, dt=4e-3,
             velocity=velocity, unit="cm/s", licence="CC0", note="SYNTHETIC, of a test")
    recording = read_recording(tmp_path / "rec.npz")
    assert np.array_equal(recording.velocity, velocity, equal_nan=True)
    assert (recording.unit, recording.source, recording.licence, recording.synthetic) == (
        "cm/s", "", "CC0", True)


def test_keys_that_nobody_needs_are_not_unpacked(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", lambda file, key: read.append(key))
    np.savez(tmp_path / "rec.npz", dt=1.0, waveforms=np.zeros(1000), unit="m/s")
    read_arrays(tmp_path / "rec.npz", KEYS)
    assert sorted(read) == ["dt", "unit"]
