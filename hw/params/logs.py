# SPDX-License-Identifier: Apache-2.0
"""Parameters of the spike log and of the window logs."""

from typing import Any

from spikewright.plan.layout import Span
from spikewright.plan.plan import Plan
from spikewright.plan.program import Add, Source

from ..memories.logs import LogsParams
from ..memories.spikes import SpikeLogParams
from ..memories.window import WindowLogParams
from ..operations import Turn

__all__ = ["delay_of", "list_of", "log_params", "turn_of"]


def log_params(plan: Plan) -> SpikeLogParams | LogsParams:
    """Parameters of the spike log; with a window, of both logs."""
    if not plan.program.window_room:
        return _spikes(plan)
    return LogsParams(spikes=_spikes(plan), window=WindowLogParams(
        rows=plan.model.rows, room=plan.program.window_room, longest=plan.program.longest_look,
        streams=plan.program.streams, fills=plan.model.fill_steps > 0), **_series_logs(plan))


def _series(plan: Plan) -> Span | None:
    """The population whose values have a log of their own: it gives more often than all others.

    All others give in the same steps, and it gives something to one of them.
    """
    first, *others = plan.layout.listed
    turns = {turn_of(span) for span in others}
    alone = (first.population.pools and len(turns) == 1
             and all(turn_of(first).interval < turn.interval for turn in turns)
             and any(add.origin is first for add in plan.program.adds))
    return first if alone else None


def _series_logs(plan: Plan) -> dict[str, Any]:
    span = _series(plan)
    if span is None:
        return {}
    turn, last = turn_of(span), turn_of(plan.layout.listed[-1])
    longest = max(add.delay for add in plan.program.adds if add.origin is span) // turn.interval
    return {"turn": last, "series_turn": turn, "cycle": max(last.interval, turn.interval),
            "series": WindowLogParams(
                rows=span.groups, room=1 << ((longest + 1) * span.groups - 1).bit_length(),
                longest=longest, streams=plan.program.streams, value=span.population.bits)}


def list_of(span: Span, plan: Plan) -> int:
    """Number of the list of a population; the last one if it has a log of its own."""
    series = _series(plan)
    return span.list if series is None else (span.list - 1) % len(plan.layout.listed)


def delay_of(operation: Add, plan: Plan) -> int:
    """Delay of an operation, in steps, or in outputs of its source."""
    counts = operation.origin is not None and _series(plan) is not None
    return operation.delay // turn_of(operation.origin).interval if counts else operation.delay


def _spikes(plan: Plan) -> SpikeLogParams:
    layout, series = plan.layout, _series(plan)
    listed = [span for span in layout.listed if span is not series]
    delays = [delay_of(add, plan) for add in plan.program.adds
              if add.source != Source.WINDOW and (series is None or add.origin is not series)]
    return SpikeLogParams(
        groups=layout.groups, units=layout.units, lists=len(listed),
        list_groups=max(span.groups for span in listed),
        slots=1 << max(delays).bit_length(), streams=plan.program.streams,
        rows=plan.model.rows if plan.program.log_room else 0, room=plan.program.log_room,
        value=plan.model.value_bits, restarts=plan.model.normalizes,
        reach=() if series is None else tuple(
            (max((delay_of(add, plan) for add in plan.program.adds if add.origin is span),
                 default=0), span.groups)
            for span in sorted(listed, key=lambda span: list_of(span, plan))))


def turn_of(span: Span | None) -> Turn:
    """The steps in which a population gives something, or the input."""
    return Turn(interval=span.population.period, at=span.population.phase) if span else Turn()
