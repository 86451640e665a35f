# SPDX-License-Identifier: Apache-2.0
"""Drop what cannot change any output: silent neurons and channels without weights."""

import dataclasses

import numpy as np

from .model import IntegerModel
from .network import INPUT

__all__ = ["prune"]


def prune(model: IntegerModel) -> tuple[IntegerModel, dict[str, int]]:
    """Drop spiking neurons that can never fire, and channels whose rows are all zero.

    A neuron without a positive incoming weight keeps m <= 0 for ever, and its threshold is at
    least 0. Dropping one may leave another without, so the pass repeats until nothing changes.
    Rows of spiking neurons that are all zero are counted but stay: a dense table addresses a row
    by its neuron.

    Returns
    -------
    model : IntegerModel
    counts : dict of str to int
        ``channels`` and ``neurons`` dropped; ``empty_rows`` kept.
    """
    before = sum(population.neurons for population in model.populations)
    while (smaller := _without_silent(model)) is not model:
        model = smaller
    used = np.zeros(model.rows, bool)
    for projection in model.projections:
        if projection.source == INPUT:
            used |= projection.weights.any(axis=1)
    projections = tuple(
        dataclasses.replace(p, weights=p.weights[used]) if p.source == INPUT else p
        for p in model.projections)
    # The last entry is the row of the channels that have none already.
    row = np.append(np.where(used, np.cumsum(used) - 1, -1), -1)[model.channel_row]
    model = dataclasses.replace(model, projections=projections, channel_row=row)
    return model, {
        "channels": int((~used).sum()),
        "neurons": before - sum(population.neurons for population in model.populations),
        "empty_rows": sum(int((~p.weights.any(axis=1)).sum()) for p in model.projections),
    }


def _without_silent(model: IntegerModel) -> IntegerModel:
    for population in model.populations:
        if not population.spiking:
            continue
        fires = np.zeros(population.neurons, bool)
        for projection in model.projections:
            if projection.target == population.name:
                fires |= (projection.weights > 0).any(axis=0)
        if not fires.any():
            raise ValueError(f"Population {population.name} must have a neuron with a positive "
                             "weight, not only neurons that can never fire")
        if not fires.all():
            return _select(model, population.name, np.flatnonzero(fires))
    return model


def _select(model: IntegerModel, name: str, keep: np.ndarray) -> IntegerModel:
    populations = tuple(
        p if p.name != name else dataclasses.replace(
            p, kept=p.kept[keep], threshold=p.threshold[keep],
            synaptic_decay=p.synaptic_decay[keep], membrane_decay=p.membrane_decay[keep])
        for p in model.populations)
    projections = []
    for projection in model.projections:
        weights = projection.weights
        if projection.source == name:
            weights = weights[keep]
        if projection.target == name:
            weights = weights[:, keep]
        projections.append(dataclasses.replace(projection, weights=weights))
    return dataclasses.replace(model, populations=populations, projections=tuple(projections))
