# SPDX-License-Identifier: Apache-2.0
"""Quantization: a float network to the integer model, without data.

Per target neuron i::

    sigma     = largest incoming weight / largest integer  (more, if the threshold would be beyond
                                                            half of the membrane's range)
    weight    = round_half_up(w / sigma)
    threshold = floor(threshold / sigma * 2**fraction)     m > threshold stays exact for integer m
    decay     = round_half_up(decay * 2**d), at most 2**d - 1

Rounding is half-up everywhere: floor(x + 0.5), so 2.5 -> 3, -2.5 -> -2, -0.5 -> 0.
"""

import numpy as np

from .model import IntegerModel, IntegerPopulation, IntegerProjection, Widths
from .network import Network, Population

__all__ = ["quantize", "round_half_up", "scales"]


def round_half_up(x: np.ndarray) -> np.ndarray:
    """Nearest integer, ties towards +inf, as int64."""
    return np.floor(np.asarray(x) + 0.5).astype(np.int64)


def scales(network: Network, weight_bits: int) -> dict[str, np.ndarray]:
    """Scale of every neuron: units of m per weight LSB, float64 of shape (neurons,) each."""
    largest = (1 << weight_bits - 1) - 1
    result = {}
    for population in network.populations:
        peak = np.zeros(population.neurons)
        for projection in network.projections:
            if projection.target == population.name:
                peak = np.maximum(peak, np.abs(projection.weights).max(axis=0, initial=0.0))
        # A neuron that nothing reaches keeps the unit scale: any would do.
        result[population.name] = np.where(peak > 0, peak, largest) / largest
    return result


def quantize(network: Network, widths: Widths, name: str) -> IntegerModel:
    """Round ``network`` to integers of ``widths``.

    Raises
    ------
    ValueError
        If a decay rounds to 0.
    """
    # A neuron that training has starved has weights far below its threshold: it keeps fewer of
    # their bits, rather than all neurons fewer fraction bits.
    room = _highest(widths) / 2 / (1 << widths.fraction)
    sigma = {name: np.maximum(scale, network.population(name).threshold / room)
             if network.population(name).spiking else scale
             for name, scale in scales(network, widths.weight).items()}
    projections = tuple(
        IntegerProjection(source=p.source, target=p.target, delay=p.delay,
                          weights=round_half_up(p.weights / sigma[p.target]))
        for p in network.projections)
    populations = tuple(_population(p, sigma[p.name], widths) for p in network.populations)
    outputs = np.concatenate([sigma[p.name] for p in network.populations if not p.spiking])
    return IntegerModel(
        name=name, dt=network.dt, widths=widths, channels=network.channels,
        channel_row=np.arange(network.channels), populations=populations, projections=projections,
        output_scale=outputs / (1 << widths.fraction), lead_steps=network.lead_steps)


def _population(population: Population, sigma: np.ndarray, widths: Widths) -> IntegerPopulation:
    if population.spiking:
        threshold = np.floor(population.threshold / sigma * (1 << widths.fraction))
    else:
        threshold = np.full(population.neurons, float(_highest(widths)))
    return IntegerPopulation(
        name=population.name, spiking=population.spiking, size=population.neurons,
        kept=np.arange(population.neurons), threshold=threshold.astype(np.int64),
        synaptic_decay=_decay(population.synaptic_decay, "synaptic", population.name, widths),
        membrane_decay=_decay(population.membrane_decay, "membrane", population.name, widths))


def _highest(widths: Widths) -> int:
    return (1 << widths.membrane - 1) - 1


def _decay(decay: np.ndarray, kind: str, name: str, widths: Widths) -> np.ndarray:
    one = 1 << widths.decay
    rounded = np.minimum(round_half_up(decay * one), one - 1)
    bad = np.flatnonzero(rounded < 1)
    if len(bad):
        raise ValueError(f"{name} {kind} decay of neuron {int(bad[0])} must be at least "
                         f"{1 / one:.2g} with {widths.decay} bits, not {decay[bad[0]]:.2g}")
    return rounded
