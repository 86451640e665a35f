# SPDX-License-Identifier: Apache-2.0
"""Lines about the memory of the weight tables of a model."""

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.plan.config import CoreConfig
from spikewright.plan.formats import FORMATS
from spikewright.plan.layout import Layout, table_costs

__all__ = ["cost_rows"]


def cost_rows(model: IntegerModel, lanes: int = CoreConfig().lanes) -> list[tuple[str, str]]:
    """Title and text of a line: one line per projection, and one for all tables."""
    rows = []
    for p, costs in zip(model.projections, table_costs(model, lanes), strict=True):
        told = ", ".join(f"{name} {cost.bits} bits, {cost.words} cycles a row"
                         for name, cost in costs.items())
        sources, targets = p.weights.shape
        rows.append((f"{p.title} table", (f"{sources} x {targets}, "
                     f"{np.count_nonzero(p.weights)} non-zeros; {told}")))
    bits = ", ".join(f"{name} {Layout(model=model, lanes=lanes, tables_format=name).table_bits}"
                     for name in (*FORMATS, "smallest"))
    return [*rows, ("tables", f"with {lanes} lanes, bits in all: {bits}")]
