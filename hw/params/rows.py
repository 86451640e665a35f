# SPDX-License-Identifier: Apache-2.0
"""Parameters of the row look-up and the row adder."""

from spikewright.model.currents import currents_fit
from spikewright.plan.plan import Plan
from spikewright.plan.program import Add

from ..engines.adder import AdderParams
from ..engines.lookup import RowParams, WeightMemory
from .updates import spans_of

__all__ = ["adder_params", "digit_places", "fraction", "row_params", "row_shift", "scales"]


def _memory_shift(plan: Plan) -> dict[int, int]:
    """Shift that all weights of a width have at least."""
    return {bits: min(p.shift for p in plan.model.projections if p.bits == bits)
            for bits in plan.model.weight_bits}


def row_params(plan: Plan) -> RowParams:
    """Parameters of the row look-up."""
    layout, shift = plan.layout, _memory_shift(plan)
    return RowParams(
        lanes=layout.lanes, words=layout.words,
        memories=tuple(WeightMemory(format=name, images=layout.images[bits], shift=shift[bits])
                       for bits, name in layout.memories),
        row_words=max(table.row_words for table in layout.tables),
        row_shift=(0 if scales(plan) else
                   max(row_shift(add, plan) + digit_places(plan, add)
                       for add in plan.program.adds if add.target)),
        streams=plan.program.streams, large=plan.large, gain=_gain_bits(plan),
        loads=plan.load_map, staging=plan.config.staging)


def fraction(plan: Plan) -> int:
    """Left shift of every weight: sums of graded units have no fraction bits."""
    return 0 if plan.model.graded else plan.model.widths.fraction


def row_shift(add: Add, plan: Plan) -> int:
    """Left shift of a row beyond that of its memory and that of every weight."""
    return add.shift - fraction(plan) - _memory_shift(plan)[add.table.bits]


def _gain_bits(plan: Plan) -> int:
    """Bits of the factor of a row; 0 if all factors are 1.

    The adder takes one of 2 bits for 1, -1 or 0: it would not see the value -2.
    """
    signs = 2 if plan.model.window_room else 0      # 1, -1, and 0 for an event that is lost
    if digit_places(plan):
        return 2
    if any(span.population.pools and span.population.bits == 2
           for span in spans_of(plan, graded=True)):
        signs = 3
    shifts = [row_shift(add, plan) + 2 for add in plan.program.adds if add.target]
    return max(plan.model.value_bits, signs, *(shifts if scales(plan) else ()))


def scales(plan: Plan) -> bool:
    """Whether the multipliers for values shift the other rows, too: it takes no logic."""
    return plan.model.value_bits > 2 and not digit_places(plan)


def digit_places(plan: Plan, add: Add | None = None) -> int:
    """Largest left shift of a signed digit of a value, in bits: of one that ``add`` adds, or all.

    0 where values are the factors of their rows.
    """
    return max((of.origin.population.bits - 1 for of in plan.program.adds
                if of.origin and of.digits and add in (None, of)), default=0)


def adder_params(plan: Plan, rows: RowParams) -> AdderParams:
    """Parameters of the row adder behind ``rows``."""
    model = plan.model
    return AdderParams(
        lanes=rows.lanes, words=rows.words, current=model.widths.current,
        fraction=fraction(plan), weight=rows.weight, row_shift=rows.row_shift,
        shifted=rows.gain + max(
            add.table.bits + (0 if scales(plan) else add.shift - fraction(plan))
            + digit_places(plan, add) for add in plan.program.adds if add.target),
        streams=rows.streams, gain=rows.gain, clamps=not currents_fit(model))
