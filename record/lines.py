# SPDX-License-Identifier: Apache-2.0
"""Sessions that ``spikewright live`` has recorded: a line of JSON for each step."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from spikewright.base.errors import InputError
from spikewright.network.recording import MOST_STEPS

__all__ = ["FORMAT", "read_lines"]

# What the first line of a session says of its format.
FORMAT = "spikewright live 1"


def read_lines(path: Path, dt: float) -> dict[str, np.ndarray]:
    """Arrays of the recording in ``path``, whose steps have ``dt`` seconds.

    A step that was decoded and not recorded has no spike, and an unknown velocity. A last line that
    was cut is left out. Steps before which the state was cleared are starts of trials.

    Raises
    ------
    InputError
        If the file is another one, or its steps have another length.
    """
    with open(path, "rb") as stream:
        facts = _line(stream.readline())
        if facts is None or facts.get("format") != FORMAT:
            raise InputError(f"{path} must begin with a line of the format {FORMAT!r}, not with "
                             "another")
        if facts.get("dt") != dt:
            raise InputError(f"Step of {path.name} must be {facts.get('dt')} s, as it was "
                             f"recorded, not {dt:g} s")
        found: dict[int, dict] = {}
        for number, text in enumerate(stream, 2):
            line = _line(text)
            if line is None and text.endswith(b"\n"):
                raise InputError(f"{path} line {number} must be JSON of a session, not "
                                 f"{text[:40]!r}")
            if line is not None and "step" in line:
                found[_step(line, path, number)] = line
    if not found:
        raise InputError(f"{path} must have steps, not none")
    try:
        return _arrays(found, max(found) + 1, facts, path)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{path} must have the keys of a session in each line, not others: "
                         f"{error!r}") from None


def _arrays(found: dict[int, dict], steps: int, facts: dict, path: Path) -> dict[str, np.ndarray]:
    numbers = sorted(found)
    spikes = [sorted(found[number]["spikes"]) for number in numbers]
    channel = np.array([each for row in spikes for each in row], np.int64)
    arrays: dict[str, Any] = {
        "bin": np.repeat(np.array(numbers), [len(row) for row in spikes]), "channel": channel,
        "n_bins": steps, "n_channels": facts["channels"], "dt": facts["dt"],
        "trial_start_bin": np.array([n for n in numbers if found[n].get("reset")], np.int64),
        "source": f"{path.name}: decoded live from {facts['source']} by model "
                  f"{facts['model_hash'][:16]}"}
    known = [number for number in numbers if found[number].get("truth")]
    if known:
        velocity = np.full((steps, len(found[known[0]]["truth"])), np.nan)
        for number in known:
            velocity[number] = np.array(found[number]["truth"], np.float64)
        arrays["velocity"] = velocity
    return {key: np.asarray(value) for key, value in arrays.items()}


def _line(text: bytes) -> dict | None:
    """The facts of a line; None if it is cut, or no such line."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _step(line: dict, path: Path, number: int) -> int:
    step = line["step"]
    if type(step) is not int or not 0 <= step < MOST_STEPS:
        raise InputError(f"{path} line {number} step must be between 0 and {MOST_STEPS - 1}, not "
                         f"{step!r}")
    return step
