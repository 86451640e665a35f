# SPDX-License-Identifier: Apache-2.0
"""Comparison of two answers."""

import numpy as np

from .run import Answer

__all__ = ["FIELDS", "differences"]

# Fields in which golden and RTL must be equal, and what a column of each field is. `velocity` is
# `velocity_int` in other units.
FIELDS = {"velocity_int": "output", "spikes": "neuron", "values": "unit", "saturated": None,
          "cycles": None, "latency": None}


def differences(expected: Answer, got: Answer) -> list[str]:
    """One line for each field that differs.

    The line has the first difference, and the number of steps in which the field differs.
    """
    lines = []
    for field, column in FIELDS.items():
        want, have = getattr(expected, field), getattr(got, field)
        if want.shape != have.shape:
            lines.append(f"{field} must have shape {want.shape}, as golden has, not {have.shape}")
            continue
        wrong = np.argwhere(want != have)
        if len(wrong):
            index = tuple(wrong[0])
            where = f"step {index[0]}" + (f", {column} {index[1]}" if column else "")
            lines.append(f"{field} in {where} must be {int(want[index])}, as golden has, "
                         f"not {int(have[index])} ({len(np.unique(wrong[:, 0]))} of {len(want)} "
                         "steps differ)")
    return lines
