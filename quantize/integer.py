# SPDX-License-Identifier: Apache-2.0
"""Quantization: rounded weights and a float network to the integer model.

Per neuron, with the scale ``sigma`` and the integers that `rounding` chose::

    threshold = floor(threshold / sigma * 2**fraction)     m > threshold stays exact for integer m
    decay     = round_half_up(decay * 2**d), at most 2**d - 1

A neuron that training has starved has weights far below its threshold, which would then be beyond
half of the membrane's range. It gets a coarser scale, and nearest integers, rather than all neurons
fewer fraction bits.
"""

import numpy as np

from .model import IntegerModel, IntegerPopulation, IntegerProjection, Widths
from .network import Network, Population
from .rounding import Rounded, round_half_up

__all__ = ["quantize"]


def quantize(network: Network, rounded: Rounded, widths: Widths, name: str) -> IntegerModel:
    """Put ``rounded`` weights of ``network`` into a model with ``widths``."""
    room = _highest(widths) / 2 / (1 << widths.fraction)
    sigma = {name: np.maximum(scale, network.population(name).threshold / room)
             if network.population(name).spiking else scale
             for name, scale in rounded.scale.items()}
    projections = tuple(
        IntegerProjection(source=p.source, target=p.target, delay=p.delay, shift=shift,
                          weights=np.where(sigma[p.target] > rounded.scale[p.target],
                                           _coarse(p.weights, sigma[p.target], shift, widths),
                                           weights))
        for p, weights, shift in zip(network.projections, rounded.weights, rounded.shift,
                                     strict=True))
    populations = tuple(_population(p, sigma[p.name], widths) for p in network.populations)
    outputs = np.concatenate([sigma[p.name] for p in network.populations if not p.spiking])
    return IntegerModel(
        name=name, dt=network.dt, widths=widths, channels=network.channels,
        channel_row=np.arange(network.channels), populations=populations, projections=projections,
        output_scale=outputs / (1 << widths.fraction), lead_steps=network.lead_steps)


def _coarse(weights: np.ndarray, sigma: np.ndarray, shift: int, widths: Widths) -> np.ndarray:
    largest = (1 << widths.weight - 1) - 1
    return np.clip(round_half_up(weights / sigma / (1 << shift)), -largest - 1, largest)


def _population(population: Population, sigma: np.ndarray, widths: Widths) -> IntegerPopulation:
    if population.spiking:
        threshold = np.floor(population.threshold / sigma * (1 << widths.fraction))
    else:
        threshold = np.full(population.neurons, float(_highest(widths)))
    return IntegerPopulation(
        name=population.name, spiking=population.spiking, size=population.neurons,
        kept=np.arange(population.neurons), threshold=threshold.astype(np.int64),
        synaptic_decay=_decay(population.synaptic_decay, widths),
        membrane_decay=_decay(population.membrane_decay, widths))


def _highest(widths: Widths) -> int:
    return (1 << widths.membrane - 1) - 1


def _decay(decay: np.ndarray, widths: Widths) -> np.ndarray:
    # With long steps a decay may be all but 0; as 1 it still has a time constant to tell.
    one = 1 << widths.decay
    return np.clip(round_half_up(decay * one), 1, one - 1)
