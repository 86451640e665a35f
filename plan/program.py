# SPDX-License-Identifier: Apache-2.0
"""The step program: the operations of a step, and the cycles that each takes.

Golden, the cycle formula, the sequencer and the training of the integers read this one list. There
are two kinds of operation. `Add` adds a row of weights for each entry of a source. `Map` gives each
neuron of a population its new state.

All times are cycles of the core's clock. The core has one row adder and one neuron update. They
work one after the other:

- A row occupies the adder for ``Add.period`` cycles: one per word of the row, and at least
  ROW_CYCLES. A row therefore never reads a state word that the row before has yet to write. The
  words of a ``rows`` table come in any order. If the layout has such a table, every row takes
  ROW_CYCLES - 1 more cycles than it has words, for the same reason. With STREAM_LANES lanes or
  more, a row has few words. If all tables are then dense, the adder hands on the words that it has
  yet to write, and a row takes as many cycles as it has words.
- `Add` from spikes: the first row comes FETCH_CYCLES after the begin of the operation, or later, as
  soon as the adder is free. Each further row comes as soon as the adder is free. The operation ends
  2 cycles after its last row. Without a row it ends 2 cycles after its begin.
- `Add` from the input: each row is taken when its token comes. The core is not busy while it waits
  for a token. If no projection needs the input in its own step, the events are only taken, and the
  core is not busy. This operation is then the first.
- `Add` from the input log, or from the log of a window: as from spikes, with a row for each event
  of the step that is due.
- `Add` from values: as from spikes, with a row for each value that is not 0. With a serial
  multiplier, a value adds its row once for each of its signed digits that are not 0. No two of
  these are neighbours, so a value of n bits has (n + 1) // 2 of them at most.
- `Map` begins when the adder holds no row any more. It reads the first current 2 cycles later at
  the earliest, and then at most one word per cycle. By then the adder has written the word. If rows
  stream, the adder writes the word in the same cycle at the latest.

  With shared neurons, a `Map` takes one cycle to start, NEURON_TICKS per neuron, and FLUSH_TICKS
  for the pipeline. With a serial multiplier the pipeline takes one tick less, because product and
  sum are one stage. A tick is one cycle. With a serial multiplier it is one cycle for each bit of
  the largest decay, and one more for the sum.

  With a neuron unit per lane, a `Map` takes one cycle per state word and LANE_FLUSH_CYCLES. All
  currents then decay together when the result is valid, which takes one cycle per state word of
  the model. These cycles are part of the cycles of the step, but not of the latency. The core
  takes events of the next step after them.

  A `Map` of a graded population takes one cycle per unit, and GRADED_FLUSH_CYCLES. With a serial
  multiplier it takes one cycle to start, a tick per unit, and GRADED_FLUSH_TICKS. A tick is then
  one cycle for each bit of a factor, and one more. A `Map` of a part
  of a normalized window has one multiplier for all that it does. It takes ROOT_CYCLES for the root,
  and NORMALIZE_CYCLES for each unit. To both, a cycle is added for each exponent that a root may
  have, because numbers are shifted bit by bit: always as often as it may be needed.

  A population with a period is updated in some steps only. In the others its `Map` takes one cycle.

With inner steps, the `Add` operations of all windows come first, and the `Map` of the constant
source. Then each inner step normalizes its part, and updates all layers in their order.
"""

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikewright.model.graded import MOST_LOOK

from .layout import Layout, RowTable, Span

__all__ = ["FETCH_CYCLES", "FLUSH_TICKS", "GRADED_FLUSH_CYCLES", "GRADED_FLUSH_TICKS",
           "LANE_FLUSH_CYCLES", "NEURON_TICKS", "NORMALIZE_CYCLES", "ROOT_CYCLES", "ROW_CYCLES",
           "STREAM_LANES", "Add", "Clock", "Map", "Operation", "Program", "Source", "row_period",
           "streams", "tick_cycles"]

ROW_CYCLES = 3
STREAM_LANES = 17     # with fewer lanes, most networks gain less than the logic costs
FETCH_CYCLES = 3
NEURON_TICKS = 2
FLUSH_TICKS = 4
LANE_FLUSH_CYCLES = 6
GRADED_FLUSH_CYCLES = 6
GRADED_FLUSH_TICKS = 2
ROOT_CYCLES = 5
NORMALIZE_CYCLES = 9

# A number of steps after a reset that no `Add` waits for.
LATEST = 2 * MOST_LOOK


class Clock(NamedTuple):
    """Times within a step, in cycles: three arrays of int64, shape (steps,).

    ``now`` is the first cycle of the next operation. ``free`` is the last cycle in which the adder
    holds a row. ``latency`` is the number of cycles since the last event was taken, minus ``now``.
    """

    now: np.ndarray
    free: np.ndarray
    latency: np.ndarray


class Source(enum.IntEnum):
    """Source of the rows of an `Add`."""

    SPIKES = 0
    INPUT = 1
    LOG = 2         # the input events of this or an earlier step, which were taken before
    VALUES = 3      # the values of a graded population: a row is multiplied by its value
    WINDOW = 4      # the input events of an earlier step, from the log of the windows


