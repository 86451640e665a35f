# SPDX-License-Identifier: Apache-2.0
"""Program table: the operations of a step as constants, and the row that one of them asks for."""

from collections import Counter
from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewright.network.network import RESETS

from .arith import times
from .engines.lookup import RowParams
from .layouts import TableFormat
from .operations import KIND_BITS, AddConstants, Kind, MapConstants
from .signatures import SpikeListSignature, UpdateSignature

__all__ = ["ProgramParams", "ProgramTable"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProgramParams:
    """The operations of a step, and the ports that their constants go to.

    Parameters
    ----------
    operations : :class:`tuple` of :class:`AddConstants` or :class:`MapConstants`
    rows : :class:`RowParams`
    spikes : :class:`SpikeListSignature`
    update : :class:`UpdateSignature`
    parts : :class:`int`
        Parts of a normalized window; 0 without one.
    digits : :class:`bool`
        A value adds a row for each of its signed digits. Otherwise it is the factor of its row.
    late : :class:`bool`
        Rows of spikes are asked for from the second cycle of an operation on, and not before, and
        one operation takes input. The lowest bit of the mode of a MAP is that of its rank.
    """

    operations: tuple[AddConstants | MapConstants, ...]
    rows:       RowParams
    spikes:     SpikeListSignature
    update:     UpdateSignature
    parts:      int = 0
    digits:     bool = False
    late:       bool = False

    @property
    def codes(self) -> list[int]:
        """Code of each operation: its kind, and above that its rank among those of its kind.

        The sequencer goes by the kind, and operations of one population often have the same rank:
        with such codes, little logic is between a code and what it stands for.
        """
        ranks: Counter[tuple[int, int]] = Counter()
        codes = []
        for operation in self.operations:
            kind = operation.kind.value
            lowest, step = ((operation.mode % 2, 2)
                            if self.late and isinstance(operation, MapConstants) else (0, 1))
            codes.append(kind | (lowest + step * ranks[kind, lowest]) << KIND_BITS)
            ranks[kind, lowest] += 1
        return codes

    @property
    def code(self):
        """Shape of a code."""
        return range(max(*self.codes, Kind.MAP.value) + 1)

    @property
    def cycle(self) -> int:
        """Steps after which the same things happen again, 1 if all happens in every step."""
        return max(turn.interval for o in self.operations
                   for turn in (o.turn, getattr(o, "gives", o.turn)))

    @property
    def maps(self) -> list[int]:
        """Numbers of the operations that update a population."""
        return [k for k, o in enumerate(self.operations) if isinstance(o, MapConstants)]

    def kind_of(self, code):
        """Kind of the operation with a code, which is a signal."""
        return code[:KIND_BITS]


class ProgramTable(wiring.Component):
    """The constants of one operation, and the row that it asks for.

    All outputs follow ``at`` and the inputs in the same cycle. Where rows are asked for ``late``,
    ``row.address`` and ``row.row`` of spikes follow ``at`` a cycle late.

    Parameters
    ----------
    params : :class:`ProgramParams`

    Members
    -------
    at : :py:`In(params.code)`
        Code of the operation.
    input_row, neuron : :py:`In(range(input_rows))`, :py:`In(range(numbers))`
        Number of the row: an input row, or the position of a neuron in the groups. The kind of
        the operation says which.
    value : :py:`In(signed(params.rows.gain))`
        Value of that neuron, or its present digit; only where there are values.
    place : :py:`In(params.rows.row["shift"].shape)`
        Place of that digit; only with digits.
    graded : :py:`Out(1)`
        The operation adds rows of values; only with digits.
    row : :py:`Out(params.rows.row)`
        The request for that row.
    delay, list, since, before, first, count, word, mode
        Constants of the operation, see `SpikeListSignature` and `UpdateSignature`.
    inner : :py:`Out(range(inner))`
        The inner step, see `UpdateSignature`; only where there are several.
    counts, part : :py:`Out(1)`, :py:`Out(range(parts))`
        Whether each event changes a count, and in which part; only with a normalized window.
    turn : :py:`In(range(params.cycle))`
        Number of the step; only where something does not happen in every step.
    due : :py:`Out(1)`
        The operation happens in this step; only with ``turn``.
    next_due : :py:`Out(1)`
        So does the next operation; only with ``turn``.
    last, last_map : :py:`Out(1)`
        No operation of the step follows; no MAP of the step follows.
    following, next_map : :py:`Out(params.code)`
        Code of the next operation; of the next MAP. After the last one, of the first operation.
        The MAP after the input is the first one: a reset comes with the input and runs all MAPs.
    """

    def __init__(self, params: ProgramParams, input_rows: int):
        self.params = params

        spikes, update = params.spikes.members, params.update.members
        super().__init__({
            "at":        In(params.code),
            "input_row": In(range(max(input_rows, 2))),
            "neuron":    In(spikes["number"].shape),
            "row":       Out(params.rows.row),
            "delay":     Out(spikes["delay"].shape),
            "list":      Out(spikes["list"].shape),
            "first":     Out(update["first"].shape),
            "count":     Out(update["count"].shape),
            "word":      Out(update["word"].shape),
            "mode":      Out(update["mode"].shape if "mode" in update else range(len(RESETS))),
            "last":      Out(1),
            "last_map":  Out(1),
            "following": Out(params.code),
            "next_map":  Out(params.code),
        } | ({"value": In(signed(params.rows.gain))} if "value" in spikes else {})
          | ({"place": In(params.rows.row["shift"].shape), "graded": Out(1)}
             if params.digits else {})
          | {name: Out(spikes[name].shape) for name in ("since", "before") if name in spikes}
          | {name: Out(update[name].shape) for name in ("inner",) if name in update}
          | ({"counts": Out(1), "part": Out(range(params.parts))} if params.parts else {})
          | ({"turn": In(range(params.cycle)), "due": Out(1), "next_due": Out(1)}
             if params.cycle > 1 else {}))
        self._shift = Signal.like(self.row.shift)       # of the operation, without that of a digit

    def elaborate(self, platform):
        m = Module()

        operations, maps, codes = self.params.operations, self.params.maps, self.params.codes
        offset = Signal.like(self.row.address)      # of the row of number 0
        entry  = Signal.like(self.row.row)
        late   = m.d.sync if self.params.late else m.d.comb
        if self.params.digits:
            m.d.comb += self.row.shift.eq(self._shift + self.place)
        with m.Switch(self.at):
            for k, operation in enumerate(operations):
                later = [u for u in maps if u > k]
                # The last one takes the codes that no operation has: less logic than zeros.
                with m.Case(codes[k]) if k < len(operations) - 1 else m.Default():
                    m.d.comb += [
                        self.last.eq(k == len(operations) - 1),
                        self.last_map.eq(not later),
                        self.following.eq([*codes, codes[0]][k + 1]),
                        self.next_map.eq(codes[(maps if operation.kind == Kind.INPUT
                                                else [*later, 0])[0]]),
                        self.list.eq(operation.list),
                    ]
                    if self.params.cycle > 1:
                        m.d.comb += [
                            self.due.eq(operation.turn.now(self.turn)),
                            self.next_due.eq(
                                [*operations, operations[0]][k + 1].turn.now(self.turn)),
                        ]
                    if isinstance(operation, AddConstants):
                        m.d.comb += self.delay.eq(operation.delay)
                        if "since" in self.signature.members:
                            m.d.comb += [
                                self.since.eq(operation.since),
                                self.before.eq(operation.before),
                            ]
                        if self.params.parts and operation.part >= 0:
                            m.d.comb += [
                                self.counts.eq(1),
                                self.part.eq(operation.part),
                            ]
                    # What an operation has no use for is as in the next one: less logic.
                    add, map_ = self._near(k, AddConstants), self._near(k, MapConstants)
                    m.d.comb += [
                        *self._map(map_),
                        *self._add(add),
                    ]
                    late += [
                        offset.eq(add.first - add.origin * add.words),
                        entry.eq(add.first_row - add.origin),
                    ]
        # Of the kinds that ask for rows, INPUT is the one with an odd number.
        takes_input = self.at[0]
        if self.params.late:
            m.d.comb += self.mode[0].eq(self.at[KIND_BITS])
            add = next(o for o in operations
                       if isinstance(o, AddConstants) and o.kind == Kind.INPUT)
            offset = Mux(takes_input, add.first, offset)
            entry = Mux(takes_input, add.first_row, entry)
        m.d.comb += [
            self.row.address.eq(offset + Mux(takes_input,
                                             self._product(m, self.input_row, Kind.INPUT),
                                             self._product(m, self.neuron, Kind.SPIKES))),
            self.row.row.eq(entry + Mux(takes_input, self.input_row, self.neuron)),
        ]

        return m

    def _product(self, m, number, kind):
        """``number`` times the words of a row of the present operation, if it is of ``kind``."""
        alike = {code: o.words for code, o in zip(self.params.codes, self.params.operations,
                                                  strict=True)
                 if isinstance(o, AddConstants) and o.kind == kind}
        product = Signal.like(self.row.address, name=f"product_{kind.name.lower()}")
        for words in sorted(set(alike.values())):
            here = [code for code in alike if alike[code] == words]
            with m.If(1 if len(set(alike.values())) == 1 else self._among(m, here)):
                m.d.comb += product.eq(times(number, words))
        return product

    def _among(self, m, codes):
        """Whether the operation has one of ``codes``; a cycle late where rows are."""
        found = Cat(self.at == code for code in codes).any()
        if not self.params.late:
            return found
        late = Signal(name="among")
        m.d.sync += late.eq(found)
        return late

    def _near(self, k, kind):
        """The first operation of ``kind`` from number ``k`` on, or else the last one before."""
        operations = self.params.operations
        return next(o for o in (*operations[k:], *reversed(operations)) if isinstance(o, kind))

    def _map(self, operation):
        constants = [self.first.eq(operation.first), self.count.eq(operation.count),
                     self.word.eq(operation.word), self.mode.eq(self._mode(operation))]
        if "inner" in self.signature.members:
            constants.append(self.inner.eq(operation.inner))
        return constants

    def _mode(self, operation):
        if operation.gives.interval == 1:
            return operation.mode
        return Mux(operation.gives.now(self.turn), operation.mode, operation.rest)

    def _add(self, operation):
        constants = [
            self.row.format.eq(TableFormat[operation.format.upper()]),
            self.row.target.eq(operation.target),
            self.row.words.eq(operation.words),
        ]
        if self.params.digits:
            constants += [self.graded.eq(operation.graded), self._shift.eq(operation.shift)]
        else:
            constants.append(self.row.shift.eq(operation.shift))
        if len(self.params.rows.widths) > 1:
            constants.append(self.row.width.eq(operation.width))
        if self.params.rows.gain:
            constants.append(self.row.gain.eq(self.value if operation.graded else operation.sign))
        return constants
