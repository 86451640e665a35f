# SPDX-License-Identifier: Apache-2.0
"""The cost of a network: memory, and operations per step.

The counts are those of NeuroBench (Yik et al. 2025) for this kind of network. `footprint_bytes`
counts the constants: weights, including zeros, and decays. Integers also store a threshold per
neuron; in floats it is part of the scale of the weights. States are counted separately, as
`state_bits`. A synaptic operation is an addition, because spikes are 0 or 1.
"""

from typing import NamedTuple

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.network.metrics import published_time
from spikewright.network.network import CONSTANT, INPUT, START, Network, spike_columns
from spikewright.network.recording import Recording

__all__ = ["Fan", "added", "float_cost", "integer_cost"]


class Fan(NamedTuple):
    """Number of weights other than 0 of each source of a projection.

    ``weights``, int64 (sources,), are the numbers, in the order of the checkpoint.
    """

    source: str
    delay: int
    weights: np.ndarray


def added(fans: list[Fan], recording: Recording, spikes: np.ndarray,
          columns: dict[str, slice]) -> float:
    """Synaptic operations per step: weights other than 0 that a spike adds, mean over steps.

    A spike adds nothing if a reset, or the end, comes before its delay is over. ``spikes`` is bool
    (steps, neurons). ``columns`` has the columns of each population in it.
    """
    total = 0
    step = np.repeat(np.arange(recording.steps), np.diff(recording.start))
    begun = recording.reset.copy()
    begun[:1] = True
    for fan in fans:
        if fan.source == INPUT:
            sent = np.zeros(recording.steps, np.int64)
            np.add.at(sent, step, fan.weights[recording.channel])
        elif fan.source in (CONSTANT, START):
            fires = begun if fan.source == START else np.ones(recording.steps, bool)
            sent = fires * int(fan.weights.sum())
        else:
            sent = spikes[:, columns[fan.source]] @ fan.weights
        total += int(published_time(sent, fan.delay, recording.reset).sum())
    return total / recording.steps


def float_cost(network: Network, dtype, recording: Recording, spikes: np.ndarray) -> dict:
    """Cost of ``network`` in a floating-point format, from its ``spikes`` over ``recording``."""
    bits = 8 * np.dtype(dtype).itemsize
    weights = [projection.weights.astype(dtype) for projection in network.projections]
    fans = [Fan(p.source, p.delay, np.count_nonzero(w, axis=1))
            for p, w in zip(network.projections, weights, strict=True)]
    neurons = sum(population.neurons for population in network.populations)
    synapses = _synapses(network)
    return {"table_bits": synapses * bits, "state_bits": 2 * neurons * bits,
            "footprint_bytes": -(-(synapses + 2 * neurons) * bits // 8),
            "decay_multiplies": 2 * neurons,
            **_activity(fans, synapses, recording, spikes, network.spike_columns)}


def integer_cost(model: IntegerModel, table_bits: int, network: Network, recording: Recording,
                 spikes: np.ndarray) -> dict:
    """Cost of ``model``, whose weight tables have ``table_bits``, on golden's ``spikes``.

    The model was rounded from ``network``. Shares and dense counts refer to all its synapses,
    although the tables leave out those that were pruned.
    """
    columns = spike_columns((p.name, p.size) for p in model.populations if p.spiking)
    fans = []
    for projection in model.projections:
        count = np.count_nonzero(projection.weights, axis=1)
        if projection.source == INPUT:
            full = np.where(model.channel_row >= 0, count[model.channel_row], 0)
        else:
            population = model.index(projection.source)
            full = np.zeros(population.size, np.int64)
            full[population.kept] = count
        fans.append(Fan(projection.source, projection.delay, full))
    widths = model.widths
    neurons = sum(population.neurons for population in model.populations)
    spiking = sum(population.neurons for population in model.populations if population.spiking)
    constants = 2 * neurons * widths.decay + spiking * widths.membrane
    return {"table_bits": table_bits,
            "state_bits": neurons * (widths.current + widths.membrane),
            "footprint_bytes": -(-(table_bits + constants) // 8),
            "decay_multiplies": 2 * neurons,
            **_activity(fans, _synapses(network), recording, spikes, columns)}


def _activity(fans, synapses, recording, spikes, columns):
    used = sum(int(fan.weights.sum()) for fan in fans)
    return {"synaptic_operations": added(fans, recording, spikes, columns),
            "dense_operations": synapses,
            "connection_sparsity": 1 - used / synapses,
            "activation_sparsity": 1 - float(spikes.mean())}


def _synapses(network: Network) -> int:
    return sum(projection.weights.size for projection in network.projections)

