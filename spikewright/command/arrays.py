# SPDX-License-Identifier: Apache-2.0
"""What a recording, or the answer to one, says about itself on a terminal."""

from pathlib import Path

import numpy as np

from spikewright.base.arrays import read_arrays
from spikewright.base.errors import InputError
from spikewright.network.recording import Recording, read_recording

__all__ = ["array_rows", "recording_rows"]

# Spikes a second of a channel, in the mean. Some neurons of one electrode fire less together.
MOST_RATE = 500


def recording_rows(recording: Recording) -> list[str]:
    """Sizes, rates, trials and velocity of a recording: one fact a line."""
    steps, spikes = recording.steps, len(recording.channel)
    seconds = steps * recording.dt
    rate = spikes / (seconds * recording.channels)
    trials = np.count_nonzero(recording.reset)
    most = np.diff(recording.start).max(initial=0)
    rows = [f"{_many(steps, 'step')} of {1e3 * recording.dt:g} ms ({seconds:,.1f} s)",
            (f"{_many(recording.channels, 'channel')}, {_many(spikes, 'spike')} "
             f"({rate:.1f} Hz a channel)"),
            f"at most {_many(most, 'spike')} a step"
            + (f", {_many(trials, 'trial')}" if trials else "")]
    if recording.velocity is not None:
        unknown = np.count_nonzero(np.isnan(recording.velocity).any(axis=1))
        axes = _many(recording.velocity.shape[1], "axis", "axes")
        missing = _many(unknown, "step")
        rows.append(f"{recording.target} of {axes}"
                    f"{f' in {recording.unit}' if recording.unit else ''}"
                    f"{f', unknown in {missing}' if unknown else ''}")
    if rate > MOST_RATE:
        rows.append(f"mind: more than {MOST_RATE} Hz a channel are many. Are these counts of "
                    "spikes, and is the step right?")
    if recording.synthetic:
        rows.append("synthetic: nothing in it was measured on a subject")
    return rows


def _many(count: int | np.integer, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def array_rows(path: Path) -> list[str]:
    """Lines about the file ``path``, a recording or the answer of a run.

    Raises
    ------
    InputError
        If the file is neither.
    """
    try:
        kind = read_arrays(path, ("n_bins", "made_by"))     # the others may be large
        arrays = read_arrays(path) if "n_bins" not in kind and "made_by" in kind else None
    except ValueError as error:
        raise InputError(f"File {path} must be an .npz file of plain arrays, not a file that NumPy "
                         f"refuses: {error}") from error
    if arrays is None:
        return recording_rows(read_recording(path))
    rows = []
    for name, array in arrays.items():
        told = f"{array.dtype} of shape {array.shape}" if array.ndim else str(array)
        if array.ndim and array.size and array.dtype.kind in "iuf":
            told += f", {array.min():.6g} to {array.max():.6g}, mean {array.mean():.6g}"
        elif array.size and array.dtype == bool:
            told += f", {np.count_nonzero(array):,} are true"
        rows.append(f"{name:<14}{told}")
    return rows
