# SPDX-License-Identifier: Apache-2.0
"""Parameters of the blocks that update neurons and graded units."""

from spikewright.model.graded import GradedPopulation
from spikewright.model.inner import inner_layers, moment_bits, wide_bits
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

from ..engines.graded import GradedParams, Mode
from ..engines.mixed import MixedParams
from ..engines.neurons import NeuronParams
from ..engines.normalize import NormalizeParams
from ..memories.moments import MomentsParams

__all__ = ["mode_of", "modes_of", "moments_params", "spans_of", "update_params"]


def spans_of(plan: Plan, *, graded: bool) -> list[Span]:
    """Spans of the graded populations, or of the others."""
    return [span for span in plan.layout.spans.values()
            if isinstance(span.population, GradedPopulation) == graded]


def update_params(plan: Plan) -> NeuronParams | GradedParams | MixedParams:
    """What updates the populations: the block of their kind, or a block for each kind."""
    if not plan.model.graded:
        return _neurons(plan)
    if not spans_of(plan, graded=False):
        return _units(plan)
    graded = _parts(plan) if plan.model.normalizes else _units(plan)
    return MixedParams(graded=graded, neurons=_neurons(plan))


def _groups(plan: Plan, *, graded: bool) -> int:
    """Groups of the graded populations, or of the others."""
    return sum(span.groups for span in spans_of(plan, graded=graded))


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
    spans = spans_of(plan, graded=False)
    spiking = {span.population.reset for span in spans if span.population.spiking}
    alone = plan.model.graded and spiking and "subtract_next" not in spiking
    return tuple(sorted(spiking if alone else {span.population.reset for span in spans}))


def _units(plan: Plan) -> GradedParams:
    model, layout, serial = plan.model, plan.layout, plan.config.multiplier == "serial"
    return GradedParams(
        lanes=layout.lanes, words=layout.words, groups=_groups(plan, graded=True),
        current=model.widths.current, membrane=model.widths.membrane, value=model.value_bits,
        modes=modes_of(plan), columns=unit_columns(model), image=unit_words(model),
        late=spans_of(plan, graded=False) != [] and not serial, serial=serial)


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


def moments_params(plan: Plan) -> MomentsParams | None:
    """Parameters of the counts of a normalized window; None without one."""
    model = plan.model
    if not model.normalizes:
        return None
    count, square, _ = moment_bits(model)
    return MomentsParams(parts=model.inner_steps, rows=model.rows, count=count, square=square)


def mode_of(span: Span, plan: Plan, *, holds: bool = False) -> Mode:
    """What is done with a graded population, in a pass that ``holds`` the sums of a pool or not."""
    bits = span.population.bits or plan.model.value_bits
    return Mode(output=span.population.output, keeps=plan.program.keeps(span), bits=bits - 1,
                pool=span.population.pools, holds=holds)


def modes_of(plan: Plan) -> tuple[Mode, ...]:
    """What is done with the graded populations, each once."""
    return tuple(sorted({mode_of(span, plan, holds=holds) for span in spans_of(plan, graded=True)
                         for holds in {False, span.population.pools}}))
