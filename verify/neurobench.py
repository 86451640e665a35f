# SPDX-License-Identifier: Apache-2.0
"""The metrics of NeuroBench's own package for a network: floats, integers and hardware.

The package needs layers of torch that it can watch. Here, they get the spikes that each arithmetic
gave, so that it counts what that arithmetic did.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint
from neurobench.metrics.workload import R2, ActivationSparsity, SynapticOperations
from neurobench.models import NeuroBenchModel, TorchModel
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from spikewright.model.model import IntegerModel
from spikewright.network.metrics import published_time
from spikewright.network.network import INPUT, Network
from spikewright.network.recording import Recording
from spikewright.train.recording import dense, target_velocity

__all__ = ["float_layers", "integer_layers", "neurobench_scores"]

CHUNK = 1 << 12             # steps that the package sees at once

#: Of each projection: where its spikes come from, and its weights, (sources, targets).
Layers = Sequence[tuple[str, np.ndarray]]


def float_layers(network: Network) -> tuple[Layers, list[np.ndarray]]:
    """Layers and further constants of a network, in single precision."""
    return ([(p.source, p.weights.astype(np.float32)) for p in network.projections],
            [each.astype(np.float32) for p in network.populations
             for each in (p.synaptic_decay, p.membrane_decay)])


def integer_layers(model: IntegerModel) -> tuple[Layers, list[np.ndarray]]:
    """Layers and further constants of a model, in the smallest integers of 8, 16 or 32 bits.

    The layers have all channels and neurons of the network file; the weights of those that were
    dropped are 0.
    """
    layers = []
    for p in model.projections:
        target = model.index(p.target)
        wide = np.zeros((len(p.weights), target.size), _integer(p.bits))
        wide[:, target.kept] = p.weights
        if p.source == INPUT:
            full = np.where(model.channel_row[:, None] >= 0, wide[model.channel_row], 0)
        else:
            source = model.index(p.source)
            full = np.zeros((source.size, target.size), wide.dtype)
            full[source.kept] = wide
        layers.append((p.source, full))
    widths = model.widths
    constants = [each.astype(_integer(bits)) for p in model.populations for each, bits in (
        (p.synaptic_decay, widths.decay + 1), (p.membrane_decay, widths.decay + 1),
        *([(p.threshold, widths.membrane)] if p.spiking else []))]
    return layers, constants


def _integer(bits: int) -> np.dtype:
    return np.dtype(next(f"int{size}" for size in (8, 16, 32, 64) if size >= bits))


def neurobench_scores(network: Network, layers: Layers, constants: Sequence[np.ndarray],
                      recording: Recording, velocity: np.ndarray, spikes: np.ndarray) -> dict:
    """What NeuroBench's package counts.

    Parameters
    ----------
    network : Network
        For the columns of ``spikes``, and the time of the outputs.
    layers, constants
        Of `float_layers` or `integer_layers`.
    recording : Recording
        With a velocity of two axes.
    velocity : float64, (steps, axes)
        In the unit of the recording.
    spikes : bool, (steps, neurons)

    Returns
    -------
    dict
        ``r2``, ``footprint_bytes``, ``connection_sparsity``, ``activation_sparsity``, and for each
        step ``effective_acs``, ``effective_macs`` and ``dense_operations``.
    """
    said   = published_time(velocity, network.lead_steps, recording.reset)
    steps  = torch.from_numpy(np.hstack([dense(recording), spikes, said]).astype(np.float64))
    stored = TorchModel(_Stored(layers, constants))
    wanted = torch.from_numpy(target_velocity(recording))
    found: dict[str, Any] = Benchmark(
        _Replayed(_Replay(network, layers)),
        DataLoader(TensorDataset(steps, wanted), batch_size=CHUNK), [], [],
        [[], [R2, ActivationSparsity, SynapticOperations]]).run(quiet=True)
    operations = found["SynapticOperations"]
    return {"r2": found["R2"], "footprint_bytes": Footprint()(stored),
            "connection_sparsity": ConnectionSparsity()(stored),
            "activation_sparsity": found["ActivationSparsity"],
            "effective_acs": operations["Effective_ACs"],
            "effective_macs": operations["Effective_MACs"],
            "dense_operations": operations["Dense"]}


def _linear(weights: np.ndarray) -> nn.Linear:
    """A layer whose weights are (sources, targets), of any type."""
    sources, targets = weights.shape
    layer = nn.Linear(sources, targets, bias=False)
    layer.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(weights.T)),
                                requires_grad=False)
    return layer


class _Stored(nn.Module):
    """What is stored: weights and constants, in their own types."""
    def __init__(self, layers: Layers, constants: Sequence[np.ndarray]):
        super().__init__()
        self.layers = nn.ModuleList(_linear(weights) for _, weights in layers)
        for k, constant in enumerate(constants):
            self.register_buffer(f"constant{k}", torch.from_numpy(constant))


class _Fired(nn.Module):
    """Neurons that fire as they did."""
    def forward(self, spikes: Tensor) -> Tensor:
        return spikes


class _Replay(nn.Module):
    """Each step has counts of the channels, spikes of the neurons, and the answer."""
    def __init__(self, network: Network, layers: Layers):
        super().__init__()
        self.network, self.sources = network, [source for source, _ in layers]
        self.layers  = nn.ModuleList(_linear(weights.astype(np.float64)) for _, weights in layers)
        self.neurons = nn.ModuleList(_Fired() for _ in network.spike_columns)

    def forward(self, steps: Tensor) -> Tensor:
        channels = self.network.channels
        axes     = len(self.network.readout)
        fired    = steps[:, channels:-axes]
        spikes   = {INPUT: steps[:, :channels]}
        for neurons, (name, columns) in zip(self.neurons, self.network.spike_columns.items(),
                                            strict=True):
            spikes[name] = neurons(fired[:, columns])
        for source, layer in zip(self.sources, self.layers, strict=True):
            layer(spikes[source])
        return steps[:, -axes:]


class _Replayed(NeuroBenchModel):
    def __init__(self, net: _Replay):
        super().__init__()
        self.net = net
        self.add_activation_module(_Fired)

    def __call__(self, batch: Tensor) -> Tensor:
        return self.net(batch)

    def __net__(self) -> nn.Module:
        return self.net
