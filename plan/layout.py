# SPDX-License-Identifier: Apache-2.0
"""The layout of a model on a core: where its populations, rows and tables are."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from spikewright.model.graded import GradedPopulation
from spikewright.model.model import IntegerModel
from spikewright.network.network import inner

from .formats import FORMATS, TableCost, TableImages, row_words, smallest

__all__ = ["NO_COLUMN", "Layout", "RowTable", "Span", "table_costs"]

# In place of a column: the neuron is the source of a bias, whose spikes are no part of an answer.
NO_COLUMN = -2


@dataclass(frozen=True, kw_only=True, eq=False)
class Span:
    """Where the neurons of one population are, in neurons, state words and groups.

    Parameters
    ----------
    population : IntegerPopulation or GradedPopulation
    first : int
        Index of its first neuron among the neurons of all populations.
    word, words : int
        Index of its first state word, and number of its state words. A state word has one neuron
        per lane.
    group, groups : int
        Index of its first group, and number of its groups. A group is the neurons that are updated
        at once: one neuron, or the neurons of a state word.
    list : int
        Index of its list in the log of spikes and values. For a population that has none, index
        among those without a list.
    """

    population: Any
    first: int
    word: int
    words: int
    group: int
    groups: int
    list: int

    @property
    def neurons(self) -> int:
        return self.population.neurons

    @property
    def stop(self) -> int:
        """Index of the neuron after its last one."""
        return self.first + self.neurons


@dataclass(frozen=True, kw_only=True)
class RowTable:
    """Where the rows of one projection are in the weight tables.

    Parameters
    ----------
    bits : int
        Bits of a weight.
    format : str
        One of `plan.formats.FORMATS`.
    first : int
        Address of its first word in the memory of this width and format. For a bitmap, address of
        its first slice.
    first_row : int
        Index of its first entry in the directory of the bitmaps. 0 for other formats.
    row_words : int
        Words of each row.
    rows : int
    target : int
        Index of the first state word of the target population.
    """

    bits: int
    format: str
    first: int
    first_row: int
    row_words: int
    rows: int
    target: int

    @property
    def words(self) -> int:
        """Words of all rows."""
        return self.rows * self.row_words


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where the populations, rows and tables of a model are on a core.

    Parameters
    ----------
    model : IntegerModel
    lanes : int
        Neurons of a state word, and weights of a table word.
    units : int
        Neurons of a group: 1 or ``lanes``.
    tables_format : str
        Format of all tables. ``smallest`` takes what has the fewest bits in all: one format for
        all projections, or for each projection the one with the fewest bits, counted alone.
    """

    model: IntegerModel
    lanes: int
    units: int = 1
    tables_format: str = "dense"

    @cached_property
    def spans(self) -> dict[str, Span]:
        """The populations by name, in their order."""
        first = word = group = 0
        lists = dict.fromkeys((True, False), 0)
        spans: dict[str, Span] = {}
        for population in self.model.populations:
            words, groups = (-(-population.neurons // size) for size in (self.lanes, self.units))
            spans[population.name] = Span(
                population=population, first=first, word=word, words=words, group=group,
                groups=groups, list=lists[_logs(population)])
            first, word, group = first + population.neurons, word + words, group + groups
            lists[_logs(population)] += 1
        return spans

    @property
    def listed(self) -> list[Span]:
        """Spans of the populations whose spikes or values are logged."""
        return [span for span in self.spans.values() if _logs(span.population)]

    @property
    def neurons(self) -> int:
        """Neurons of all populations."""
        return sum(span.neurons for span in self.spans.values())

    @property
    def words(self) -> int:
        """State words of all populations."""
        return sum(span.words for span in self.spans.values())

    @property
    def groups(self) -> int:
        """Groups of all populations. No group has neurons of two populations."""
        return sum(span.groups for span in self.spans.values())

    @property
    def neuron_at(self) -> np.ndarray:
        """Index of the neuron at each position in the groups, int64 of shape (groups * units,).

        A position without a neuron has -1.
        """
        table = np.full(self.groups * self.units, -1, np.int64)
        for span in self.spans.values():
            table[span.group * self.units:][:span.neurons] = np.arange(span.first, span.stop)
        return table

    @property
    def is_output(self) -> np.ndarray:
        """Whether each neuron is an output, bool of shape (neurons,)."""
        return np.concatenate([np.full(span.neurons, span.population.output)
                               for span in self.spans.values()])

    @property
    def is_valued(self) -> np.ndarray:
        """Whether each neuron is a unit that gives values to others, bool of shape (neurons,)."""
        return np.concatenate([
            np.full(span.neurons, isinstance(span.population, GradedPopulation)
                    and span.population.valued) for span in self.spans.values()])

    @property
    def spike_column(self) -> np.ndarray:
        """Column of each neuron in the spikes of an answer, int64 of shape (neurons,).

        With inner steps, it is that of the first one. A neuron that does not spike has -1. One that
        does, but has no column, has ``NO_COLUMN``.
        """
        columns, kept = self.model.spike_columns, []
        for name, span in self.spans.items():
            if name in columns:
                kept.append(columns[name].start + span.population.kept)
            else:
                kept.append(np.full(span.neurons, NO_COLUMN if inner(name) else -1))
        return np.concatenate(kept)

    @property
    def inner_columns(self) -> np.ndarray:
        """`spike_column` of each inner step, int64 of shape (inner steps, neurons)."""
        column, inner = self.spike_column, np.arange(self.model.inner_steps)
        size = np.concatenate([np.full(span.neurons, span.population.size)
                               for span in self.spans.values()])
        return np.where(column >= 0, column + inner[:, None] * size, column)

    def spread_spikes(self, fired: np.ndarray) -> np.ndarray:
        """Spikes of the core in the columns of an answer.

        Parameters
        ----------
        fired : ndarray of bool, shape (steps, inner steps, neurons)
            Spikes of the neurons on the core. The axis of inner steps may be missing if there is
            one.

        Returns
        -------
        ndarray of bool, shape (steps, hidden)
            Spikes of the spiking neurons in the checkpoint. Dropped neurons never fire.
        """
        spikes = np.zeros((len(fired), self.model.hidden), bool)
        fired, columns = fired.reshape(len(fired), -1, self.neurons), self.inner_columns
        spikes[:, columns[columns >= 0]] = fired[:, columns >= 0]
        return spikes

    @cached_property
    def tables(self) -> tuple[RowTable, ...]:
        """The row table of each projection, in the order of the projections.

        Row tables with the same weight width and the same format share a memory.
        """
        words: Counter[tuple[int, str]] = Counter()
        rows: Counter[tuple[int, str]] = Counter()
        tables = []
        for projection, name in zip(self.model.projections, self._formats(), strict=True):
            memory = projection.bits, name
            count = row_words(projection.weights, self.lanes, name)
            table = RowTable(bits=projection.bits, format=name, first=words[memory],
                             first_row=rows[memory] if name == "bitmap" else 0, row_words=count,
                             rows=len(projection.weights),
                             target=self.spans[projection.target].word)
            tables.append(table)
            words[memory] += table.words
            rows[memory] += table.rows
        return tuple(tables)

    @cached_property
    def images(self) -> dict[int, TableImages]:
        """Images of the weight tables by weight width in bits, the widest first."""
        return self._images(table.format for table in self.tables)

    @property
    def memories(self) -> list[tuple[int, str]]:
        """Weight width in bits, and format, of each weight memory of the core."""
        used = {(table.bits, table.format) for table in self.tables}
        return [(bits, name) for name in FORMATS for bits in self.images if (bits, name) in used]

    @property
    def table_bits(self) -> int:
        """Bits of all weight tables together."""
        return _bits(self.images)

    @property
    def word_bits(self) -> int:
        """Bits that number the state words of all populations."""
        return max(self.words - 1, 0).bit_length()

    def _images(self, formats: Iterable[str]) -> dict[int, TableImages]:
        """`images` if the projections have these formats."""
        images = {bits: TableImages(lanes=self.lanes, weight_bits=bits, word_bits=self.word_bits)
                  for bits in self.model.weight_bits}
        for projection, name in zip(self.model.projections, formats, strict=True):
            images[projection.bits].add(projection.weights, name,
                                        self.spans[projection.target].word)
        return images

    def _formats(self) -> tuple[str, ...]:
        """Format of each projection."""
        number = len(self.model.projections)
        if self.tables_format != "smallest":
            return (self.tables_format,) * number
        alone = tuple(smallest(costs) for costs in table_costs(self.model, self.lanes))
        # Rows that bitmaps share count only together.
        return min((alone, *((name,) * number for name in FORMATS)),
                   key=lambda formats: _bits(self._images(formats)))


def _bits(images: dict[int, TableImages]) -> int:
    """Bits of tables of all widths."""
    return sum(tables.bits for tables in images.values())


def _logs(population: Any) -> bool:
    """Whether the spikes or values of a population are logged."""
    return population.spiking or getattr(population, "valued", False)


def table_costs(model: IntegerModel, lanes: int) -> list[dict[str, TableCost]]:
    """Cost of each projection in each format, by format.

    Each projection is counted alone. Zeros in the last words of packed weights are not counted, and
    a row that two projections share is counted twice.
    """
    count = dict.fromkeys(model.weight_bits, 0)
    for p in model.projections:
        count[p.bits] += int(np.count_nonzero(p.weights))
    word_bits, result = Layout(model=model, lanes=lanes).word_bits, []
    for p in model.projections:
        rows, pointer = len(p.weights), count[p.bits].bit_length()
        length = {name: row_words(p.weights, lanes, name) for name in FORMATS}
        bits = {"dense": rows * length["dense"] * lanes * p.bits,
                "bitmap": (rows * (length["bitmap"] * lanes + pointer)
                           + int(np.count_nonzero(p.weights)) * p.bits),
                "rows": rows * length["rows"] * lanes * (p.bits + word_bits)}
        result.append({name: TableCost(bits=bits[name], words=length[name]) for name in FORMATS})
    return result
