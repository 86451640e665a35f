# SPDX-License-Identifier: Apache-2.0
"""From a plan to the parameters of every block: plain numbers, known before synthesis."""

import binascii
from typing import Any

from spikewright.model.currents import currents_fit
from spikewright.model.graded import GradedPopulation
from spikewright.model.inner import inner_layers, moment_bits, wide_bits
from spikewright.network.network import RESETS
from spikewright.plan.config import line_baud
from spikewright.plan.images import (
    factor_column,
    lane_words,
    neuron_words,
    part_columns,
    part_words,
    unit_columns,
    unit_words,
)
from spikewright.plan.layout import Span
from spikewright.plan.plan import Plan
from spikewright.plan.program import Add, Map, Operation, Source

from .core import CoreParams
from .engines.adder import AdderParams
from .engines.graded import GradedParams, Mode
from .engines.lookup import RowParams, WeightMemory
from .engines.mixed import MixedParams
from .engines.neurons import NeuronParams
from .engines.normalize import NormalizeParams
from .link import LinkParams, TableParams
from .memories.currents import CurrentParams
from .memories.logs import LogsParams
from .memories.moments import MomentsParams
from .memories.spikes import SpikeLogParams
from .memories.window import WindowLogParams
from .operations import AddConstants, Kind, MapConstants, Turn
from .program import ProgramParams
from .sequencer import SequencerParams

__all__ = ["core_params", "link_params"]


