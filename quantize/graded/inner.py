# SPDX-License-Identifier: Apache-2.0
"""Quantization of a normalized window and inner steps: NeuroBench's SNN_Flat.

The gain of the normalization goes into the weights of the first layer. A neuron has one unit for
the weights of all parts. Its membranes have ``fraction`` bits more. With n the counts without their
mean, over their spread::

    current in part j = (weights gain[j]) n[j] + bias       weights gain[j] = unit q[j]
    bias              = weights offset[j] + the bias of the layer

The bias of a part is a number of its units. The bias of another layer is a projection from the
constant source. The integers are those with the smallest error over the values of a recording
(`descent.closest_integers`).

Nothing can saturate but the currents of the first layer. They fit ``CURRENT_MARGIN`` times those
over the recording. All other states have a width that is proven: from 0, few inner steps follow.
"""

from dataclasses import replace

import numpy as np

from spikewright.model.graded import GradedPopulation, largest_sum
from spikewright.model.integers import WIDTH_LIMITS, IntegerPopulation, IntegerProjection, Widths
from spikewright.model.model import IntegerModel
from spikewright.network.graded.layers import Normalize
from spikewright.network.graded.leaky import InnerSteps, Leaky
from spikewright.network.graded.network import GradedNetwork
from spikewright.network.graded.run import run_graded
from spikewright.network.graded.window import Window
from spikewright.network.network import CONSTANT
from spikewright.network.recording import Recording

from ..rounding import round_half_up
from .integer import (
    rounded_by,
    rounded_rows,
    thresholds_of,
    units_of,
    whole,
    window_projections,
)

__all__ = ["CURRENT_MARGIN", "FRACTION", "has_inner_steps", "quantize_inner"]

# Factor by which the currents of the first layer may exceed those over the recording.
CURRENT_MARGIN = 1.5

FRACTION = 4


def has_inner_steps(network: GradedNetwork) -> bool:
    """Whether the stages are a window, a normalization, and inner steps."""
    return [type(stage) for stage in network.stages] == [Window, Normalize, InnerSteps]


def quantize_inner(network: GradedNetwork, recording: Recording, *, name: str,
                   weight_bits: int = Widths.weight, fraction: int = FRACTION) -> IntegerModel:
    """The integer model of ``network``, called ``name``, calibrated on ``recording``.

    Raises
    ------
    ValueError
        If a layer has another reset than ``subtract_next``.
    """
    window, norm, inner = network.stages
    assert isinstance(window, Window)
    assert isinstance(norm, Normalize) and isinstance(inner, InnerSteps)
    first, *rest = inner.layers
    trace = run_graded(network, recording, watch=[window.name])
    counts = trace.values[window.name].values.reshape(-1, inner.steps, window.channels)
    mean, spread = (of(counts, axis=(1, 2), keepdims=True) for of in (np.mean, np.var))
    inputs = (counts - mean) / np.sqrt(spread + norm.epsilon)
    gain, offset = (of.reshape(inner.steps, -1) for of in (norm.gain, norm.offset))
    weights = np.hstack([first.weights * part for part in gain])
    scale, integers = rounded_by(_in_blocks(inputs), weights, weight_bits)
    given = (first.weights @ offset.T).T + first.bias
    lsb = units_of(scale, integers, np.maximum(np.abs(given).max(axis=0), first.threshold)
                   ) / 2.0 ** fraction
    bias = whole(given / lsb)
    windows = [replace(p, target=f"part{k}", bits=weight_bits, weights=part.T)
               for k, (p, part) in enumerate(zip(
                   window_projections(window, ""), np.split(integers, inner.steps, axis=1),
                   strict=True))]
    zeros = np.zeros(first.outputs, np.int64)
    parts = [GradedPopulation(name=p.target, kind="normalize", size=first.outputs, bias=bias[k],
                              factor=zeros, shift=zeros) for k, p in enumerate(windows)]
    layers, projections, source, fired = [(first, lsb)], [*windows], first.name, trace.spikes
    for layer in rest:
        columns = network.spike_columns[source]
        spikes = fired[:, columns].reshape(-1, layer.inputs)
        fed = np.hstack([spikes, np.ones((len(spikes), 1))])
        scale, integers = rounded_rows(np.hstack([layer.weights, layer.bias[:, None]]), fed,
                                       weight_bits)
        projections += [IntegerProjection(source=of, target=layer.name, delay=0, bits=weight_bits,
                                          weights=rows)
                        for of, rows in ((source, integers.T[:-1]), (CONSTANT, integers.T[-1:]))]
        layers.append((layer, scale / 2.0 ** fraction))
        source = layer.name
    driven = np.einsum("tjc,jci->tji", inputs, np.array([p.weights for p in windows]))
    current = np.abs(driven * 2.0 ** fraction + bias).max()
    return _model(network, parts, layers, projections, current * CURRENT_MARGIN, name=name,
                  weight_bits=weight_bits, fraction=fraction,
                  epsilon=max(1, round(norm.epsilon * counts[0].size ** 2)),
                  fill_steps=window.rows - 1)


