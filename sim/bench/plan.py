# SPDX-License-Identifier: Apache-2.0
"""What a testbench is given: tokens to send, and the answers that golden expects."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from spikewright.base.files import written_file

__all__ = ["Plan", "load_plan", "save_plan"]

NUMBERS = ("rows", "membrane", "words", "word_bytes", "units")


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
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
    place : ndarray of int64, shape (groups * units,)
        Column of ``spikes`` of each place of the hardware, or -1 where nothing must fire.
    velocity_int, spikes, saturated, cycles, latency
        As in ``golden.run.Answer``.
    rows, membrane, units : int
        Input rows of the model, bits of an output and neurons of a group: the shape of the ports.
    """

    kind: np.ndarray
    row: np.ndarray
    table: np.ndarray
    place: np.ndarray
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


def save_plan(path: Path, plan: Plan) -> None:
    """Write a plan as .npz."""
    with written_file(path) as temporary:
        np.savez(temporary, **vars(plan))


def load_plan(path: Path) -> Plan:
    """Read a plan that `save_plan` wrote."""
    with np.load(path) as file:
        arrays: dict[str, Any] = {field.name: file[field.name] for field in fields(Plan)}
    return Plan(**arrays | {name: int(arrays[name]) for name in NUMBERS})
