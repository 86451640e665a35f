# SPDX-License-Identifier: Apache-2.0
"""Script of a testbench: tokens to send, and the results of golden."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from spikewright.base.files import written_file

__all__ = ["Script", "load_script", "save_script"]

NUMBERS = ("rows", "membrane", "words", "word_bytes", "units", "value", "inner")


@dataclass(frozen=True, kw_only=True, eq=False)
class Script:
    """One run of the core, as plain arrays.

    Parameters
    ----------
    kind : ndarray of uint8, shape (tokens,)
        ``hw.layouts.TokenKind`` of each token.
    row : ndarray of int32, shape (tokens,)
        Input row of each event. 0 for other tokens.
    table : ndarray of uint8, shape (bytes,)
        Bytes to load before the first token. Empty if the core has no port ``load``.
    words, word_bytes : int
        Words of the table, and bytes of a word.
    column : ndarray of int64, shape (inner * groups * units,)
        Column in ``spikes`` of the neuron at each position in the groups, for each inner step. -1
        for a position that must never fire.
    group : ndarray of int64, shape (units,)
        Group of each unit in ``values``.
    velocity_int, spikes, values, saturated, cycles, latency
        As in `golden.run.Answer`.
    rows : int
        Input rows of the model.
    membrane : int
        Bits of an output.
    units : int
        Neurons of a group.
    value : int
        Bits of a value; 0 if the core has no values.
    inner : int
        Inner steps of a step.
    """

    kind: np.ndarray
    row: np.ndarray
    table: np.ndarray
    column: np.ndarray
    group: np.ndarray
    velocity_int: np.ndarray
    spikes: np.ndarray
    values: np.ndarray
    saturated: np.ndarray
    cycles: np.ndarray
    latency: np.ndarray
    rows: int
    membrane: int
    words: int
    word_bytes: int
    units: int
    value: int
    inner: int

    @property
    def steps(self) -> int:
        return len(self.cycles)


def save_script(path: Path, script: Script) -> None:
    """Write a script as .npz."""
    with written_file(path) as temporary:
        np.savez(temporary, **vars(script))


def load_script(path: Path) -> Script:
    """Read a script that `save_script` wrote."""
    with np.load(path) as file:
        arrays: dict[str, Any] = {field.name: file[field.name] for field in fields(Script)}
    return Script(**arrays | {name: int(arrays[name]) for name in NUMBERS})
