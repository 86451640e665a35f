# SPDX-License-Identifier: Apache-2.0
"""The cycle contract: how many clock cycles the core takes for a step, from its events alone.

The core is one row adder and one neuron pipeline, or one for each lane, driven phase by phase
(`plan.program`). All times below are cycles of the core's clock.

- A row occupies the adder for ``period`` cycles: one per word of its table, and at least
  ROW_CYCLES, so that a row never reads a state word that its forerunner has yet to write. Where any
  table has format ``rows``, whose words come in any order, every row takes ROW_CYCLES - 1 more than
  its words for the same reason. With STREAM_LANES lanes or more, which leave a row few words, and
  only dense tables, the adder hands on the words that it has yet to write, and a row takes no more
  cycles than it has words.
- SPIKES takes FETCH_CYCLES to come to the first row, which is taken then, or as soon as the adder
  is free, and ends when it finds nothing more: 2 cycles after its last row, or after it began.
  Rows follow as soon as the adder is free.
- INPUT takes rows as they come. Waiting for a token is not counted as busy.
- UPDATE begins when the adder holds no row any more. Its pipeline reads the first current 2 cycles
  later at the earliest, and then a word per cycle at most: the adder has written it by then,
  or, where rows stream, writes it in that cycle.

  With shared neurons it is one cycle to start, NEURON_TICKS per neuron and FLUSH_TICKS for the
  pipeline, one less with a serial multiplier, whose product and sum are one stage. A tick is one
  cycle; with a serial multiplier, one for each bit of a decay and one that takes the sum.

  With a neuron unit per lane it is one cycle per state word and LANE_FLUSH_CYCLES for the pipeline
  of 6 stages. The synaptic currents then decay together, one cycle per state word of the model,
  when the result is valid: these cycles count as work of the step, but not as latency. Events of
  the next step are taken after them.
"""

import numpy as np
from spikewright.model.model import IntegerModel, Widths

from .config import CoreConfig
from .images import Place, places
from .program import Kind, schedule
from .tables import state_words

__all__ = ["FETCH_CYCLES", "FLUSH_TICKS", "LANE_FLUSH_CYCLES", "NEURON_TICKS", "ROW_CYCLES",
           "STREAM_LANES", "decay_cycles", "row_period", "step_timing", "streams", "tick_cycles",
           "update_cycles", "worst_events"]

ROW_CYCLES = 3
STREAM_LANES = 17     # with fewer, logic to hand words on would cost more than most networks gain
FETCH_CYCLES = 3
NEURON_TICKS = 2
FLUSH_TICKS = 4
LANE_FLUSH_CYCLES = 6


def streams(tables: list[Place], lanes: int) -> bool:
    """Whether rows of ``tables`` follow without a gap even if they have fewer than ROW_CYCLES."""
    return lanes >= STREAM_LANES and all(place.format == "dense" for place in tables)


def row_period(place: Place, tables: list[Place], lanes: int) -> int:
    """Cycles for which a row of ``place``, one of ``tables``, occupies the adder."""
    if streams(tables, lanes):
        return place.row_words
    if any(other.format == "rows" for other in tables):
        return place.row_words + ROW_CYCLES - 1
    return max(place.row_words, ROW_CYCLES)


def tick_cycles(widths: Widths, config: CoreConfig) -> int:
    """Cycles in which the shared neuron pipeline goes on by one stage."""
    return widths.decay + 1 if config.multiplier == "serial" else 1


def update_cycles(neurons: int, widths: Widths, config: CoreConfig) -> int:
    """Cycles of the UPDATE of a population of ``neurons``, once the adder holds no row."""
    if config.neurons == "lanes":
        return -(-neurons // config.lanes) + LANE_FLUSH_CYCLES
    flush = FLUSH_TICKS - (config.multiplier == "serial")
    return 1 + (NEURON_TICKS * neurons + flush) * tick_cycles(widths, config)


def decay_cycles(model: IntegerModel, config: CoreConfig) -> int:
    """Cycles of a step after its result: the decay of all currents, with a unit per lane."""
    return state_words(model, config.lanes) if config.neurons == "lanes" else 0


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
    period = [row_period(place, tables, config.lanes) for place in tables]
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
            now = np.maximum(now, free + 1) + update_cycles(neurons, model.widths, config)
    return now + decay_cycles(model, config), latency + now


def worst_events(model: IntegerModel, input_events: int) -> np.ndarray:
    """Rows per phase, int64 (1, phases), of a step with every neuron firing at every delay."""
    return np.array([[
        input_events if phase.kind == Kind.INPUT
        else 0 if phase.kind == Kind.UPDATE
        else model.sources(model.projections[phase.index])
        for phase in schedule(model)]], np.int64)
