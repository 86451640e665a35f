# SPDX-License-Identifier: Apache-2.0
"""Program table: the operations of a step as constants, and the row that one of them asks for."""

from dataclasses import dataclass
from typing import Any  # mypy takes the members of Amaranth's enumerations for integers

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from .arith import times
from .engines.rows import RowParams
from .layouts import TableFormat
from .signatures import SpikeListSignature, UpdateSignature

__all__ = ["AddConstants", "Kind", "MapConstants", "ProgramParams", "ProgramTable"]


class Kind(enum.Enum, shape=2):
    """What an operation does."""

    SPIKES = 0
    INPUT = 1
    MAP = 2


@dataclass(frozen=True, kw_only=True)
class AddConstants:
    """An operation that adds rows.

    Parameters
    ----------
    kind : :class:`Kind`
    delay, list : :class:`int`
        Which spike list; 0 for the input.
    origin : :class:`int`
        Position of the first neuron of the source in the groups; 0 for the input.
    format : :class:`str`
    first, first_row, words : :class:`int`
        Of its table: first word, first entry in the directory, words of a row.
    target : :class:`int`
        First state word that a row is added to.
    shift : :class:`int`
        Beyond the shift of its memory.
    width : :class:`int`
        Number of the width of its weights.
    """

    kind:      Any
    delay:     int
    list:      int
    origin:    int
    format:    str
    first:     int
    first_row: int
    words:     int
    target:    int
    shift:     int
    width:     int


@dataclass(frozen=True, kw_only=True)
class MapConstants:
    """An operation that updates a population: ``count`` groups from ``first`` on.

    Its currents begin at state word ``word``, and its spikes go to spike list ``list``.
    """

    first: int
    count: int
    word:  int
    list:  int
    kind:  Any = Kind.MAP


@dataclass(frozen=True, kw_only=True, eq=False)
class ProgramParams:
    """The operations of a step, and the ports that their constants go to.

    Parameters
    ----------
    operations : :class:`tuple` of :class:`AddConstants` or :class:`MapConstants`
    rows : :class:`RowParams`
    spikes : :class:`SpikeListSignature`
    update : :class:`UpdateSignature`
    """

    operations: tuple[AddConstants | MapConstants, ...]
    rows:       RowParams
    spikes:     SpikeListSignature
    update:     UpdateSignature

    @property
    def maps(self) -> list[int]:
        """Numbers of the operations that update a population."""
        return [k for k, o in enumerate(self.operations) if isinstance(o, MapConstants)]


class ProgramTable(wiring.Component):
    """The constants of operation ``at``, and the row that it asks for. Combinational.

    Parameters
    ----------
    params : :class:`ProgramParams`

    Members
    -------
    at : :py:`In(range(operations))`
    number : :py:`In(range(numbers))`
        Of an input row, or position of a neuron in the groups.
    row : :py:`Out(params.rows.row)`
        The request for that row.
    delay, list, first, count, word
        As in `SpikeListSignature` and `UpdateSignature`.
    last : :py:`Out(1)`
        No operation of the step follows.
    last_map : :py:`Out(1)`
        No MAP of the step follows.
    following : :py:`Out(Kind)`
        Kind of the next operation, which after the last one is the first one.
    next_map : :py:`Out(range(operations))`
        The next MAP of the step; 0 after the last one.
    """

    def __init__(self, params: ProgramParams, numbers: int):
        self.params = params

        at = range(max(len(params.operations), 2))
        spikes, update = params.spikes.members, params.update.members
        super().__init__({
            "at":        In(at),
            "number":    In(range(max(numbers, 2))),
            "row":       Out(params.rows.row),
            "delay":     Out(spikes["delay"].shape),
            "list":      Out(spikes["list"].shape),
            "first":     Out(update["first"].shape),
            "count":     Out(update["count"].shape),
            "word":      Out(update["word"].shape),
            "last":      Out(1),
            "last_map":  Out(1),
            "following": Out(Kind),
            "next_map":  Out(at),
        })

    def elaborate(self, platform):
        m = Module()

        operations, maps = self.params.operations, self.params.maps
        strides = sorted({o.words for o in operations if isinstance(o, AddConstants)})
        stride  = Signal(range(max(len(strides), 2)))
        offset  = Signal.like(self.row.address)     # of the row of number 0
        entry   = Signal.like(self.row.row)
        product = Signal.like(self.row.address)
        with m.Switch(self.at):
            for k, operation in enumerate(operations):
                later = [u for u in maps if u > k]
                # The last one takes the numbers that no operation has: less logic than zeros.
                with m.Case(k) if k < len(operations) - 1 else m.Default():
                    m.d.comb += [
                        self.last.eq(k == len(operations) - 1),
                        self.last_map.eq(not later),
                        self.following.eq(operations[(k + 1) % len(operations)].kind),
                        self.next_map.eq(later[0] if later else 0),
                        self.list.eq(operation.list),
                    ]
                    if isinstance(operation, AddConstants):
                        m.d.comb += self.delay.eq(operation.delay)
                    # What an operation has no use for is as in the next one: less logic.
                    add, map_ = self._near(k, AddConstants), self._near(k, MapConstants)
                    m.d.comb += [
                        *self._map(map_),
                        *self._add(add),
                        stride.eq(strides.index(add.words)),
                        offset.eq(add.first - add.origin * add.words),
                        entry.eq(add.first_row - add.origin),
                    ]
        with m.Switch(stride):
            for k, words in enumerate(strides):
                with m.Case(k):
                    m.d.comb += product.eq(times(self.number, words))
        m.d.comb += [
            self.row.address.eq(product + offset),
            self.row.row.eq(self.number + entry),
        ]

        return m

    def _near(self, k, kind):
        """The first operation of ``kind`` from number ``k`` on, or else the last one before."""
        operations = self.params.operations
        return next(o for o in (*operations[k:], *reversed(operations)) if isinstance(o, kind))

    def _map(self, operation):
        return [self.first.eq(operation.first), self.count.eq(operation.count),
                self.word.eq(operation.word)]

    def _add(self, operation):
        constants = [
            self.row.format.eq(TableFormat[operation.format.upper()]),
            self.row.target.eq(operation.target),
            self.row.words.eq(operation.words),
            self.row.shift.eq(operation.shift),
        ]
        if len(self.params.rows.widths) > 1:
            constants.append(self.row.width.eq(operation.width))
        return constants
