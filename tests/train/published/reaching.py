# SPDX-License-Identifier: Apache-2.0
"""Sessions in the layout of the public reaching recordings."""

import importlib.util

import numpy as np
import pytest

__all__ = ["needs_h5py", "write_session"]

needs_h5py = pytest.mark.skipif(importlib.util.find_spec("h5py") is None,
                                reason="h5py is not installed: pip install spikewright[record]")


def write_session(path, *, channels=4, units=2, samples=2600, rate=20.0, seed=0, start=12.5,
                  targets=20, without=()):
    """Write a session whose cells are random spikes, those of a channel tuned to the cursor.

    Gives what is in the file: the spikes of each unit of each channel, t, cursor_pos and target_pos
    of shape (2, samples).
    """
    import h5py
    rng = np.random.default_rng(seed)
    times = start + 0.004 * np.arange(samples)
    phase = 2 * np.pi * times * [[0.9], [0.7]]
    cursor = np.array([[60.0], [40.0]]) * np.sin(phase)
    moves = np.sort(rng.choice(np.arange(1, samples), targets, replace=False))
    target = np.zeros((2, samples))
    for move in moves:
        target[:, move:] = rng.integers(-5, 5, (2, 1)) + target[:, move - 1:move] + [[0.5], [0]]
    tuned = np.cos(phase[rng.integers(2, size=channels)]
                   + rng.uniform(0, 2 * np.pi, (channels, 1)))
    spikes = [[np.sort(np.concatenate([
        times[rng.random(samples) < 0.004 * rate * (1 + tuned[channel]) / units]
        + rng.uniform(-0.004, 0.004)])) for _ in range(units)] for channel in range(channels)]
    with h5py.File(path, "w") as file:
        cells = file.create_dataset("spikes", (units, channels), h5py.ref_dtype)
        for channel, own in enumerate(spikes):
            for unit, seconds in enumerate(own):
                name = f"#refs#/{channel}_{unit}"
                if len(seconds):
                    item = file.create_dataset(name, data=seconds[None])
                else:                   # MATLAB stores the shape of an empty cell
                    item = file.create_dataset(name, data=np.zeros(2, np.uint64))
                    item.attrs["MATLAB_empty"] = 1
                cells[unit, channel] = item.ref
        for key, values in (("t", times[None]), ("cursor_pos", cursor), ("target_pos", target)):
            if key not in without:
                file[key] = values
    return spikes, times, cursor, target