@dataclass(frozen=True, kw_only=True, eq=False)
class Add:
    """Add a row for each entry of a source.

    Parameters
    ----------
    source : Source
    origin : Span or None
        The population that fired, or gave the values. None for the input.
    delay : int
        How many steps ago the population fired, or the events came.
    projection : int
        Index of the projection in the model.
    table : RowTable
        Where the rows are. Row k belongs to source neuron k, or to input row k.
    target : Span or None
        The population whose currents the rows are added to. None for input events that are only
        taken. ``projection`` and ``table`` are then without meaning.
    shift : int
        A weight of 1 adds ``2**shift`` to a current.
    period : int
        Cycles for which a row occupies the adder.
    sign : int
        -1 if the rows are subtracted, because they leave a window; otherwise 1.
    since, before : int
        From the log of a window, rows are only added in these steps after a reset, which has the
        number 0: from ``since`` on, and before ``before``.
    part : int
        The part of a normalized window whose counts change with its sums, or -1.
    digits : int
        Rows that an entry adds at most: one for each signed digit of a value. 0 if an entry adds
        one row.
    """

    source: Source
    origin: Span | None
    delay: int
    projection: int
    table: RowTable
    target: Span | None
    shift: int
    period: int
    sign: int = 1
    since: int = 0
    before: int = LATEST
    part: int = -1
    digits: int = 0

    def advance(self, clock: Clock, count: np.ndarray) -> Clock:
        """The times after this operation. ``count`` is the rows that it adds, int64 (steps,)."""
        now, free, latency = clock
        if self.target is None:
            return Clock(now, free, (count > 0) + 1 - now)
        if self.source != Source.INPUT:
            last = np.maximum(now + FETCH_CYCLES, free) + (count - 1) * self.period
            return Clock(np.where(count > 0, last, now) + 2,
                         np.where(count > 0, last + self.period, free), latency)
        one = np.maximum(1, free - now) + self.period
        # From the taking of the last event to the taking of the STEP token. `now` covers the rest.
        latency = np.select([count == 0, count == 1], [0, one], 2 * self.period) + 1
        now = np.maximum(now, free + 1) + count * self.period
        return Clock(now, now - 1, latency - now)


@dataclass(frozen=True, kw_only=True, eq=False)
class Map:
    """Give each neuron of a population its new state.

    Parameters
    ----------
    span : Span
    cycles : int
        Cycles that it takes, from the cycle in which the adder holds no row any more.
    inner : int
        The inner step that it is part of.
    """

    span: Span
    cycles: int
    inner: int = 0

    def advance(self, clock: Clock, count: np.ndarray) -> Clock:
        """The times after this operation. ``count`` is 1 if the population rests, otherwise 0."""
        cycles = np.where(count > 0, 1, self.cycles)
        return clock._replace(now=np.maximum(clock.now, clock.free + 1) + cycles)


Operation = Add | Map


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """The operations of a step.

    Parameters
    ----------
    operations : tuple of Add or Map
        In the order in which they run.
    decay_cycles : int
        Cycles after the result in which all currents decay. 0 with shared neurons.
    streams : bool
        Whether rows follow without a gap even if they have fewer words than ROW_CYCLES.
    log_room : int
        Events of a step that the input log keeps. 0 if no operation needs the log.
    window_room : int
        Events that the log of the windows keeps. 0 without a window.
    """

    operations: tuple[Operation, ...]
    decay_cycles: int
    streams: bool
    log_room: int = 0
    window_room: int = 0

    @property
    def adds(self) -> list[Add]:
        """The operations that add rows."""
        return [operation for operation in self.operations if isinstance(operation, Add)]

    def keeps(self, span: Span) -> bool:
        """Whether the sums of a population are those of a window, and stay after its `Map`."""
        return not span.population.pools and any(
            add.target is span and add.source == Source.WINDOW for add in self.adds)

    @property
    def longest_delay(self) -> int:
        """Longest delay of a projection, in steps. Looks of windows do not count."""
        return max(add.delay for add in self.adds if add.source != Source.WINDOW)

    @property
    def longest_look(self) -> int:
        """Steps after which the last row of an event is subtracted; 0 without a window."""
        return max((add.delay for add in self.adds if add.source == Source.WINDOW), default=0)


def streams(layout: Layout) -> bool:
    """Whether rows follow without a gap even if they have fewer words than ROW_CYCLES."""
    return layout.lanes >= STREAM_LANES and all(t.format == "dense" for t in layout.tables)


def row_period(table: RowTable, layout: Layout) -> int:
    """Cycles for which a row of ``table`` occupies the adder."""
    if streams(layout):
        return table.row_words
    if any(other.format == "rows" for other in layout.tables):
        return table.row_words + ROW_CYCLES - 1
    return max(table.row_words, ROW_CYCLES)


def tick_cycles(factor_bits: int, multiplier: str) -> int:
    """Cycles of one tick, in which a shared pipeline advances by one stage."""
    return factor_bits + 1 if multiplier == "serial" else 1
