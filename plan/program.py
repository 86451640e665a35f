# SPDX-License-Identifier: Apache-2.0
"""The step program: what a step does, as a list of operations, and how long each takes.

Golden, the cycle formula, the sequencer and the training of the integers read this one list. There
are two kinds of operation. `Add` adds a row of weights for each entry of a source. `Map` passes
over the neurons of a population and gives each a new state.

All times are cycles of the core's clock. The core is one row adder and one neuron update, which
work one after the other:

- A row occupies the adder for ``Add.period`` cycles: one per word of its table, and at least
  ROW_CYCLES, so that a row never reads a state word that the row before has yet to write. The
  words of a ``rows`` table come in any order. Where there is such a table, every row takes
  ROW_CYCLES - 1 more than its words for the same reason. With STREAM_LANES lanes or more, which
  leave a row few words, and only dense tables, the adder hands on the words that it has yet to
  write, and a row takes no more cycles than it has words.
- Spikes: the first row comes FETCH_CYCLES after the begin, or as soon as the adder is free. The
  operation ends when it finds nothing more: 2 cycles after its last row, or after its begin. Rows
  follow as soon as the adder is free.
- Input: rows are taken as they come. Waiting for a token does not count as busy.
- `Map` begins when the adder holds no row any more. It reads the first current 2 cycles later at
  the earliest, and then a word per cycle at most: the adder has written it by then, or, where rows
  stream, writes it in that cycle.

  With shared neurons a `Map` takes one cycle to start, NEURON_TICKS per neuron, and FLUSH_TICKS for
  the pipeline. With a serial multiplier the flush is one tick less, because product and sum are
  one stage. A tick is one cycle; with a serial multiplier it is one for each bit of a decay and
  one that takes the sum.

  With a neuron unit per lane it takes one cycle per state word and LANE_FLUSH_CYCLES. All
  currents then decay together, one cycle per state word of the model, when the result is valid.
  These cycles count as work of the step, but not as latency. Events of the next step are taken
  after them.
"""

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikewright.base.errors import InputError
from spikewright.model.model import IntegerModel, Widths
from spikewright.network.network import INPUT

from .config import CoreConfig
from .layout import Layout, RowTable, Span

__all__ = ["FETCH_CYCLES", "FLUSH_TICKS", "LANE_FLUSH_CYCLES", "NEURON_TICKS", "ROW_CYCLES",
           "STREAM_LANES", "Add", "Clock", "Map", "Operation", "Program", "Source",
           "compile_program", "row_period", "streams", "tick_cycles"]

ROW_CYCLES = 3
STREAM_LANES = 17     # with fewer, logic to hand words on would cost more than most networks gain
FETCH_CYCLES = 3
NEURON_TICKS = 2
FLUSH_TICKS = 4
LANE_FLUSH_CYCLES = 6


class Clock(NamedTuple):
    """Times within a step, int64 (steps,) each.

    ``now`` is the first cycle of the next operation, ``free`` the last cycle in which the adder
    holds a row, and ``latency`` the cycles since the last event was taken, less ``now``.
    """

    now: np.ndarray
    free: np.ndarray
    latency: np.ndarray


class Source(enum.IntEnum):
    """What an `Add` takes its rows from."""

    SPIKES = 0
    INPUT = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Add:
    """Add a row for each entry of a source.

    Parameters
    ----------
    source : Source
    origin : Span or None
        The population whose spikes are taken; None for the input.
    delay : int
        Steps by which the entries are old.
    projection : int
        Its index in the model.
    table : RowTable
        Where the rows lie: row k is that of entry k.
    target : Span
        Where the rows are added.
    shift : int
        A weight of 1 adds ``2**shift`` to a current.
    period : int
        Cycles for which a row occupies the adder.
    """

    source: Source
    origin: Span | None
    delay: int
    projection: int
    table: RowTable
    target: Span
    shift: int
    period: int

    def advance(self, clock: Clock, count: np.ndarray) -> Clock:
        """The times after this operation, which adds ``count`` int64 (steps,) rows."""
        now, free, latency = clock
        if self.source == Source.SPIKES:
            last = np.maximum(now + FETCH_CYCLES, free) + (count - 1) * self.period
            return Clock(np.where(count > 0, last, now) + 2,
                         np.where(count > 0, last + self.period, free), latency)
        one = np.maximum(1, free - now) + self.period
        # From the last event taken to the STEP token taken; from then on, `now` is common.
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
        From the cycle in which the adder holds no row any more.
    """

    span: Span
    cycles: int

    def advance(self, clock: Clock, count: np.ndarray) -> Clock:
        """The times after this operation; ``count`` is 0."""
        return clock._replace(now=np.maximum(clock.now, clock.free + 1) + self.cycles)


Operation = Add | Map


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """What a step does.

    Parameters
    ----------
    operations : tuple of Add or Map
        In the order in which they run.
    decay_cycles : int
        Cycles of a step after its result: all currents decay, with a neuron unit per lane.
    streams : bool
        Whether rows follow without a gap even if they have fewer words than ROW_CYCLES.
    """

    operations: tuple[Operation, ...]
    decay_cycles: int
    streams: bool

    @property
    def adds(self) -> list[Add]:
        return [operation for operation in self.operations if isinstance(operation, Add)]

    @property
    def longest_delay(self) -> int:
        return max(add.delay for add in self.adds)


def compile_program(model: IntegerModel, layout: Layout, config: CoreConfig) -> Program:
    """The operations of one step of ``model``.

    Populations go in their order. Before the `Map` of each come the rows that reach it: those of
    spikes in order of projections, then, for the first population, those of the input, because
    delayed spikes are known before the step's events come.

    Raises
    ------
    InputError
        If the model has another form than one input projection, with delay 0, to the first
        population.
    """
    operations: list[Operation] = []
    flowing = streams(layout)
    for span in layout.spans.values():
        into = [(k, p) for k, p in enumerate(model.projections)
                if p.target == span.population.name]
        for k, projection in sorted(into, key=lambda item: item[1].source == INPUT):
            table = layout.tables[k]
            source = Source.INPUT if projection.source == INPUT else Source.SPIKES
            if source == Source.INPUT and (span.first != 0 or projection.delay != 0):
                raise InputError(f"Projection {projection.title} must reach the first "
                                 f"population with delay 0, not {span.population.name} with "
                                 f"delay {projection.delay}")
            operations.append(Add(
                source=source, origin=layout.spans.get(projection.source), projection=k,
                delay=projection.delay, table=table, target=span,
                shift=model.widths.fraction + projection.shift,
                period=row_period(table, layout)))
        operations.append(Map(span=span, cycles=_map_cycles(span, model.widths, config)))
    program = Program(operations=tuple(operations), streams=flowing,
                      decay_cycles=layout.words if config.neurons == "lanes" else 0)
    inputs = sum(add.source == Source.INPUT for add in program.adds)
    if inputs != 1:
        raise InputError(f"Model must have one input projection, not {inputs}")
    return program


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


def tick_cycles(decay_bits: int, multiplier: str) -> int:
    """Cycles in which the shared neuron pipeline goes on by one stage."""
    return decay_bits + 1 if multiplier == "serial" else 1


def _map_cycles(span: Span, widths: Widths, config: CoreConfig) -> int:
    if config.neurons == "lanes":
        return span.words + LANE_FLUSH_CYCLES
    flush = FLUSH_TICKS - (config.multiplier == "serial")
    ticks = NEURON_TICKS * span.neurons + flush
    return 1 + ticks * tick_cycles(widths.decay, config.multiplier)
