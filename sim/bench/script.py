# SPDX-License-Identifier: Apache-2.0
"""What a testbench is given: tokens to send, and the answers that golden expects."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from spikewright.base.files import written_file

__all__ = ["Script", "load_script", "save_script"]

NUMBERS = ("rows", "membrane", "words", "word_bytes", "units")


@dataclass(frozen=True, kw_only=True, eq=False)
class Script:
    """One run of the core, as plain arrays.

    Parameters
    ----------
    kind : ndarray of uint8, shape (tokens,)
        ``hw.layouts.TokenKind`` of each token.
    row : ndarray of int32, shape (tokens,)
    table : ndarray of uint8, shape (bytes,)
        What to load before the first token; empty where the core has no port for it.
    words, word_bytes : int
        Form of the table: the shape of that port.
    column : ndarray of int64, shape (groups * units,)
        Column of ``spikes`` of each column of the hardware, or -1 where nothing must fire.
    velocity_int, spikes, saturated, cycles, latency
        As in ``golden.run.Answer``.
    rows, membrane, units : int
        Input rows of the model, bits of an output and neurons of a group: the shape of the ports.
    """

    kind: np.ndarray
    row: np.ndarray
    table: np.ndarray
    column: np.ndarray
    velocity_int: np.ndarray
    spikes: np.ndarray
    saturated: np.ndarray
    cycles: np.ndarray
    latency: np.ndarray
    rows: int
    membrane: int
    words: int
    word_bytes: int
    units: int

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