def _in_blocks(inputs: np.ndarray) -> np.ndarray:
    """Gram matrix of ``inputs`` (updates, parts, channels); 0 between two parts."""
    _, parts, channels = inputs.shape
    gram = np.zeros((parts, channels, parts, channels))
    for k in range(parts):
        gram[k, :, k] = inputs[:, k].T @ inputs[:, k] / len(inputs)
    return gram.reshape(parts * channels, parts * channels)


def _model(network: GradedNetwork, parts: list[GradedPopulation],
           layers: list[tuple[Leaky, np.ndarray]], projections: list[IntegerProjection],
           current: float, *, name: str, weight_bits: int, fraction: int, epsilon: int,
           fill_steps: int) -> IntegerModel:
    """The integer model with the fewest bits of its states."""
    widest = Widths(weight=weight_bits, current=32, membrane=32, fraction=fraction)
    constant = IntegerPopulation(name=CONSTANT, spiking=True, size=1, kept=np.arange(1),
                                 synaptic_decay=np.zeros(1, np.int64),
                                 membrane_decay=np.zeros(1, np.int64), reset="none",
                                 threshold=np.full(1, -1))
    neurons = [constant, *(_layer(layer, lsb, widest) for layer, lsb in layers)]
    model = IntegerModel(
        name=name, dt=network.dt, channels=network.channels,
        channel_row=np.arange(network.channels), populations=(*parts, *neurons),
        projections=tuple(projections), widths=widest,
        readout=network.readout * layers[-1][1], lead_steps=network.lead_steps,
        offset=network.offset, epsilon=epsilon, fill_steps=fill_steps)
    driven = [_largest_drive(model, p.name) for p in neurons[2:]]
    peak = max(current, *driven, *(largest_sum(model, part) for part in parts))
    bits = max(int(peak).bit_length() + 1, weight_bits + fraction, WIDTH_LIMITS["current"][0])
    # From 0, a membrane is the sum of what the inner steps add to it, at most.
    most = [1 << bits - 1, *driven]
    membrane = max(model.inner_steps * (drive + (int(p.threshold.max()) if p.spiking else 0))
                   for p, drive in zip(neurons[1:], most, strict=True)).bit_length() + 1
    widths = replace(widest, current=bits, membrane=max(bits, membrane))
    return replace(model, widths=widths, populations=tuple(
        replace(p, threshold=np.full(p.size, widths.largest_membrane))
        if isinstance(p, IntegerPopulation) and not p.spiking else p for p in model.populations))


def _layer(layer: Leaky, lsb: np.ndarray, widths: Widths) -> IntegerPopulation:
    if layer.spikes and layer.reset != "subtract_next":
        raise ValueError(f"Stage {layer.name} reset must be subtract_next to be rounded to "
                         f"integers, not {layer.reset!r}")
    threshold = (thresholds_of(layer, lsb) if layer.spikes else
                 np.full(layer.outputs, widths.largest_membrane))
    return IntegerPopulation(
        name=layer.name, spiking=layer.spikes, size=layer.outputs, kept=np.arange(layer.outputs),
        synaptic_decay=np.zeros(layer.outputs, np.int64), threshold=threshold,
        membrane_decay=round_half_up(layer.decay * (1 << widths.decay)),
        reset="subtract_next" if layer.spikes else "zero_lose")


def _largest_drive(model: IntegerModel, name: str) -> int:
    """Largest magnitude of the currents of a layer that takes spikes."""
    weights = np.concatenate([p.weights for p in model.projections if p.target == name])
    ends = np.maximum(weights, 0).sum(axis=0), -np.minimum(weights, 0).sum(axis=0)
    return int(np.max(ends)) << model.widths.fraction
