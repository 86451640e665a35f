# SPDX-License-Identifier: Apache-2.0
"""Quantization of the hybrid network: convolutions, pools of two, recurrent spiking layers, a line.

A convolution and the pool behind it are one graded population. Its bias is added after the pool,
which changes nothing. A tap of a convolution is a projection with a delay. With c the values of a
pool, z the spikes of a layer one keypoint before, and integers q, a spiking layer has the drive::

    W c + U z + b = LSB (q c + q z 2**f + q 2**g)

so that all its integers share the scale LSB of a neuron: the rows of a pool reach the currents
without a multiplier of their own. f and g are those with the smallest error. `integer` rounds all
parts of a row at once.

The line between keypoints is an integrator. Its rows are those of the last layer, and change its
slope by the difference of two differences of keypoints: they are added as the spikes come, twice
subtracted one keypoint later, and added again one keypoint later. The slope is the current of a
neuron whose A is 1, and the line its membrane, with B = 1.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from spikewright.model.graded import GradedPopulation, largest_sum
from spikewright.model.integers import IntegerPopulation, IntegerProjection, Widths, largest_weight
from spikewright.model.model import IntegerModel
from spikewright.network.graded.convolution import Convolution, Line, Pool
from spikewright.network.graded.layers import Dense
from spikewright.network.graded.leaky import Leaky
from spikewright.network.graded.network import GradedNetwork
from spikewright.network.graded.run import run_graded
from spikewright.network.network import CONSTANT, INPUT
from spikewright.network.recording import Recording

from ..rounding import round_half_up
from .integer import factors_of, rounded_rows, thresholds_of, units_of, value_unit, whole

__all__ = ["HYBRID_MARGIN", "is_hybrid", "quantize_hybrid"]

# Fewest bits of the values of the first pool, their sign included; most bits that a value and a
# weight have together if it has more; and how many more the second pool has.
LEAST_BITS, PRODUCT_BITS, MORE_BITS = 8, 24, 3

# Values and membranes may be so many times those of the calibration.
HYBRID_MARGIN = 1.25

# Bits of a membrane below the LSB of a weight, in layers that take spikes alone.
FRACTION = 4
MOST_SHIFT = 10

# Keypoints come every so many steps: both pools are of two.
POOL, KEYPOINT = 2, 4


def is_hybrid(network: GradedNetwork) -> bool:
    """Whether ``network`` has the stages of the hybrid network."""
    return isinstance(network.stages[0], Convolution)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Rows that reach a layer, as a matrix, and what they are multiplied by.

    Parameters
    ----------
    source : str
    delay : int
    weights : ndarray of float64, shape (targets, sources)
    inputs : ndarray of float64, shape (updates, sources)
        Over the calibration: whole numbers, and before the shift.
    unit : float
        LSB of the inputs.
    shifts : range
        The shifts that the projection may have.
    """

    source: str
    delay: int
    weights: np.ndarray
    inputs: np.ndarray
    unit: float = 1.0
    shifts: range = range(1)


