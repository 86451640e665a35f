# SPDX-License-Identifier: Apache-2.0
"""Where two answers first differ."""

import numpy as np

from .run import Answer

__all__ = ["FIELDS", "differences"]

# Fields of an answer that golden and RTL must agree on, and what counts along a row of each.
# `velocity` is `velocity_int` in other units.
FIELDS = {"velocity_int": "output", "spikes": "neuron", "saturated": None, "cycles": None,
          "latency": None}


def differences(expected: Answer, got: Answer) -> list[str]:
    """One line for each field that differs: its first difference, and in how many steps it does."""
    lines = []
    for field, column in FIELDS.items():
        want, have = getattr(expected, field), getattr(got, field)
        if want.shape != have.shape:
            lines.append(f"{field} must have shape {want.shape}, as golden has, not {have.shape}")
            continue
        wrong = np.argwhere(want != have)
        if len(wrong):
            place = tuple(wrong[0])
            where = f"step {place[0]}" + (f", {column} {place[1]}" if column else "")
            lines.append(f"{field} in {where} must be {int(want[place])}, as golden has, "
                         f"not {int(have[place])} ({len(np.unique(wrong[:, 0]))} of {len(want)} "
                         "steps differ)")
    return lines
