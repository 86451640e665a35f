# SPDX-License-Identifier: Apache-2.0
"""The cycle contract: how many clock cycles the core takes for a step, from its events alone.

The formula of each operation is beside the operation, in `plan.program`.
"""

import numpy as np

from .plan import Plan
from .program import Add, Clock, Source

__all__ = ["step_timing", "worst_events"]


def step_timing(plan: Plan, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Busy cycles and latency of every step.

    Parameters
    ----------
    plan : Plan
    events : ndarray of int64, shape (steps, operations)
        Rows that each operation adds, as golden counts them.

    Returns
    -------
    cycles : ndarray of int64, shape (steps,)
        Cycles in which the core works on the step.
    latency : ndarray of int64, shape (steps,)
        Cycles from the taking of the step's last event to a valid result, when tokens wait for
        the core; from the taking of the STEP token where a step has no event.
    """
    zero = np.zeros(len(events), np.int64)
    clock = Clock(now=zero, free=zero - 1, latency=zero)
    for operation, count in zip(plan.program.operations, events.T, strict=True):
        clock = operation.advance(clock, count)
    return clock.now + plan.program.decay_cycles, clock.latency + clock.now


def worst_events(plan: Plan, input_events: int) -> np.ndarray:
    """Rows per operation, int64 (1, operations), where every neuron fires at every delay."""
    return np.array([[
        0 if not isinstance(operation, Add)
        else input_events if operation.source == Source.INPUT
        else operation.table.rows
        for operation in plan.program.operations]], np.int64)
