# SPDX-License-Identifier: Apache-2.0
"""Lines about the memory of the weight tables of a model."""

from itertools import groupby

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.plan.config import CoreConfig
from spikewright.plan.formats import FORMATS
from spikewright.plan.layout import Layout, table_costs

__all__ = ["cost_rows"]


def cost_rows(model: IntegerModel, lanes: int = CoreConfig().lanes) -> list[tuple[str, str]]:
    """Title and text of a line: one for the projections from a source to a target of one size, and
    one for all tables. Lines of projections count each row of a bitmap, the last line counts
    rows with the same weights once.
    """
    rows = []
    pairs = zip(model.projections, table_costs(model, lanes), strict=True)
    for (title, (sources, targets)), group in groupby(
            pairs, lambda pair: (pair[0].title, pair[0].weights.shape)):
        projections, costs = zip(*group, strict=True)
        told = []
        for name in FORMATS:
            cycles = max(cost[name].words for cost in costs)
            told.append(f"{name} {sum(cost[name].bits for cost in costs)} bits, {cycles} "
                        f"cycle{'' if cycles == 1 else 's'} a row")
        number = len(projections)
        rows.append((f"{title} table{'' if number == 1 else 's'}", (
            f"{'' if number == 1 else f'{number} of '}{sources} x {targets}, "
            f"{sum(np.count_nonzero(p.weights) for p in projections)} non-zeros; "
            f"{', '.join(told)}")))
    bits = ", ".join(f"{name} {Layout(model=model, lanes=lanes, tables_format=name).table_bits}"
                     for name in (*FORMATS, "smallest"))
    return [*rows, ("tables", (f"with {lanes} lanes, bits in all, equal rows of bitmaps counted "
                               f"once: {bits}"))]
