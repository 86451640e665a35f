# SPDX-License-Identifier: Apache-2.0
"""From a plan to the parameters of every block: plain numbers, known before synthesis."""

import binascii

from spikewright.network.network import RESETS
from spikewright.plan.config import BAUD
from spikewright.plan.images import factor_column, lane_words, neuron_words
from spikewright.plan.plan import Plan
from spikewright.plan.program import Map, Operation, Source

from .core import CoreParams
from .engines.adder import AdderParams
from .engines.lookup import RowParams, WeightMemory
from .engines.neurons import NeuronParams
from .link import LinkParams, TableParams
from .memories.currents import CurrentParams
from .memories.spikes import SpikeLogParams
from .program import AddConstants, Kind, MapConstants, ProgramParams
from .sequencer import SequencerParams

__all__ = ["core_params", "link_params"]


def core_params(plan: Plan) -> CoreParams:
    """Parameters of the core of ``plan``."""
    model, layout, program, config = plan.model, plan.layout, plan.program, plan.config
    rows, neurons, spikes = _rows(plan), _neurons(plan), _spikes(plan)
    operations = tuple(_constants(operation, plan, rows) for operation in program.operations)
    return CoreParams(
        rows=rows, adder=_adder(plan, rows), neurons=neurons, spikes=spikes,
        currents=CurrentParams(lanes=config.lanes, words=layout.words,
                               width=model.widths.current, streams=program.streams),
        sequencer=SequencerParams(
            program=ProgramParams(operations=operations, rows=rows, spikes=spikes.signature,
                                  update=neurons.control),
            rows=model.rows, words=layout.words, decays=config.neurons == "lanes",
            streams=program.streams, logs=program.log_room > 0,
            takes_only=any(add.target is None for add in program.adds)),
        update="lanes" if config.neurons == "lanes" else config.multiplier,
        outputs=tuple((span.group + k // layout.units, k % layout.units)
                      for span in layout.spans.values() if not span.population.spiking
                      for k in range(span.neurons)),
        decay_cycles=program.decay_cycles)


def link_params(plan: Plan, *, model_hash: str, clock_hz: int, baud: int = BAUD) -> LinkParams:
    """Parameters of the link to the core of ``plan``.

    Parameters
    ----------
    plan : :class:`Plan`
    model_hash : :class:`str`
        Hash of the model as its manifest gives it, in hex.
    clock_hz : :class:`int`
        Frequency of the ``sync`` domain, in Hz.
    baud : :class:`int`
        Bits per second on the line.
    """
    table = None
    if plan.large:
        table = TableParams(words=len(plan.loaded), word_bytes=plan.word_bytes,
                            lanes=plan.config.lanes,
                            crc=binascii.crc_hqx(plan.loaded_bytes, 0xffff))
    return LinkParams(rows=plan.model.rows, outputs=plan.model.outputs,
                      width=plan.model.widths.membrane, model_hash=bytes.fromhex(model_hash)[:8],
                      program_hash=bytes.fromhex(plan.program_hash)[:8], clock_hz=clock_hz,
                      baud=baud, table=table)


def _memory_shift(plan: Plan) -> dict[int, int]:
    """Shift that all weights of a width have at least."""
    return {bits: min(p.shift for p in plan.model.projections if p.bits == bits)
            for bits in plan.model.weight_bits}


def _rows(plan: Plan) -> RowParams:
    model, layout, shift = plan.model, plan.layout, _memory_shift(plan)
    return RowParams(
        lanes=layout.lanes, words=layout.words,
        memories=tuple(WeightMemory(format=name, images=layout.images[bits], shift=shift[bits])
                       for bits, name in layout.memories),
        row_words=max(table.row_words for table in layout.tables),
        row_shift=max(p.shift - shift[p.bits] for p in model.projections),
        streams=plan.program.streams, large=plan.large)


def _adder(plan: Plan, rows: RowParams) -> AdderParams:
    model = plan.model
    return AdderParams(
        lanes=rows.lanes, words=rows.words, current=model.widths.current,
        fraction=model.widths.fraction, weight=rows.weight, row_shift=rows.row_shift,
        shifted=max(p.bits + p.shift for p in model.projections), streams=rows.streams)


def _neurons(plan: Plan) -> NeuronParams:
    model, layout = plan.model, plan.layout
    return NeuronParams(
        lanes=layout.lanes, words=layout.words, units=layout.units, groups=layout.groups,
        current=model.widths.current, membrane=model.widths.membrane, decay=model.widths.decay,
        factor=model.factor_bits, column=factor_column(model),
        resets=tuple(sorted({p.reset for p in model.populations})),
        image=(lane_words(model, layout.lanes) if plan.config.neurons == "lanes"
               else neuron_words(model)))


def _spikes(plan: Plan) -> SpikeLogParams:
    layout = plan.layout
    return SpikeLogParams(
        groups=layout.groups, units=layout.units, lists=len(layout.spiking),
        list_groups=max(span.groups for span in layout.spiking),
        slots=1 << plan.program.longest_delay.bit_length(), streams=plan.program.streams,
        rows=plan.model.rows if plan.program.log_room else 0, room=plan.program.log_room)


def _constants(operation: Operation, plan: Plan, rows: RowParams) -> AddConstants | MapConstants:
    if isinstance(operation, Map):
        span = operation.span
        return MapConstants(first=span.group, count=span.groups, word=span.word,
                            list=span.list if span.population.spiking else 0,
                            reset=RESETS.index(span.population.reset))
    table, origin = operation.table, operation.origin
    log = len(plan.layout.spiking) if plan.program.log_room else 0
    if operation.target is None:        # takes the events, and asks for no row
        return AddConstants(kind=Kind.INPUT, delay=0, list=log, origin=0, format=table.format,
                            first=0, first_row=0, words=1, target=0, shift=0, width=0)
    shift = operation.shift - plan.model.widths.fraction - _memory_shift(plan)[table.bits]
    return AddConstants(
        kind=Kind.INPUT if operation.source == Source.INPUT else Kind.SPIKES,
        delay=operation.delay, list=origin.list if origin else log,
        origin=origin.group * plan.layout.units if origin else 0,
        format=table.format, first=table.first, first_row=table.first_row, words=table.row_words,
        target=table.target, shift=shift, width=rows.widths.index(table.bits))
