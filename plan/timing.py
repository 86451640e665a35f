# SPDX-License-Identifier: Apache-2.0
"""The cycle contract: the clock cycles of a step, calculated from its events.

`plan.program` has the formula of each operation.
"""

import numpy as np

from .frames import events_max
from .plan import Plan
from .program import Add, Clock, Source

__all__ = ["step_timing", "worst_events", "worst_step"]


def step_timing(plan: Plan, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cycles and latency of every step.

    Parameters
    ----------
    plan : Plan
    events : ndarray of int64, shape (steps, operations)
        Rows that each `Add` adds, and 1 for each `Map` whose population rests. Golden counts them.

    Returns
    -------
    cycles : ndarray of int64, shape (steps,)
        Cycles in which the core works on the step. Waiting is not counted.
    latency : ndarray of int64, shape (steps,)
        Cycles from the taking of the step's last event to its valid result. In a step without
        events, cycles from the taking of the STEP token. The figure assumes that each token is
        there before the core can take it.
    """
    zero = np.zeros(len(events), np.int64)
    clock = Clock(now=zero, free=zero - 1, latency=zero)
    for operation, count in zip(plan.program.operations, events.T, strict=True):
        clock = operation.advance(clock, count)
    return clock.now + plan.program.decay_cycles, clock.latency + clock.now


def worst_events(plan: Plan, input_events: int) -> np.ndarray:
    """Rows that each operation adds if every neuron fires, and every population is updated.

    A value then has as many signed digits as one can have.

    ``input_events`` is the number of events in the step. The result is int64 of shape
    (1, operations), as `step_timing` takes it.
    """
    return np.array([[
        0 if not isinstance(operation, Add)
        else input_events if operation.source == Source.INPUT
        else min(input_events, plan.program.log_room) if operation.source == Source.LOG
        else min(input_events, plan.program.window_room) if operation.source == Source.WINDOW
        else operation.table.rows * max(operation.digits, 1)
        for operation in plan.program.operations]], np.int64)


def worst_step(plan: Plan) -> tuple[int, int]:
    """Most cycles, and largest latency, of a step of one frame: proven, not seen.

    Every neuron fires in every step, and the frame has any number of events that it can carry.
    """
    most = events_max(plan.model.rows)
    cycles, latency = step_timing(plan, np.concatenate(
        [worst_events(plan, events) for events in range(most + 1)]))
    return int(cycles.max()), int(latency.max())
