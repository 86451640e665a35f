# SPDX-License-Identifier: Apache-2.0
"""What golden computes with: tables of a model, state, input and results, as arrays."""

from typing import NamedTuple

import numpy as np

__all__ = ["CYCLE", "INPUT", "LOG", "MAP", "NORMALIZE", "OPERATION", "OUTPUT", "POOL", "RECTIFY",
           "SPIKES", "VALUES", "WINDOW", "Constants", "State", "Stimulus", "Trace"]

SPIKES, INPUT, LOG, VALUES, WINDOW = 0, 1, 2, 3, 4      # as in plan.program.Source
MAP, RECTIFY, OUTPUT, POOL, NORMALIZE = 5, 6, 7, 8, 9   # of neurons, of graded units
CYCLE = 8                                               # a multiple of all periods

# One operation. ``first`` to ``stop - 1`` are the neurons of its population. Of an Add, ``row`` is
# its first row, ``rows`` the number of its rows, and ``origin`` the first neuron of the source
# population. An Add from the log of a window has ``since`` and ``before``, see `plan.program`.
# ``reset`` is for a Map of neurons. Of a Map of graded units, ``largest`` is the largest value, and
# ``keeps`` whether s is the sum of a window. A Map has ``period``, ``phase`` and ``interval``, see
# `model.graded.GradedPopulation`. ``inner`` is the inner step of a Map, and ``begins`` is whether
# the membranes begin at 0. ``part`` is the part of a normalized window that an Add changes, or -1.
# ``target`` is the first neuron of the layer that a part gives currents to. With ``digits``, an Add
# from values counts a row for each signed digit of a value.
OPERATION = np.dtype([(name, np.int64) for name in (
    "kind", "first", "stop", "reset", "row", "rows", "origin", "delay", "shift", "sign", "since",
    "before", "largest", "keeps", "period", "phase", "interval", "inner", "begins", "part",
    "target", "digits")])


class Constants(NamedTuple):
    """Tables of a model. Neurons are counted over all populations, rows over all projections.

    ``weights`` is int32 (rows, neurons). ``operations`` is ``OPERATION`` (operations,). ``a``,
    ``b`` and ``threshold`` are int64 (neurons,), and so are ``bias``, ``factor`` and ``shift`` of
    graded units. ``factor`` of a unit of a normalized window is the sum of its weights.
    ``limits`` is int64 (7,): largest s, largest m, bits of a decay, silent steps, and of a
    normalized window the number of its counts, what is added to the spread, and the fraction bits.
    ``roots`` is `model.inner.root_table`, int64.
    """

    weights: np.ndarray
    operations: np.ndarray
    a: np.ndarray
    b: np.ndarray
    threshold: np.ndarray
    bias: np.ndarray
    factor: np.ndarray
    shift: np.ndarray
    limits: np.ndarray
    roots: np.ndarray


class State(NamedTuple):
    """State between steps.

    ``s``, ``m`` and ``kept`` are int64 (neurons,). m of a graded unit is its value, and ``kept``
    the sum that a pool keeps. ``spikes`` is bool (slots, neurons), and ``values`` is int64
    (slots, units), of the units that give values to others. Slot ``t % slots`` holds the spikes and
    values of step t. ``log`` is int64 (slots, room),
    the input rows of the events of a step, and ``logged`` is int64 (slots,), their number.
    ``flags`` is int64 (1,). It is 1 if a state has saturated since the last reset.

    ``ring`` is int64 (room,), the input rows of the log of the windows: event number n since the
    reset is in place n modulo room. ``begins`` is int64 (looks,): the number of the first event of
    step t is in place t modulo looks. ``counts`` is int64 (4,): the number of the next event, that
    of the oldest one that is kept, the steps since the reset, at most looks - 1, and these steps
    modulo `CYCLE`.

    ``cells`` is int64 (parts, rows), the counts of a normalized window, and ``moments`` is int64
    (2,), their sum and the sum of their squares.
    """

    s: np.ndarray
    m: np.ndarray
    kept: np.ndarray
    spikes: np.ndarray
    values: np.ndarray
    log: np.ndarray
    logged: np.ndarray
    ring: np.ndarray
    begins: np.ndarray
    counts: np.ndarray
    cells: np.ndarray
    moments: np.ndarray
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

    ``membrane`` is int64 (steps, neurons), and ``fired`` is bool (steps, inner steps, neurons).
    ``values`` is int64 (steps, units), what graded units give to others. ``events`` is int64
    (steps, operations), the rows that each Add added, and 1 for each Map whose population rested.
    ``saturated`` is bool (steps,): whether a state has saturated since the last reset.
    """

    membrane: np.ndarray
    values: np.ndarray
    fired: np.ndarray
    events: np.ndarray
    saturated: np.ndarray