def core_params(plan: Plan) -> CoreParams:
    """Parameters of the core of ``plan``."""
    model, layout, program, config = plan.model, plan.layout, plan.program, plan.config
    rows, spikes = _rows(plan), _logs(plan)
    neurons = _update(plan)
    operations = tuple(_constants(operation, plan, rows, neurons)
                       for operation in program.operations)
    return CoreParams(
        rows=rows, adder=_adder(plan, rows), neurons=neurons, spikes=spikes,
        currents=CurrentParams(lanes=config.lanes, words=layout.words,
                               width=model.widths.current, streams=program.streams),
        sequencer=SequencerParams(
            program=ProgramParams(operations=operations, rows=rows, spikes=spikes.signature,
                                  update=neurons.control,
                                  parts=model.inner_steps if model.normalizes else 0,
                                  digits=_places(plan) > 0,
                                  late=isinstance(neurons, MixedParams)
                                  and any(o.turn != Turn() for o in operations)),
            rows=model.rows, words=layout.words, decays=config.neurons == "lanes",
            streams=program.streams, logs=program.log_room > 0,
            takes_only=any(add.target is None for add in program.adds),
            windows=model.window_room > 0),
        update=("mixed" if isinstance(neurons, MixedParams) else
                "graded" if model.graded else
                "lanes" if config.neurons == "lanes" else config.multiplier),
        silent=model.silent_steps, inner=model.inner_steps, moments=_moments(plan),
        outputs=tuple((span.group + k // layout.units, k % layout.units)
                      for span in layout.spans.values() if span.population.output
                      for k in range(span.neurons)),
        decay_cycles=program.decay_cycles)


def link_params(plan: Plan, *, model_hash: str, clock_hz: int,
                baud: int | None = None) -> LinkParams:
    """Parameters of the link to the core of ``plan``.

    Parameters
    ----------
    plan : :class:`Plan`
    model_hash : :class:`str`
        Hash of the model as its manifest gives it, in hex.
    clock_hz : :class:`int`
        Frequency of the ``sync`` domain, in Hz.
    baud : :class:`int`, optional
        Bits per second on the line; by default, see `plan.config.line_baud`.
    """
    table = None
    if plan.load_map:
        crc = None if plan.config.load == "model" else binascii.crc_hqx(plan.loaded_bytes, 0xffff)
        table = TableParams(words=plan.load_map.words, word_bytes=plan.word_bytes,
                            lanes=plan.config.lanes, crc=crc, there=not plan.large,
                            staged=plan.config.staging != "none")
    return LinkParams(rows=plan.model.rows, outputs=plan.model.outputs,
                      width=plan.model.widths.membrane, model_hash=bytes.fromhex(model_hash)[:8],
                      program_hash=bytes.fromhex(plan.program_hash)[:8], clock_hz=clock_hz,
                      baud=line_baud(baud, clock_hz), table=table)


def _memory_shift(plan: Plan) -> dict[int, int]:
    """Shift that all weights of a width have at least."""
    return {bits: min(p.shift for p in plan.model.projections if p.bits == bits)
            for bits in plan.model.weight_bits}


def _rows(plan: Plan) -> RowParams:
    layout, shift = plan.layout, _memory_shift(plan)
    return RowParams(
        lanes=layout.lanes, words=layout.words,
        memories=tuple(WeightMemory(format=name, images=layout.images[bits], shift=shift[bits])
                       for bits, name in layout.memories),
        row_words=max(table.row_words for table in layout.tables),
        row_shift=(0 if _scales(plan) else
                   max(_row_shift(add, plan) + _places(plan, add)
                       for add in plan.program.adds if add.target)),
        streams=plan.program.streams, large=plan.large, gain=_gain_bits(plan),
        loads=plan.load_map, staging=plan.config.staging)


def _fraction(plan: Plan) -> int:
    """Left shift of every weight: sums of graded units have no fraction bits."""
    return 0 if plan.model.graded else plan.model.widths.fraction


def _row_shift(add: Add, plan: Plan) -> int:
    """Left shift of a row beyond that of its memory and that of every weight."""
    return add.shift - _fraction(plan) - _memory_shift(plan)[add.table.bits]


def _gain_bits(plan: Plan) -> int:
    """Bits of the factor of a row; 0 if all factors are 1.

    The adder takes one of 2 bits for 1, -1 or 0: it would not see the value -2.
    """
    signs = 2 if plan.model.window_room else 0      # 1, -1, and 0 for an event that is lost
    if _places(plan):
        return 2
    if any(span.population.pools and span.population.bits == 2
           for span in _spans(plan, graded=True)):
        signs = 3
    shifts = [_row_shift(add, plan) + 2 for add in plan.program.adds if add.target]
    return max(plan.model.value_bits, signs, *(shifts if _scales(plan) else ()))


def _scales(plan: Plan) -> bool:
    """Whether the multipliers for values shift the other rows, too: it takes no logic."""
    return plan.model.value_bits > 2 and not _places(plan)


def _places(plan: Plan, add: Add | None = None) -> int:
    """Largest left shift of a signed digit of a value, in bits: of one that ``add`` adds, or all.

    0 where values are the factors of their rows.
    """
    return max((of.origin.population.bits - 1 for of in plan.program.adds
                if of.origin and of.digits and add in (None, of)), default=0)


def _adder(plan: Plan, rows: RowParams) -> AdderParams:
    model = plan.model
    return AdderParams(
        lanes=rows.lanes, words=rows.words, current=model.widths.current,
        fraction=_fraction(plan), weight=rows.weight, row_shift=rows.row_shift,
        shifted=max(add.table.bits + (0 if _scales(plan) else add.shift - _fraction(plan))
                    + _places(plan, add) for add in plan.program.adds if add.target) + rows.gain,
        streams=rows.streams, gain=rows.gain, clamps=not currents_fit(model))


def _spans(plan: Plan, *, graded: bool) -> list[Span]:
    """Spans of the graded populations, or of the others."""
    return [span for span in plan.layout.spans.values()
            if isinstance(span.population, GradedPopulation) == graded]


def _update(plan: Plan) -> NeuronParams | GradedParams | MixedParams:
    """What updates the populations: the block of their kind, or a block for each kind."""
    if not plan.model.graded:
        return _neurons(plan)
    if not _spans(plan, graded=False):
        return _units(plan)
    graded = _parts(plan) if plan.model.normalizes else _units(plan)
    return MixedParams(graded=graded, neurons=_neurons(plan))


def _groups(plan: Plan, *, graded: bool) -> int:
    """Groups of the graded populations, or of the others."""
    return sum(span.groups for span in _spans(plan, graded=graded))


def _neurons(plan: Plan) -> NeuronParams:
    model, layout = plan.model, plan.layout
    return NeuronParams(
        lanes=layout.lanes, words=layout.words, units=layout.units,
        groups=_groups(plan, graded=False),
        current=model.widths.current, membrane=model.widths.membrane, decay=model.widths.decay,
        factor=model.factor_bits, column=factor_column(model),
        resets=_resets(plan),
        image=(lane_words(model, layout.lanes) if plan.config.neurons == "lanes"
               else neuron_words(model)),
        loads=plan.load_map if plan.config.load == "model" else None, inner=model.inner_steps)


def _resets(plan: Plan) -> tuple[str, ...]:
    """The resets of the neurons.

    That of neurons that never spike has no effect. Beside graded units it is left out if no other
    reset needs to know whether a neuron fired in the step before: that would be a comparison more.
    """
    spans = _spans(plan, graded=False)
    spiking = {span.population.reset for span in spans if span.population.spiking}
    alone = plan.model.graded and spiking and "subtract_next" not in spiking
    return tuple(sorted(spiking if alone else {span.population.reset for span in spans}))


def _units(plan: Plan) -> GradedParams:
    model, layout, serial = plan.model, plan.layout, plan.config.multiplier == "serial"
    return GradedParams(
        lanes=layout.lanes, words=layout.words, groups=_groups(plan, graded=True),
        current=model.widths.current, membrane=model.widths.membrane, value=model.value_bits,
        modes=_modes(plan), columns=unit_columns(model), image=unit_words(model),
        late=_spans(plan, graded=False) != [] and not serial, serial=serial)


def _parts(plan: Plan) -> NormalizeParams:
    model, layout = plan.model, plan.layout
    count, square, spread = moment_bits(model)
    bias, total = part_columns(model)
    return NormalizeParams(
        lanes=layout.lanes, words=layout.words, groups=_groups(plan, graded=True),
        current=model.widths.current, fraction=model.widths.fraction, parts=model.inner_steps,
        rows=model.rows, target=layout.spans[inner_layers(model)[0].name].word,
        epsilon=model.epsilon, count=count, square=square, spread=spread, wide=wide_bits(model),
        bias=bias, total=total, image=part_words(model))


def _moments(plan: Plan) -> MomentsParams | None:
    model = plan.model
    if not model.normalizes:
        return None
    count, square, _ = moment_bits(model)
    return MomentsParams(parts=model.inner_steps, rows=model.rows, count=count, square=square)


def _mode(span: Span, plan: Plan, *, holds: bool = False) -> Mode:
    bits = span.population.bits or plan.model.value_bits
    return Mode(output=span.population.output, keeps=plan.program.keeps(span), bits=bits - 1,
                pool=span.population.pools, holds=holds)


def _modes(plan: Plan) -> tuple[Mode, ...]:
    """What is done with the graded populations, each once."""
    return tuple(sorted({_mode(span, plan, holds=holds) for span in _spans(plan, graded=True)
                         for holds in {False, span.population.pools}}))


def _logs(plan: Plan) -> SpikeLogParams | LogsParams:
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
    turns = {_gives(span) for span in others}
    alone = (first.population.pools and len(turns) == 1
             and all(_gives(first).interval < turn.interval for turn in turns)
             and any(add.origin is first for add in plan.program.adds))
    return first if alone else None


def _series_logs(plan: Plan) -> dict[str, Any]:
    span = _series(plan)
    if span is None:
        return {}
    turn, last = _gives(span), _gives(plan.layout.listed[-1])
    longest = max(add.delay for add in plan.program.adds if add.origin is span) // turn.interval
    return {"turn": last, "series_turn": turn, "cycle": max(last.interval, turn.interval),
            "series": WindowLogParams(
                rows=span.groups, room=1 << ((longest + 1) * span.groups - 1).bit_length(),
                longest=longest, streams=plan.program.streams, value=span.population.bits)}


def _list(span: Span, plan: Plan) -> int:
    """Number of the list of a population; the last one if it has a log of its own."""
    series = _series(plan)
    return span.list if series is None else (span.list - 1) % len(plan.layout.listed)


def _delay(operation: Add, plan: Plan) -> int:
    """Delay of an operation, in steps, or in outputs of its source."""
    counts = operation.origin is not None and _series(plan) is not None
    return operation.delay // _gives(operation.origin).interval if counts else operation.delay


def _spikes(plan: Plan) -> SpikeLogParams:
    layout, series = plan.layout, _series(plan)
    listed = [span for span in layout.listed if span is not series]
    delays = [_delay(add, plan) for add in plan.program.adds
              if add.source != Source.WINDOW and (series is None or add.origin is not series)]
    return SpikeLogParams(
        groups=layout.groups, units=layout.units, lists=len(listed),
        list_groups=max(span.groups for span in listed),
        slots=1 << max(delays).bit_length(), streams=plan.program.streams,
        rows=plan.model.rows if plan.program.log_room else 0, room=plan.program.log_room,
        value=plan.model.value_bits, restarts=plan.model.normalizes,
        reach=() if series is None else tuple(
            (max((_delay(add, plan) for add in plan.program.adds if add.origin is span), default=0),
             span.groups)
            for span in sorted(listed, key=lambda span: _list(span, plan))))


def _map_constants(operation: Map, plan: Plan,
                   update: NeuronParams | GradedParams | MixedParams) -> MapConstants:
    span, population, listed = operation.span, operation.span.population, plan.layout.listed
    graded = isinstance(population, GradedPopulation)
    modes = ([RESETS.index(population.reset)] if not graded else
             [0] if plan.model.normalizes else
             [_modes(plan).index(_mode(span, plan, holds=holds))
              for holds in (False, population.pools)])
    first = span.group
    # A list that restarts needlessly must be one whose rows are added by then: the last one.
    none = len(listed) - 1 if plan.model.normalizes else 0
    if isinstance(update, MixedParams):
        modes  = [update.mode(mode, graded=graded) for mode in modes]
        first -= 0 if graded else update.graded.groups
    return MapConstants(
        first=first, count=span.groups, word=span.word, mode=modes[0], rest=modes[-1],
        inner=operation.inner, list=_list(span, plan) if span in listed else none,
        turn=Turn(interval=population.interval, at=population.phase % population.interval),
        gives=Turn(interval=population.period, at=population.phase) if population.pools else Turn())


def _gives(span: Span | None) -> Turn:
    """The steps in which a population gives something, or the input."""
    return Turn(interval=span.population.period, at=span.population.phase) if span else Turn()


def _constants(operation: Operation, plan: Plan, rows: RowParams,
               update: NeuronParams | GradedParams | MixedParams) -> AddConstants | MapConstants:
    if isinstance(operation, Map):
        return _map_constants(operation, plan, update)
    table, origin = operation.table, operation.origin
    log = len(plan.layout.listed) if plan.program.log_room or plan.program.window_room else 0
    if operation.target is None:        # takes the events, and asks for no row
        return AddConstants(kind=Kind.INPUT, delay=0, list=log, origin=0, format=table.format,
                            first=0, first_row=0, words=1, target=0, shift=0, width=0)
    shift = _row_shift(operation, plan)
    return AddConstants(
        kind=Kind.INPUT if operation.source == Source.INPUT else Kind.SPIKES,
        delay=_delay(operation, plan), list=_list(origin, plan) if origin else log,
        origin=origin.group * plan.layout.units if origin else 0,
        format=table.format, first=table.first, first_row=table.first_row, words=table.row_words,
        target=table.target, width=rows.widths.index(table.bits),
        shift=0 if _scales(plan) else shift, turn=_gives(origin),
        sign=operation.sign << shift if _scales(plan) else operation.sign, part=operation.part,
        graded=operation.source == Source.VALUES, since=operation.since,
        # The log counts the steps after a reset up to the longest look.
        before=min(operation.before, plan.program.longest_look + 1)
        if operation.source == Source.WINDOW else 0)
