# SPDX-License-Identifier: Apache-2.0
"""What a manifest tells of the weight tables of a model."""

import dataclasses

import numpy as np
from spikewright.model.model import IntegerModel

from .images import tables_of
from .tables import FORMATS, LANES, smallest, table_bits, table_costs

__all__ = ["table_facts"]


def table_facts(model: IntegerModel) -> dict:
    """Entries ``tables``, ``table_bits`` and ``non_zeros`` of the manifest of ``model``."""
    tables = [{"source": p.source, "target": p.target, "delay": p.delay,
               "shift": p.shift, "rows": p.weights.shape[0], "columns": p.weights.shape[1],
               "non_zeros": int(np.count_nonzero(p.weights)),
               "lanes": LANES, "smallest": smallest(costs),
               "costs": {name: dataclasses.asdict(cost) for name, cost in costs.items()}}
              for p, costs in zip(model.projections, table_costs(model, LANES), strict=True)]
    return {"tables": tables, "non_zeros": sum(table["non_zeros"] for table in tables),
            "table_bits": {name: table_bits(tables_of(model, LANES, name))
                           for name in (*FORMATS, "smallest")}}
