# SPDX-License-Identifier: Apache-2.0
"""From a model and its layout to the program that runs it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from spikewright.base.errors import InputError
from spikewright.model.graded import FACTOR_BITS, GradedPopulation
from spikewright.model.inner import inner_layers, moment_bits
from spikewright.model.integers import IntegerProjection
from spikewright.model.model import IntegerModel
from spikewright.network.network import CONSTANT, INPUT

from .config import CoreConfig
from .layout import Layout, Span
from .program import (
    FLUSH_TICKS,
    GRADED_FLUSH_CYCLES,
    GRADED_FLUSH_TICKS,
    LANE_FLUSH_CYCLES,
    NEURON_TICKS,
    NORMALIZE_CYCLES,
    ROOT_CYCLES,
    Add,
    Map,
    Operation,
    Program,
    Source,
    row_period,
    streams,
    tick_cycles,
)

__all__ = ["compile_program"]

LEAST_ROOM = 64


def compile_program(model: IntegerModel, layout: Layout, config: CoreConfig) -> Program:
    """The operations of one step of ``model``.

    Populations are updated in their order. Before the `Map` of each population come the `Add`
    operations that reach it: first those from spikes and from the input log, in the order of
    projections, then the one from the input. The input comes last because delayed spikes are known
    before the events come. The first projection from the input with delay 0 takes the events. All
    others read the log. Those with delay 0 come after it.

    Raises
    ------
    InputError
        If the model has no input projection.
    """
    inputs = [p for span in layout.spans.values() for p in model.projections
              if p.source == INPUT and p.target == span.population.name]
    if not inputs:
        raise InputError("Model must have an input projection, not none")
    taken = next((p for p in inputs if p.delay == 0), None)
    operations: list[Operation] = []
    if taken is None:
        operations.append(Add(source=Source.INPUT, origin=None, projection=0, delay=0,
                              table=layout.tables[0], target=None, shift=0, period=0))
    flowing = streams(layout)

    def adds(name: str) -> list[Add]:
        found = [add for k, p in enumerate(model.projections) if p.target == name
                 for add in _adds(k, p, model, layout, config, taken=p is taken)]
        return sorted(found, key=_turn)

    def update(name: str, inner: int = 0) -> Map:
        span = layout.spans[name]
        return Map(span=span, cycles=_map_cycles(span, model, config), inner=inner)

    if model.normalizes:
        operations += _inner_steps(model, adds, update)
    else:
        for name in layout.spans:
            operations += [*adds(name), update(name)]
    windows = model.window_room > 0
    return Program(operations=tuple(operations), streams=flowing,
                   decay_cycles=layout.words if config.neurons == "lanes" else 0,
                   log_room=0 if windows or len(inputs) == 1 and taken else _log_room(model.rows),
                   window_room=model.window_room)


def _inner_steps(model: IntegerModel, adds: Callable[[str], list[Add]],
                 update: Callable[..., Map]) -> list[Operation]:
    """The operations of a model with inner steps, but for the taking of the events."""
    parts = [p.name for p in model.populations if isinstance(p, GradedPopulation)]
    layers = [p.name for p in inner_layers(model)]
    operations: list[Operation] = [add for part in parts for add in adds(part)]
    operations += [update(p.name) for p in model.populations if p.name == CONSTANT]
    for inner, part in enumerate(parts):
        operations.append(update(part, inner))
        for layer in layers:
            operations += [*adds(layer), update(layer, inner)]
    return operations


def _adds(k: int, projection: IntegerProjection, model: IntegerModel, layout: Layout,
          config: CoreConfig, *, taken: bool) -> list[Add]:
    """The operations of projection number ``k``; ``taken`` is whether it takes the events."""
    table, origin = layout.tables[k], layout.spans.get(projection.source)
    target = model.index(projection.target)
    source = (Source.INPUT if taken else
              Source.SPIKES if origin and origin.population.spiking else
              Source.VALUES if origin else
              Source.WINDOW if model.window_room else Source.LOG)
    enters = Add(source=source, origin=origin, projection=k, delay=projection.delay, table=table,
                 target=layout.spans[projection.target], period=row_period(table, layout),
                 part=_part(target, model),
                 digits=(-(-origin.population.bits // 2)
                         if origin and source == Source.VALUES and config.multiplier == "serial"
                         else 0),
                 shift=projection.shift + (0 if isinstance(target, GradedPopulation) else
                                           model.widths.fraction))
    if projection.until is None:
        return [replace(enters, since=enters.delay) if source == Source.WINDOW else enters]
    fill, until = model.fill_steps, projection.until
    looks = [replace(add, since=max(add.delay, fill)) if add.source == Source.WINDOW else add
             for add in (enters, replace(enters, source=Source.WINDOW, delay=until, sign=-1))]
    if fill > projection.delay:
        looks.append(replace(enters, delay=0, since=max(fill - until, 0),
                             before=fill - projection.delay))
    return looks


def _part(target: Any, model: IntegerModel) -> int:
    """Number of a part of a normalized window; -1 for other populations."""
    normalizes = isinstance(target, GradedPopulation) and target.normalizes
    return model.populations.index(target) if normalizes else -1


def _turn(add: Add) -> tuple[int, int, int]:
    """Rank of an operation among those of its target.

    An event leaves a part of a window before it enters the next one, so that it is in one of them.
    """
    if add.source == Source.WINDOW:
        return 0, add.delay, add.sign
    if add.source == Source.INPUT:
        return 1, 0, 0
    # The events of the step are in the log once they are taken.
    return 2 if add.source == Source.LOG and add.delay == 0 else 0, 0, 0


def _log_room(rows: int) -> int:
    """Events of a step that the log keeps: a power of two, LEAST_ROOM or more, and every row."""
    return max(LEAST_ROOM, 1 << (rows - 1).bit_length())


def _map_cycles(span: Span, model: IntegerModel, config: CoreConfig) -> int:
    factor_bits = model.factor_bits
    if isinstance(span.population, GradedPopulation):
        if span.population.normalizes:
            exponents = moment_bits(model)[2] // 2 - 1
            return (ROOT_CYCLES + exponents) + span.neurons * (NORMALIZE_CYCLES + exponents)
        if config.multiplier == "serial":
            ticks = span.neurons + GRADED_FLUSH_TICKS
            return 1 + ticks * tick_cycles(FACTOR_BITS, config.multiplier)
        return span.neurons + GRADED_FLUSH_CYCLES
    if config.neurons == "lanes":
        return span.words + LANE_FLUSH_CYCLES
    flush = FLUSH_TICKS - (config.multiplier == "serial")
    ticks = NEURON_TICKS * span.neurons + flush
    return 1 + ticks * tick_cycles(factor_bits, config.multiplier)
