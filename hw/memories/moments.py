# SPDX-License-Identifier: Apache-2.0
"""Moments of a normalized window: its counts, their sum, and the sum of their squares."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from ..layouts import move_layout
from ..signatures import MomentsSignature

__all__ = ["Moments", "MomentsParams"]


@dataclass(frozen=True, kw_only=True)
class MomentsParams:
    """Shape of the moments.

    Parameters
    ----------
    parts, rows : :class:`int`
        Parts of the window; input rows. There is a count for each part and row.
    count, square : :class:`int`
        Bits of a count, which the sum of all counts fits, too; bits of the sum of their squares.
    """

    parts:  int
    rows:   int
    count:  int
    square: int

    @property
    def move(self):
        """Shape of an event that enters or leaves a part."""
        return move_layout(self.parts, self.rows)

    @property
    def signature(self):
        """Ports of the block that reads the sums."""
        return MomentsSignature(self.parts, self.rows, self.count, self.square)


class Moments(wiring.Component):
    """Counts of each part and row of a window, the sum of all, and the sum of their squares.

    An event that enters a part with n events in its row adds ``2 n + 1`` to the squares. One that
    leaves takes ``2 n - 1`` away. The sums follow an event by 2 cycles, and an event must follow
    another one by 2 cycles at least. Between two steps, all sums fit their bits. Within one they
    may wrap, since an event enters a part before it leaves another.

    All is 0 after configuration.

    Parameters
    ----------
    params : :class:`MomentsParams`

    Members
    -------
    move : :py:`In(params.move)`
    update : :py:`In(params.signature)`
        To :class:`NormalizeUpdate`.
    clear : :py:`In(1)`
        Both sums become 0.
    """

    def __init__(self, params: MomentsParams):
        self.params = params

        super().__init__({
            "move":   In(params.move),
            "update": In(params.signature),
            "clear":  In(1),
        })

    def elaborate(self, platform):
        m = Module()

        params, move, zero = self.params, self.move, self.update.zero
        once, squares = self.update.once, self.update.squares
        place = len(zero.row) + len(zero.part)
        m.submodules.counts = counts = memory.Memory(shape=params.count, depth=1 << place, init=[])
        read, write = counts.read_port(), counts.write_port()
        late = Signal.like(move)            # its count is read
        m.d.sync += late.eq(move)
        n, sign = read.data, Mux(late.leaves, -1, 1).as_signed()
        m.d.comb += [
            read.en.eq(move.valid),
            read.addr.eq(Cat(move.row, move.part)),
            write.en.eq(late.valid | zero.valid),
            write.addr.eq(Mux(zero.valid, Cat(zero.row, zero.part), Cat(late.row, late.part))),
            write.data.eq(Mux(zero.valid, 0, n + sign)),
        ]
        with m.If(late.valid):
            m.d.sync += [
                once.eq(once + sign),
                # 2 n + 1, or -(2 n - 1)
                squares.eq(squares + Mux(late.leaves, 1 - (n << 1), (n << 1) + 1)),
            ]
        with m.If(self.clear):
            m.d.sync += [
                once.eq(0),
                squares.eq(0),
            ]

        return m
