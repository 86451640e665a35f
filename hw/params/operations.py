# SPDX-License-Identifier: Apache-2.0
"""Constants of the operations of a program."""

from spikewright.model.graded import GradedPopulation
from spikewright.network.network import RESETS
from spikewright.plan.plan import Plan
from spikewright.plan.program import Map, Operation, Source

from ..engines.graded import GradedParams
from ..engines.lookup import RowParams
from ..engines.mixed import MixedParams
from ..engines.neurons import NeuronParams
from ..operations import AddConstants, Kind, MapConstants, Turn
from .logs import delay_of, list_of, turn_of
from .rows import row_shift, scales
from .updates import mode_of, modes_of

__all__ = ["operation_constants"]


def _map_constants(operation: Map, plan: Plan,
                   update: NeuronParams | GradedParams | MixedParams) -> MapConstants:
    span, population, listed = operation.span, operation.span.population, plan.layout.listed
    graded = isinstance(population, GradedPopulation)
    modes = ([RESETS.index(population.reset)] if not graded else
             [0] if plan.model.normalizes else
             [modes_of(plan).index(mode_of(span, plan, holds=holds))
              for holds in (False, population.pools)])
    first = span.group
    # A list that restarts needlessly must be one whose rows are added by then: the last one.
    none = len(listed) - 1 if plan.model.normalizes else 0
    if isinstance(update, MixedParams):
        modes  = [update.mode(mode, graded=graded) for mode in modes]
        first -= 0 if graded else update.graded.groups
    return MapConstants(
        first=first, count=span.groups, word=span.word, mode=modes[0], rest=modes[-1],
        inner=operation.inner, list=list_of(span, plan) if span in listed else none,
        turn=Turn(interval=population.interval, at=population.phase % population.interval),
        gives=Turn(interval=population.period, at=population.phase) if population.pools else Turn())


def operation_constants(
        operation: Operation, plan: Plan, rows: RowParams,
        update: NeuronParams | GradedParams | MixedParams) -> AddConstants | MapConstants:
    """Constants of an operation whose rows or populations these blocks work on."""
    if isinstance(operation, Map):
        return _map_constants(operation, plan, update)
    table, origin = operation.table, operation.origin
    log = len(plan.layout.listed) if plan.program.log_room or plan.program.window_room else 0
    if operation.target is None:        # takes the events, and asks for no row
        return AddConstants(kind=Kind.INPUT, delay=0, list=log, origin=0, format=table.format,
                            first=0, first_row=0, words=1, target=0, shift=0, width=0)
    shift = row_shift(operation, plan)
    return AddConstants(
        kind=Kind.INPUT if operation.source == Source.INPUT else Kind.SPIKES,
        delay=delay_of(operation, plan), list=list_of(origin, plan) if origin else log,
        origin=origin.group * plan.layout.units if origin else 0,
        format=table.format, first=table.first, first_row=table.first_row, words=table.row_words,
        target=table.target, width=rows.widths.index(table.bits),
        shift=0 if scales(plan) else shift, turn=turn_of(origin),
        sign=operation.sign << shift if scales(plan) else operation.sign, part=operation.part,
        graded=operation.source == Source.VALUES, since=operation.since,
        # The log counts the steps after a reset up to the longest look.
        before=min(operation.before, plan.program.longest_look + 1)
        if operation.source == Source.WINDOW else 0)
