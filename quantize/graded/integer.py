# SPDX-License-Identifier: Apache-2.0
"""Quantization of graded networks: an integer model from a window, matrices and rectifiers.

A layer is a matrix, a bias, and for all but the last one a rectifier with a gain and an offset.
With c the inputs, in units of their LSB, and v the values of the layer, in units of theirs::

    u = W c + b                 W = unit q, with integers q and a unit for each row
    v = gain max(u, 0) / LSB    gain unit / LSB = factor / 2**shift

The unit of a row and its integers are those with the smallest error over the inputs of a recording
(`descent.closest_integers`). The LSB of the values is so large that all of them fit ``MARGIN``
times. Units that were silent in training may give a few values far above the others. To clamp those
changes the outputs more than a coarser LSB does. A bias is at most ``MOST_BIAS``.

The gain becomes a factor of the rectified sum, its sign goes into the next matrix, and the offset
into the next bias. A gain in the next matrix would ruin it: units that were silent in training have
gains of some hundreds, and one such column takes all of the integers.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spikewright.model.graded import FACTOR_BITS, SHIFT_LIMITS, GradedPopulation, largest_sum
from spikewright.model.integers import WIDTH_LIMITS, IntegerProjection, Widths, largest_weight
from spikewright.model.model import IntegerModel
from spikewright.network.graded.layers import Dense, Rectify
from spikewright.network.graded.leaky import Leaky
from spikewright.network.graded.network import GradedNetwork
from spikewright.network.graded.run import GradedTrace, run_graded
from spikewright.network.graded.window import Sum, Window
from spikewright.network.network import INPUT
from spikewright.network.recording import Recording

from ..descent import closest_integers
from ..gram import EVEN, OWN
from ..rounding import round_half_up
from ..workers import each_neuron

__all__ = ["MARGIN", "VALUE_BITS", "factors_of", "quantize_graded", "rounded_by", "rounded_rows",
           "thresholds_of", "units_of", "value_unit", "whole", "window_projections"]

# Bits of a value that a unit gives to others, its sign included. More change the outputs less than
# the rounding of weights to 8 bits does.
VALUE_BITS = 13

# Values may be so many times those of the calibration. Those of a unit that was silent in training,
# and nearly so in the calibration, go far beyond.
MARGIN = 4

# Largest bias. Where the inputs hardly change the sum, their weights have fewer bits.
MOST_BIAS = 1 << 28

# The bias of a row without weights, or its threshold if that is larger.
LONE = 1 << 12

# Numbers beyond this one fit no model, and a threshold that is as large is never reached.
FAR, MOST_THRESHOLD = 2.0 ** 40, 1 << 28

# Distance of the shifts of a population, in bits.
STRIDE = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A matrix with the rectifier behind it.

    Parameters
    ----------
    name : str
        Name of the matrix.
    weights : ndarray of float64, shape (targets, sources)
        With the signs of the gains of the layer before.
    bias : ndarray of float64, shape (targets,)
        With the offsets of the layer before.
    rectify : Rectify or None
        None for the last layer.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    rectify: Rectify | None

    @property
    def gain(self) -> np.ndarray:
        """Gain of the rectifier, float64 (targets,). Its sign is in the next matrix."""
        assert self.rectify is not None
        return np.abs(self.rectify.gain)

    def values(self, trace: GradedTrace) -> np.ndarray:
        """Values without the sign of the gain and the offset, float64 (updates, targets)."""
        assert self.rectify is not None
        values = trace.values[self.rectify.name].values
        return (values - self.rectify.offset) * np.sign(self.rectify.gain)


def quantize_graded(network: GradedNetwork, recording: Recording, *, name: str,
                    weight_bits: int = Widths.weight, value_bits: int = VALUE_BITS
                    ) -> IntegerModel:
    """The integer model of ``network``, called ``name``, calibrated on ``recording``.

    Raises
    ------
    ValueError
        If the stages are not a sum or a window, and then matrices with rectifiers between them, or
        all trials of the recording are shorter than the window.
    """
    window, layers = _layers(network)
    trace = run_graded(network, recording, watch=[stage.name for stage in network.stages])
    populations, projections = [], window_projections(window, layers[0].name)
    inputs, unit = trace.values[window.name].values, 1.0
    if not len(inputs):
        raise ValueError(f"Recording {recording.name} trials must be as long as the window of the "
                         f"network, {window.width} steps, to calibrate on, not shorter")
    for k, layer in enumerate(layers):
        scale, integers = rounded_rows(layer.weights, inputs / unit, weight_bits)
        scale = units_of(scale * unit, integers, np.abs(layer.bias))
        coarser = np.maximum(scale, np.abs(layer.bias) / MOST_BIAS)
        integers = np.where((coarser > scale)[:, None],
                            round_half_up(layer.weights * unit / coarser[:, None]), integers)
        scale = coarser
        bias, weights = whole(layer.bias / scale), integers.T
        if k == 0:
            parts = np.split(weights, len(projections))
            projections = [replace(p, weights=part, bits=weight_bits)
                           for p, part in zip(projections, parts, strict=True)]
        else:
            projections.append(IntegerProjection(source=layers[k - 1].name, target=layer.name,
                                                 delay=0, bits=weight_bits, weights=weights))
        if layer.rectify is None:
            populations.append(GradedPopulation(
                name=layer.name, kind="sum", size=len(scale), bias=bias,
                factor=np.zeros(len(scale), np.int64), shift=np.zeros(len(scale), np.int64)))
            continue
        inputs = layer.values(trace)
        unit = value_unit(inputs, value_bits, MARGIN)
        factor, shift = factors_of(layer.gain * scale / unit)
        populations.append(GradedPopulation(
            name=layer.name, kind="rectify", size=len(scale), bias=bias, factor=factor,
            shift=shift, bits=value_bits))
    return _narrowed(
        populations, projections, weight_bits=weight_bits, name=name, dt=network.dt,
        channels=network.channels, channel_row=np.arange(network.channels),
        readout=network.readout * scale, lead_steps=network.lead_steps, offset=network.offset,
        **_start(window))


def _layers(network: GradedNetwork) -> tuple[Sum | Window, list[Layer]]:
    window, *rest = network.stages
    kinds = [type(stage) for stage in rest]
    if not isinstance(window, Sum | Window) or len(rest) % 2 == 0 or any(
            kind is not (Rectify if k % 2 else Dense) for k, kind in enumerate(kinds)):
        names: dict[type, str] = {Dense: "Linear", Rectify: "ReLU"}
        listed = ", ".join(names.get(kind, kind.__name__) for kind in kinds)
        raise ValueError("Layers must be Linear, with a ReLU between any two, so that they can be "
                         f"rounded to integers, not {listed}")
    layers: list[Layer] = []
    sign, offset = np.ones(window.outputs), np.zeros(window.outputs)
    for dense, rectify in zip(rest[::2], [*rest[1::2], None], strict=True):
        assert isinstance(dense, Dense) and (rectify is None or isinstance(rectify, Rectify))
        layers.append(Layer(name=dense.name, weights=dense.weights * sign, rectify=rectify,
                            bias=dense.bias + dense.weights @ offset))
        if rectify is not None:
            sign, offset = np.sign(rectify.gain), rectify.offset
    return window, layers


def rounded_rows(weights: np.ndarray, inputs: np.ndarray, bits: int
                 ) -> tuple[np.ndarray, np.ndarray]:
    """Scale of each row of ``weights``, and its integers, int64 of the same shape.

    ``inputs`` is float64 (updates, columns), what the columns are multiplied by.
    """
    return rounded_by(inputs.T @ inputs / len(inputs), weights, bits)


def rounded_by(gram: np.ndarray, weights: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """As `rounded_rows`. ``gram`` has the mean products of what the columns are multiplied by."""
    size = np.diag(gram)
    gram = gram + np.diag(OWN * size + EVEN * size.mean() + np.finfo(float).tiny)

    def work(row: np.ndarray) -> tuple[float, np.ndarray]:
        used, integers = np.flatnonzero(row), np.zeros(len(row), np.int64)
        if not len(used):
            return 1.0, integers
        scale, integers[used] = closest_integers(
            gram[np.ix_(used, used)], row[used], np.full(len(used), float(largest_weight(bits))))
        return scale, integers

    scale, integers = zip(*each_neuron(work, weights, "rounding weights"), strict=True)
    return np.array(scale), np.array(integers)


def units_of(scale: np.ndarray, integers: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """``scale`` of each row, and for a row without weights one in which ``peak`` is ``LONE``.

    ``peak`` has the largest of the other numbers in this unit, such as the bias.
    """
    return np.where(integers.any(axis=1) | (peak == 0), scale, peak / LONE)


def whole(numbers: np.ndarray) -> np.ndarray:
    """Nearest integers. Those that are far too large for a model stay so."""
    return round_half_up(np.clip(numbers, -FAR, FAR))


def thresholds_of(layer: Leaky, lsb: np.ndarray) -> np.ndarray:
    """The thresholds of a layer in units of ``lsb``, rounded down."""
    return np.minimum(np.floor(layer.threshold / lsb), MOST_THRESHOLD).astype(np.int64)


def window_projections(window: Sum | Window, target: str) -> list[IntegerProjection]:
    """A projection for each part of the window, in the order of its parts, without weights."""
    enters = {look.enters: look.delay for look in window.looks}
    leaves = {look.leaves: look.delay for look in window.looks}
    return [IntegerProjection(source=INPUT, target=target, delay=enters[part], until=leaves[part],
                              bits=0, weights=np.zeros((0, 0), np.int64))
            for part in range(window.outputs // window.channels)]


def _start(window: Sum | Window) -> dict[str, int]:
    """What the model does while its window fills."""
    if isinstance(window, Sum):
        return {"silent_steps": window.width - 1}
    return {"fill_steps": window.rows - 1}


def value_unit(values: np.ndarray, bits: int, margin: float) -> float:
    """LSB of ``values``, which are 0 or more, so that they fit ``bits``, ``margin`` times."""
    return (float(values.max()) or 1.0) * margin / largest_weight(bits)


def factors_of(ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``ratio``, which is 0 or more, as whole numbers over powers of two, and these powers.

    The shifts are the smallest of the population plus multiples of ``STRIDE``, so that there are
    few of them, and that a factor keeps 8 bits or more.
    """
    low, high = SHIFT_LIMITS
    exponent = FACTOR_BITS - np.frexp(ratio)[1]         # the most with which the factor fits
    least = int(np.clip(exponent[ratio > 0].min(initial=high), low, high))
    shift = least + (np.clip(exponent, least, high) - least) // STRIDE * STRIDE
    factor = round_half_up(ratio * 2.0 ** shift)
    return np.minimum(factor, (1 << FACTOR_BITS) - 1), shift.astype(np.int64)


def _narrowed(populations: list[GradedPopulation], projections: list[IntegerProjection], *,
              weight_bits: int, **facts: Any) -> IntegerModel:
    """The integer model with the fewest bits of a sum that no input can fill."""
    widest = Widths(weight=weight_bits, current=32, membrane=32, fraction=0)
    model = IntegerModel(populations=tuple(populations), projections=tuple(projections),
                         widths=widest, **facts)
    peak = max(largest_sum(model, population) for population in populations)
    bits = max(peak.bit_length() + 1, WIDTH_LIMITS["current"][0], weight_bits)
    return replace(model, widths=replace(widest, current=bits, membrane=bits))