def quantize_hybrid(network: GradedNetwork, recording: Recording, *, name: str,
                    weight_bits: int = Widths.weight, value_bits: tuple[int, int] | None = None
                    ) -> IntegerModel:
    """The integer model of ``network``, called ``name``, calibrated on ``recording``.

    ``value_bits`` are those of the values of both pools. By default, the first has those of a
    weight, from 8 to 12.

    Raises
    ------
    ValueError
        If the stages are not those of the hybrid network, or the recording has no keypoint.
    """
    convolutions, pools, layers, dense = _stages(network)
    first = max(LEAST_BITS, min(weight_bits, PRODUCT_BITS - weight_bits))
    value_bits = value_bits or (first, first + MORE_BITS)
    trace = run_graded(network, recording, watch=[stage.name for stage in network.stages])
    given = trace.values
    if len(given[layers[0].name].values) < 2:
        raise ValueError(f"Recording {recording.name} must have 2 keypoints or more to calibrate "
                         f"on, not {len(given[layers[0].name].values)}")
    populations: list[Any] = []
    projections: list[IntegerProjection] = []
    counts = np.zeros((recording.steps, network.channels))
    np.add.at(counts, (np.repeat(np.arange(recording.steps), np.diff(recording.start)),
                       recording.channel), 1)
    source, inputs, unit, phase = INPUT, counts, 1.0, 0
    for convolution, pool, period, bits in zip(convolutions, pools, (POOL, KEYPOINT), value_bits,
                                               strict=True):
        taps, interval = convolution.weights[::-1], period // POOL
        scale, integers = rounded_rows(
            np.hstack(list(taps)), _delayed(inputs / unit, len(taps)), weight_bits)
        projections += [
            IntegerProjection(source=source, target=pool.name, delay=interval * ago,
                              bits=weight_bits, weights=part.T)
            for ago, part in enumerate(np.split(integers, len(taps), axis=1))]
        scale = units_of(scale * unit, integers, np.abs(convolution.bias))
        bias = whole(convolution.bias / scale)
        inputs = given[pool.name].values
        unit = value_unit(np.abs(inputs), bits, HYBRID_MARGIN)
        factor, shift = factors_of(scale / unit)
        phase += interval * (POOL - 1 - pool.phase)
        source = pool.name
        populations.append(GradedPopulation(
            name=source, kind="pool", size=len(scale), bias=bias, factor=factor, shift=shift,
            bits=bits, period=period, phase=phase))
    populations.append(_neurons(CONSTANT, 1, reset="none", threshold=np.array([-1]), phase=phase))
    peak = 0.0
    parts = [_Part(source=source, delay=0, weights=layers[0].weights, unit=unit,
                   inputs=round_half_up(inputs / unit).astype(np.float64))]
    for layer in layers:
        spikes = given[layer.name].values
        late = np.vstack([np.zeros((1, layer.outputs)), spikes[:-1]])
        free = range(MOST_SHIFT + 1) if parts[0].unit != 1.0 else range(FRACTION, FRACTION + 1)
        if layer.recurrent is not None:
            parts.append(_Part(source=layer.name, delay=KEYPOINT, weights=layer.recurrent,
                               inputs=late, shifts=free))
        parts.append(_bias(layer.bias, len(late), range(MOST_SHIFT + 1)))
        lsb, chosen = _layer(parts, layer.name, weight_bits)
        projections += chosen
        populations.append(_neurons(
            layer.name, layer.outputs, reset=layer.reset, phase=phase,
            membrane_decay=layer.decay, threshold=thresholds_of(layer, lsb)))
        peak = max(peak, (_peaks(layer, parts[0], late, spikes) / lsb).max())
        parts = [_Part(source=layer.name, delay=0, weights=np.zeros(0), inputs=spikes,
                       shifts=range(FRACTION, FRACTION + 1))]
        follower = layers[layers.index(layer) + 1] if layer is not layers[-1] else dense
        parts[0] = replace(parts[0], weights=follower.weights)
    parts = [replace(parts[0], shifts=range(1)), _bias(dense.bias, len(parts[0].inputs), range(4))]
    lsb, chosen = _layer(parts, dense.name, weight_bits)
    for projection in chosen:
        # Minus the largest and the smallest weight must be weights, too.
        most = largest_weight(weight_bits)
        row = replace(projection, weights=np.clip(projection.weights, -most, most))
        projections += [row, replace(row, delay=KEYPOINT, weights=-row.weights,
                                     shift=row.shift + 1),
                        replace(row, delay=2 * KEYPOINT)]
    line = _neurons(dense.name, dense.outputs, spiking=False, membrane_decay=1.0,
                    synaptic_decay=1.0, period=1)
    return _fitted([*populations, line], projections, peak, network, name=name,
                   weight_bits=weight_bits, readout=network.readout * lsb / KEYPOINT)


def _stages(network: GradedNetwork) -> tuple[list[Convolution], list[Pool], list[Leaky], Dense]:
    """The convolutions, the pools, the spiking layers and the last matrix."""
    first, pool, second, last, *layers = network.stages[:-2]
    dense, line = network.stages[-2:]
    kinds = [Convolution, Pool, Convolution, Pool, *[Leaky] * len(layers), Dense, Line]
    if not layers or [type(stage) for stage in network.stages] != kinds:
        listed = ", ".join(type(stage).__name__ for stage in network.stages)
        raise ValueError("Stages must be Convolution and Pool, both twice, then Leaky once or "
                         "more, then Dense and Line, so that they can be rounded to integers, not "
                         f"{listed}")
    assert isinstance(pool, Pool) and isinstance(last, Pool) and isinstance(line, Line)
    assert isinstance(first, Convolution) and isinstance(second, Convolution)
    assert isinstance(dense, Dense)
    for stage, before in ((pool, first), (last, second)):
        if stage.width != POOL or not (stage.before == before.bias).all():
            raise ValueError(f"Stage {stage.name} must be a pool of {POOL} whose values before the "
                             f"first are the bias of {before.name}, so that it can be rounded to "
                             "integers, not another")
    if first.taps < 2:
        raise ValueError(f"Stage {first.name} must have 2 taps or more, so that it can be rounded "
                         f"to integers, not {first.taps}")
    if line.steps != KEYPOINT:
        raise ValueError(f"Stage {line.name} steps must be {KEYPOINT}, so that it can be rounded "
                         f"to integers, not {line.steps}")
    return ([first, second], [pool, last], [stage for stage in layers if isinstance(stage, Leaky)],
            dense)


