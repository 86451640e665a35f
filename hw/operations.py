# SPDX-License-Identifier: Apache-2.0
"""Operations of a step as constants of the hardware."""

from dataclasses import dataclass
from typing import Any  # mypy takes the members of Amaranth's enumerations for integers

from amaranth import *
from amaranth.lib import enum

__all__ = ["KIND_BITS", "AddConstants", "Kind", "MapConstants", "Turn"]

KIND_BITS = 2


class Kind(enum.Enum, shape=KIND_BITS):
    """What an operation does."""

    SPIKES = 0
    INPUT = 1
    MAP = 2


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Steps in which something happens: every ``interval`` steps after a reset, from ``at`` on.

    Parameters
    ----------
    interval : :class:`int`
        A power of two.
    at : :class:`int`
    """

    interval: int = 1
    at:       int = 0

    def now(self, turn):
        """Whether the step is one of these. ``turn`` is its number, of enough bits."""
        bits = self.interval.bit_length() - 1
        return turn[:bits] == self.at if bits else Const(1)


@dataclass(frozen=True, kw_only=True)
class AddConstants:
    """An operation that adds rows.

    Parameters
    ----------
    kind : :class:`Kind`
    delay, list : :class:`int`
        Age of the spikes in steps, and their spike list. For the input, 0 and the list of the input
        log, or 0 without a log. The input log counts as spikes.
    origin : :class:`int`
        Position of the source's first neuron in the groups; 0 for the input.
    format : :class:`str`
    first, first_row, words : :class:`int`
        First word of its table; first entry of its table in the directory; words of a row.
    target : :class:`int`
        First state word that a row is added to.
    shift : :class:`int`
        Left shift of its weights, in bits, beyond the shift of their memory.
    width : :class:`int`
        Number of the width of its weights.
    sign : :class:`int`
        -1 if rows are subtracted, otherwise 1.
    graded : :class:`bool`
        The factor of a row is the value of its source, and not ``sign``.
    since, before : :class:`int`
        Of a look at the window log: the steps in which it is made, see `plan.program.Add`.
    part : :class:`int`
        Part of a normalized window whose counts change; otherwise -1.
    turn : :class:`Turn`
        The steps in which its source gives something.
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
    sign:      int  = 1
    graded:    bool = False
    since:     int  = 0
    before:    int  = 0
    part:      int  = -1
    turn:      Turn = Turn()


@dataclass(frozen=True, kw_only=True)
class MapConstants:
    """An operation that updates a population.

    Parameters
    ----------
    first, count : :class:`int`
        First group of the population; number of its groups.
    word : :class:`int`
        State word at which its currents begin.
    list : :class:`int`
        Spike list that its spikes go to; 0 where it has none.
    mode : :class:`int`
        What is done with the population, as `UpdateSignature` has it.
    inner : :class:`int`
        The inner step that it is part of.
    turn : :class:`Turn`
        The steps in which it is done.
    rest : :class:`int`
        What is done in every second one of these, beginning with the first but ``gives``; only
        for a pool.
    gives : :class:`Turn`
        The steps with ``mode``; only for a pool.
    """

    first: int
    count: int
    word:  int
    list:  int
    mode:  int
    inner: int = 0
    kind:  Any = Kind.MAP
    turn:  Turn = Turn()
    rest:  int = 0
    gives: Turn = Turn()
