# SPDX-License-Identifier: Apache-2.0
"""The cycle contract: how many clock cycles the core takes for a step, from its events alone.

The core is one row adder and one neuron pipeline, driven phase by phase (`golden.schedule`). All
times below are cycles of the core's clock.

- A row occupies the adder for ``period`` cycles: one per word of its table, and at least
  ROW_CYCLES, so that a row never reads a state word that its forerunner has yet to write. Rows of
  format ``rows`` visit state words in any order, and take ROW_CYCLES - 1 more for the same reason.
- SPIKES takes FETCH_CYCLES to come to the first row, which is taken then, or as soon as the adder
  is free, and ends when it finds nothing more: 2 cycles after its last row, or after it began.
- INPUT takes rows as they come. Waiting for a token is not counted as busy.
- UPDATE waits until the adder has passed on its last row, DRAIN_CYCLES for the adder's pipeline
  and BITMAP_CYCLES where any table is a bitmap, NEURON_CYCLES per neuron, and FLUSH_CYCLES for the
  neuron pipeline.
"""

import numpy as np

from quantize.model import IntegerModel
from quantize.rom import Place, places

from .config import CoreConfig
from .schedule import Kind, schedule

__all__ = ["BITMAP_CYCLES", "DRAIN_CYCLES", "FETCH_CYCLES", "FLUSH_CYCLES", "NEURON_CYCLES",
           "row_period", "step_timing", "worst_events"]

ROW_CYCLES = 3
FETCH_CYCLES = 3
DRAIN_CYCLES = 3
BITMAP_CYCLES = 1
NEURON_CYCLES = 2
FLUSH_CYCLES = 6


def row_period(place: Place) -> int:
    """Cycles for which a row occupies the adder."""
    if place.format == "rows":
        return place.row_words + ROW_CYCLES - 1
    return max(place.row_words, ROW_CYCLES)


def drain_cycles(tables: list[Place]) -> int:
    """Cycles from the end of a row in the adder until its last word is written."""
    return DRAIN_CYCLES + BITMAP_CYCLES * any(place.format == "bitmap" for place in tables)


def step_timing(model: IntegerModel, config: CoreConfig,
                events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Busy cycles and latency of every step.

    Parameters
    ----------
    model : IntegerModel
    config : CoreConfig
    events : ndarray of int64, shape (steps, phases)
        Rows that each phase adds, as golden counts them.

    Returns
    -------
    cycles : ndarray of int64, shape (steps,)
        Cycles in which the core works on the step.
    latency : ndarray of int64, shape (steps,)
        Cycles from the taking of the step's last event to a valid result, when tokens wait for
        the core; from the taking of the STEP token where a step has no event.
    """
    tables = places(model, config.lanes, config.tables)
    period = [row_period(place) for place in tables]
    now = np.zeros(len(events), np.int64)       # first cycle of the phase
    free = np.full(len(events), -1, np.int64)   # last cycle in which the adder holds a row
    latency = now
    for phase, count in zip(schedule(model), events.T, strict=True):
        if phase.kind == Kind.SPIKES:
            cycles = period[phase.index]
            last = np.maximum(now + FETCH_CYCLES, free) + (count - 1) * cycles
            free = np.where(count > 0, last + cycles, free)
            now = np.where(count > 0, last, now) + 2
        elif phase.kind == Kind.INPUT:
            cycles = period[phase.index]
            one = np.maximum(1, free - now) + cycles
            # From the last event taken to the STEP token taken; then on, `now` is common.
            latency = np.select([count == 0, count == 1], [0, one], 2 * cycles) + 1
            now = np.maximum(now, free + 1) + count * cycles
            free = now - 1
            latency = latency - now
        else:
            neurons = model.populations[phase.index].neurons
            now = (np.maximum(now, free + 1) + drain_cycles(tables)
                   + NEURON_CYCLES * neurons + FLUSH_CYCLES)
    return now, latency + now


def worst_events(model: IntegerModel, input_events: int) -> np.ndarray:
    """Rows per phase, int64 (1, phases), of a step with every neuron firing at every delay."""
    return np.array([[
        input_events if phase.kind == Kind.INPUT
        else 0 if phase.kind == Kind.UPDATE
        else model.sources(model.projections[phase.index])
        for phase in schedule(model)]], np.int64)
