# SPDX-License-Identifier: Apache-2.0
"""The definition of the core: what one step computes, bit for bit.

The RTL must equal this file in every bit. The file is plain integer Python, and numba compiles it
without a change, so that there is no second text. With ``NUMBA_DISABLE_JIT=1`` in the environment,
the interpreter runs it instead.

A step runs the operations of the program (`plan.program`) in their order::

    Add     s = sat(s + (w << shift))                  per event, for every neuron of its row
    Map     m = 0 if fired before else sat(rnd(B * m) + s)
            fired = m > threshold                      strict
            s = rnd(A * s)                             |rnd(A * s)| <= |s|, since A < 2**d

``shift`` is the sum of the model's fraction bits and the projection's shift.
``rnd(x) = (x + 2**(d-1)) >> d`` rounds half up, where d is the number of bits of a decay. ``sat``
clamps a state to its width. If it changes the state, it also sets the flag ``saturated``, which
stays set until the next reset. A population that does not spike has the largest m as its threshold,
and its m are outputs.
"""

from typing import NamedTuple

import numpy as np

from spikewright.base.cache import compiled

__all__ = ["OPERATION", "Constants", "State", "Stimulus", "Trace", "run_steps"]

SPIKES, INPUT, MAP = 0, 1, 2            # the first two equal plan.program.Source


# One operation. ``kind`` is SPIKES, INPUT or MAP. ``first`` to ``stop - 1`` are the neurons of its
# population. The other columns are for an Add only. ``row`` is its first row, ``rows`` the number
# of its rows, and ``origin`` the first neuron of the source population.
OPERATION = np.dtype([(name, np.int64) for name in (
    "kind", "first", "stop", "row", "rows", "origin", "delay", "shift")])


class Constants(NamedTuple):
    """Tables of a model. Neurons are counted over all populations, rows over all projections.

    ``weights`` is int32 (rows, neurons). ``operations`` is ``OPERATION`` (operations,). ``a``,
    ``b`` and ``threshold`` are int64 (neurons,). ``limits`` is int64 (3,): largest s, largest m,
    bits of a decay.
    """

    weights: np.ndarray
    operations: np.ndarray
    a: np.ndarray
    b: np.ndarray
    threshold: np.ndarray
    limits: np.ndarray


class State(NamedTuple):
    """State between steps.

    ``s`` and ``m`` are int64 (neurons,). ``spikes`` is bool (slots, neurons). Slot ``t % slots``
    holds the spikes of step t. ``flags`` is int64 (1,). It is 1 if a state has saturated since the
    last reset.
    """

    s: np.ndarray
    m: np.ndarray
    spikes: np.ndarray
    flags: np.ndarray


class Stimulus(NamedTuple):
    """Input of all steps.

    ``row`` is int64 (events,), the input row of each event. ``start`` is int64 (steps + 1,): step t
    has the events ``start[t]`` to ``start[t + 1] - 1``. ``reset`` is bool (steps,): whether the
    state is cleared before the step.
    """

    row: np.ndarray
    start: np.ndarray
    reset: np.ndarray


class Trace(NamedTuple):
    """Results of every step.

    ``membrane`` is int64 and ``fired`` is bool, both (steps, neurons). ``events`` is int64
    (steps, operations), the rows that each operation added. ``saturated`` is bool (steps,): whether
    a state has saturated since the last reset.
    """

    membrane: np.ndarray
    fired: np.ndarray
    events: np.ndarray
    saturated: np.ndarray


@compiled()
def saturate(value, largest, flags):
    """Clamp ``value`` to -largest - 1 .. largest. Set ``flags`` if that changes the value."""
    if value > largest:
        flags[0] = 1
        return largest
    if value < -largest - 1:
        flags[0] = 1
        return -largest - 1
    return value


@compiled()
def scaled(value, factor, bits):
    """``value * factor / 2**bits``, rounded half up."""
    return (value * factor + (1 << (bits - 1))) >> bits


@compiled()
def add_row(constants, state, operation, row):
    """Add one row of weights to the synaptic currents of its targets."""
    largest = constants.limits[0]
    for i in range(operation["first"], operation["stop"]):
        drive = constants.weights[row, i] << operation["shift"]
        state.s[i] = saturate(state.s[i] + drive, largest, state.flags)


@compiled()
def update(constants, state, first, stop, slot, previous):
    """Advance the neurons ``first`` to ``stop`` - 1 by one step."""
    largest, bits = constants.limits[1], constants.limits[2]
    for i in range(first, stop):
        m = 0
        if not state.spikes[previous, i]:
            m = saturate(scaled(state.m[i], constants.b[i], bits) + state.s[i], largest,
                         state.flags)
        state.m[i] = m
        state.spikes[slot, i] = m > constants.threshold[i]
        state.s[i] = scaled(state.s[i], constants.a[i], bits)


@compiled()
def run_steps(constants, state, stimulus, trace):
    """Run every step of ``stimulus``. Change ``state``, and write the results to ``trace``."""
    slots = len(state.spikes)
    for t in range(len(stimulus.start) - 1):
        if stimulus.reset[t]:
            state.s[:] = 0
            state.m[:] = 0
            state.spikes[:] = False
            state.flags[0] = 0
        for k in range(len(constants.operations)):
            operation = constants.operations[k]
            events = 0
            if operation["kind"] == SPIKES:
                due = state.spikes[(t - operation["delay"]) % slots]
                for j in range(operation["rows"]):
                    if due[operation["origin"] + j]:
                        add_row(constants, state, operation, operation["row"] + j)
                        events += 1
            elif operation["kind"] == INPUT:
                for e in range(stimulus.start[t], stimulus.start[t + 1]):
                    add_row(constants, state, operation, operation["row"] + stimulus.row[e])
                    events += 1
            else:
                update(constants, state, operation["first"], operation["stop"], t % slots,
                       (t - 1) % slots)
            trace.events[t, k] = events
        trace.membrane[t] = state.m
        trace.fired[t] = state.spikes[t % slots]
        trace.saturated[t] = state.flags[0] == 1
