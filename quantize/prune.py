# SPDX-License-Identifier: Apache-2.0
"""Pruning: drop what cannot change an output, and share the rows of channels with equal weights."""

import dataclasses

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT, Network

__all__ = ["firing", "prune", "without_empty"]


def without_empty(network: Network) -> tuple[Network, list[str]]:
    """Drop projections whose weights are all zero: they add nothing, but take rows and cycles.

    Each population must be the target of a projection. If all projections to a population have only
    zeros, the first of them therefore stays.

    Returns
    -------
    network : Network
        All outputs are the same.
    dropped : list of str
        Title of each projection that was dropped.
    """
    kept = [p for p in network.projections if p.weights.any()]
    for projection in network.projections:
        if all(p.target != projection.target for p in kept):
            kept.append(projection)
    dropped = [p for p in network.projections if p not in kept]
    projections = tuple(p for p in network.projections if p in kept)
    return dataclasses.replace(network, projections=projections), [p.title for p in dropped]


def firing(network: Network | IntegerModel) -> dict[str, np.ndarray]:
    """Whether each neuron can ever fire, bool of shape (neurons,) for each population.

    A neuron without a positive incoming weight always has m <= 0. With a threshold of 0 or more
    it then never fires.
    If a neuron never fires, its outgoing weights do not count, so that more neurons may have no
    positive weight. The pass therefore repeats until nothing changes. Outputs are all True.
    """
    fires = {p.name: np.ones(p.neurons, bool) for p in network.populations}
    changed = True
    while changed:
        changed = False
        for population in network.populations:
            if not population.spiking:
                continue
            reached = population.drives_itself
            for p in network.projections:
                if p.target == population.name:
                    weights = p.weights if p.source == INPUT else p.weights[fires[p.source]]
                    reached |= (weights > 0).any(axis=0)
            changed |= not np.array_equal(reached, fires[population.name])
            fires[population.name] = reached
    return fires


def prune(model: IntegerModel) -> tuple[IntegerModel, dict[str, int]]:
    """Drop spiking neurons that can never fire, and channels whose rows are all zero.

    Input rows of zeros are dropped. The row of a spiking neuron stays even if it is all zero,
    because a dense table addresses a row by its neuron.

    Returns
    -------
    model : IntegerModel
    counts : dict of str to int
        ``channels`` and ``neurons``: how many were dropped. ``empty_rows``: rows of zeros that
        stay. ``shared_rows``: channels that use the row of another channel.

    Raises
    ------
    ValueError
        If no neuron of a spiking population can fire, or no input weight is left.
    """
    before = sum(population.neurons for population in model.populations)
    fires = firing(model)
    for name, neurons in fires.items():
        if not neurons.any():
            raise ValueError(f"Population {name} must have a neuron with a positive weight, not "
                             "only neurons that can never fire")
    model = _select(model, fires)
    # The weights of each input row in all input projections.
    weights = np.hstack([np.zeros((model.rows, 0), np.int64),
                         *(p.weights for p in model.projections if p.source == INPUT)])
    used = np.asarray(weights.any(axis=1))
    if not used.any():
        raise ValueError("Model must have an input weight that is not 0, but all of them round to "
                         "0 beside the largest weights of their neurons: take more weight bits")
    kept, number = _first_of_each(weights, used)
    projections = tuple(
        dataclasses.replace(p, weights=p.weights[kept]) if p.source == INPUT else p
        for p in model.projections)
    # The last entry is for channels that have no row already.
    row = np.append(number, -1)[model.channel_row]
    model = dataclasses.replace(model, projections=projections, channel_row=row)
    return model, {
        "channels": int((~used).sum()),
        "neurons": before - sum(population.neurons for population in model.populations),
        "empty_rows": sum(int((~p.weights.any(axis=1)).sum()) for p in model.projections),
        "shared_rows": int(used.sum()) - len(kept),
    }


def _first_of_each(weights: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the rows that stay, int64 (kept,), and the new index of each row, int64 (rows,).

    A row with the weights of an earlier row gets the same new index. A row that is not used has -1.
    """
    kept: list[int] = []
    known: dict[bytes, int] = {}
    number = np.full(len(weights), -1, np.int64)
    for row in np.flatnonzero(used).tolist():
        index = known.setdefault(weights[row].tobytes(), len(kept))
        if index == len(kept):
            kept.append(row)
        number[row] = index
    return np.array(kept, np.int64), number


def _select(model: IntegerModel, kept: dict[str, np.ndarray]) -> IntegerModel:
    populations = tuple(
        dataclasses.replace(p, **{key: getattr(p, key)[kept[p.name]] for key in
                                  ("kept", "threshold", "synaptic_decay", "membrane_decay")})
        for p in model.populations)
    projections = tuple(
        dataclasses.replace(p, weights=(p.weights if p.source == INPUT else
                                        p.weights[kept[p.source]])[:, kept[p.target]])
        for p in model.projections)
    return dataclasses.replace(model, populations=populations, projections=projections)
