# SPDX-License-Identifier: Apache-2.0
"""Parameters of the core and of the link."""

import binascii

from spikewright.plan.config import line_baud
from spikewright.plan.plan import Plan

from ..core import CoreParams
from ..engines.mixed import MixedParams
from ..link import LinkParams, TableParams
from ..memories.currents import CurrentParams
from ..operations import Turn
from ..program import ProgramParams
from ..sequencer import SequencerParams
from .logs import log_params
from .operations import operation_constants
from .rows import adder_params, digit_places, row_params
from .updates import moments_params, update_params

__all__ = ["core_params", "link_params"]


def core_params(plan: Plan) -> CoreParams:
    """Parameters of the core of ``plan``."""
    model, layout, program, config = plan.model, plan.layout, plan.program, plan.config
    rows, spikes = row_params(plan), log_params(plan)
    neurons = update_params(plan)
    operations = tuple(operation_constants(operation, plan, rows, neurons)
                       for operation in program.operations)
    return CoreParams(
        rows=rows, adder=adder_params(plan, rows), neurons=neurons, spikes=spikes,
        currents=CurrentParams(lanes=config.lanes, words=layout.words,
                               width=model.widths.current, streams=program.streams),
        sequencer=SequencerParams(
            program=ProgramParams(operations=operations, rows=rows, spikes=spikes.signature,
                                  update=neurons.control,
                                  parts=model.inner_steps if model.normalizes else 0,
                                  digits=digit_places(plan) > 0,
                                  late=isinstance(neurons, MixedParams)
                                  and any(o.turn != Turn() for o in operations)),
            rows=model.rows, words=layout.words, decays=config.neurons == "lanes",
            streams=program.streams, logs=program.log_room > 0,
            takes_only=any(add.target is None for add in program.adds),
            windows=model.window_room > 0),
        update=("mixed" if isinstance(neurons, MixedParams) else
                "graded" if model.graded else
                "lanes" if config.neurons == "lanes" else config.multiplier),
        silent=model.silent_steps, inner=model.inner_steps, moments=moments_params(plan),
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
