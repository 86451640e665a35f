# SPDX-License-Identifier: Apache-2.0
"""The order of one step, the same in golden and in the hardware."""

import enum
from dataclasses import dataclass

from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT

__all__ = ["Kind", "Phase", "schedule"]


class Kind(enum.IntEnum):
    """What a phase does."""

    SPIKES = 0
    INPUT = 1
    UPDATE = 2


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase of a step.

    Parameters
    ----------
    kind : Kind
        SPIKES adds the rows of the spikes that fall due, INPUT those of the input events, UPDATE
        advances the neurons of a population.
    index : int
        Index of the projection (SPIKES, INPUT) or of the population (UPDATE).
    """

    kind: Kind
    index: int


def schedule(model: IntegerModel) -> list[Phase]:
    """Phases of one step, in order.

    Populations go in their order. Before each is updated, its spike projections are added in
    order, then, for the first population, the input: delayed spikes are known before the step's
    events come.

    Raises
    ------
    ValueError
        If the model has another form than one input projection, with delay 0, to the first
        population.
    """
    phases = []
    for index, population in enumerate(model.populations):
        into = [(k, p) for k, p in enumerate(model.projections) if p.target == population.name]
        phases += [Phase(kind=Kind.SPIKES, index=k) for k, p in into if p.source != INPUT]
        for k, projection in into:
            if projection.source == INPUT:
                if index != 0 or projection.delay != 0:
                    raise ValueError(f"Projection {projection.title} must reach the first "
                                     f"population with delay 0, not {population.name} with "
                                     f"delay {projection.delay}")
                phases.append(Phase(kind=Kind.INPUT, index=k))
        phases.append(Phase(kind=Kind.UPDATE, index=index))
    inputs = sum(phase.kind == Kind.INPUT for phase in phases)
    if inputs != 1:
        raise ValueError(f"Model must have one input projection, not {inputs}")
    return phases