def _delayed(values: np.ndarray, taps: int) -> np.ndarray:
    """``values``, and beside them those of the updates before, ``taps`` in all."""
    padded = np.vstack([np.zeros((taps - 1, values.shape[1])), values])
    return np.hstack([padded[taps - 1 - ago:len(padded) - ago] for ago in range(taps)])


def _bias(bias: np.ndarray, updates: int, shifts: range) -> _Part:
    return _Part(source=CONSTANT, delay=0, weights=bias[:, None], inputs=np.ones((updates, 1)),
                 shifts=shifts)


def _layer(parts: list[_Part], target: str, bits: int
           ) -> tuple[np.ndarray, list[IntegerProjection]]:
    """LSB of each neuron of a layer, and its projections with the shifts of the smallest error."""
    def scaled(shifts: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        return (np.hstack([p.weights * p.unit / 2.0 ** shift
                           for p, shift in zip(parts, shifts, strict=True)]),
                np.hstack([p.inputs * 2.0 ** shift
                           for p, shift in zip(parts, shifts, strict=True)]))

    def error(shifts: tuple[int, ...]) -> float:
        weights, inputs = scaled(shifts)
        return float((np.abs(weights).max(axis=1) ** 2).sum() * (inputs ** 2).mean(axis=0).sum())

    shifts = min(product(*(part.shifts for part in parts)), key=error)
    lsb, integers = rounded_rows(*scaled(shifts), bits)
    columns = np.cumsum([part.weights.shape[1] for part in parts])[:-1]
    return lsb, [IntegerProjection(source=part.source, target=target, delay=part.delay, bits=bits,
                                   weights=weights.T, shift=shift)
                 for part, weights, shift in zip(parts, np.split(integers, columns, axis=1),
                                                 shifts, strict=True)]


def _peaks(layer: Leaky, part: _Part, late: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """Largest magnitude of each membrane and each drive over the calibration, in its own unit."""
    drive, m = layer.drive(part.inputs * part.unit), np.zeros(layer.outputs)
    peak = np.zeros(layer.outputs)
    for c, z in zip(drive, late > 0, strict=True):
        m, _ = layer.advance(m, z, c)
        peak = np.maximum(peak, np.abs(m))
    return 2 * peak     # a drive is at most the difference of two membranes


def _neurons(name: str, size: int, *, spiking: bool = True, period: int = KEYPOINT, phase: int = 0,
             reset: str = "zero_lose", synaptic_decay: float = 0.0,
             membrane_decay: np.ndarray | float = 0.0, threshold: np.ndarray | None = None
             ) -> IntegerPopulation:
    one = 1 << Widths.decay
    decay, current = (np.broadcast_to(round_half_up(np.asarray(value) * one), size)
                      .astype(np.int64) for value in (membrane_decay, synaptic_decay))
    limit = np.zeros(size) if threshold is None else threshold
    return IntegerPopulation(name=name, spiking=spiking, size=size, kept=np.arange(size),
                             membrane_decay=decay, synaptic_decay=current, reset=reset,
                             threshold=limit.astype(np.int64), period=period, phase=phase)


def _fitted(populations: list[Any], projections: list[IntegerProjection], peak: float,
            network: GradedNetwork, *, name: str, weight_bits: int, readout: np.ndarray
            ) -> IntegerModel:
    """The integer model with the fewest bits that no sum can fill, and the membranes do not."""
    def model(bits: int) -> IntegerModel:
        widths = Widths(weight=weight_bits, current=bits, membrane=bits, fraction=0)
        outputs = replace(populations[-1], threshold=np.full(
            populations[-1].size, widths.largest_membrane))
        return IntegerModel(
            name=name, dt=network.dt, widths=widths, channels=network.channels,
            channel_row=np.arange(network.channels), populations=(*populations[:-1], outputs),
            projections=tuple(projections), readout=readout, lead_steps=network.lead_steps,
            offset=network.offset)

    widest = model(32)
    # The line: all rows of three keypoints, one of them twice, and then four steps.
    line = sum(np.abs(p.weights << p.shift).sum(axis=0).max() for p in projections
               if p.target == populations[-1].name)
    proven = [largest_sum(widest, p) for p in populations if isinstance(p, GradedPopulation)]
    thresholds = [int(p.threshold.max()) for p in populations[:-1]
                  if isinstance(p, IntegerPopulation)]
    needed = max(*proven, *thresholds, int(HYBRID_MARGIN * peak), int(KEYPOINT * line))
    return model(needed.bit_length() + 1)
