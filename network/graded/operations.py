# SPDX-License-Identifier: Apache-2.0
"""Synaptic operations of a network, counted as the benchmark NeuroBench counts them.

An operation belongs to a weight, each time that its layer is updated. An effective operation has an
input and a weight that are both not 0. In an update in which all inputs of a layer are 0, 1 or -1,
its effective operations are accumulates (ACs). In another, they are multiply-accumulates (MACs).
Biases, normalizations and neurons do not count. Each event of a spiking network adds a row, so that
all of its operations are ACs.

These are operations of the published code, which computes a window anew in each step. Hardware that
only adds what changed needs fewer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..network import INPUT, Network, inner
from ..recording import Recording
from ..reference import run_reference
from .convolution import Convolution
from .layers import Dense
from .leaky import InnerSteps, Leaky
from .network import AnyNetwork, Stage
from .run import counted, segments

__all__ = ["Operations", "count_operations", "weights_used"]


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Operations of a step, the mean over a run.

    Parameters
    ----------
    dense : float
        All operations.
    macs, acs : float
        Effective multiply-accumulates, and effective accumulates.
    """

    dense: float
    macs: float
    acs: float


def count_operations(network: AnyNetwork, recording: Recording) -> Operations:
    """Count the operations of ``network`` over ``recording``."""
    if isinstance(network, Network):
        return _of_rows(network, recording)
    total = np.zeros(3)
    for part in segments(recording):
        series = counted(part)
        for stage in network.stages:
            given, series = series.values, stage.run(series)
            for weights, inputs in _layers(stage, given, series.spikes):
                total += _count(weights, inputs)
    dense, macs, acs = (total / recording.steps).tolist()
    return Operations(dense=dense, macs=macs, acs=acs)


def weights_used(network: AnyNetwork) -> int:
    """How many weights of ``network`` are not 0. Biases do not count."""
    if isinstance(network, Network):
        return sum(int(np.count_nonzero(p.weights)) for p in network.projections
                   if not inner(p.source))
    layers = [layer for stage in network.stages
              for layer in (stage.layers if isinstance(stage, InnerSteps) else [stage])]
    matrices = [getattr(layer, name, None) for layer in layers for name in ("weights", "recurrent")]
    return sum(int(np.count_nonzero(matrix)) for matrix in matrices if matrix is not None)


def _of_rows(network: Network, recording: Recording) -> Operations:
    """Operations of a spiking network."""
    spikes, acs = run_reference(network, recording).spikes, 0
    for projection in network.projections:
        used = np.count_nonzero(projection.weights, axis=1)
        if projection.source == INPUT:
            acs += int(used[recording.channel].sum())
        elif not inner(projection.source):
            acs += int((spikes[:, network.spike_columns[projection.source]] @ used).sum())
    dense = sum(p.weights.size for p in network.projections if not inner(p.source))
    return Operations(dense=float(dense), macs=0.0, acs=acs / recording.steps)


def _layers(stage: Stage, given: np.ndarray, spikes: dict[str, np.ndarray]
            ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Weights (taps, outputs, inputs) and inputs (updates, inputs) of the layers of ``stage``.

    The first tap takes the inputs of its update, and the next ones those of the updates before.
    """
    if isinstance(stage, Convolution):
        yield stage.weights[::-1], given
    elif isinstance(stage, Dense | Leaky):
        yield stage.weights[None], given
        if isinstance(stage, Leaky) and stage.recurrent is not None:
            fired = spikes[stage.name]
            yield stage.recurrent[None], np.concatenate([np.zeros_like(fired[:1]), fired[:-1]])
    elif isinstance(stage, InnerSteps):
        for layer in stage.layers:
            yield layer.weights[None], given.reshape(-1, layer.inputs)
            given = spikes.get(layer.name, given)


def _count(weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """All operations, effective MACs and effective ACs over all updates, float64 (3,)."""
    used = inputs != 0
    unit = np.isin(inputs, (-1, 0, 1)).min(axis=1)
    effective, accumulates = np.zeros(len(inputs)), np.ones(len(inputs), bool)
    for ago, tap in enumerate(weights[:len(inputs)]):
        updates = len(inputs) - ago
        effective[ago:] += used[:updates] @ np.count_nonzero(tap, axis=0)
        accumulates[ago:] &= unit[:updates]
    return np.array([weights.size * len(inputs), effective[~accumulates].sum(),
                     effective[accumulates].sum()])
