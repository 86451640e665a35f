# SPDX-License-Identifier: Apache-2.0
"""Quantization: an integer model from rounded weights and a float network.

`rounding` chooses the scale ``sigma`` and the integers of each neuron, and `decays` its decays. The
threshold follows::

    threshold = floor(threshold / sigma * 2**fraction)     m > threshold stays exact for integer m
    threshold = ceil(threshold / sigma * 2**fraction) - 1  if the neuron fires at m >= threshold

Some neurons have only weights far below their threshold. The integer threshold of such a neuron
would exceed half of the range of m. The neuron therefore gets a coarser scale and nearest integers.
The fraction bits of all other neurons can then stay.
"""

import dataclasses

import numpy as np

from spikewright.model.integers import IntegerPopulation, IntegerProjection, Widths, largest_weight
from spikewright.model.model import IntegerModel
from spikewright.network.network import Network, Population, Projection

from .decays import Decays, round_decays
from .rounding import Rounded, round_half_up

__all__ = ["quantize", "with_states"]


def quantize(network: Network, rounded: Rounded, widths: Widths, name: str,
             decays: dict[str, Decays] | None = None) -> IntegerModel:
    """The integer model of ``network``, called ``name``, with its weights ``rounded``.

    ``widths`` has the number formats, and ``decays`` the rounded decays of each population. By
    default, a decay becomes the nearest integer.
    """
    room = widths.largest_membrane / 2 / (1 << widths.fraction)
    sigma = {name: np.maximum(scale, np.abs(network.population(name).threshold) / room)
             if network.population(name).spiking else scale
             for name, scale in rounded.scale.items()}
    projections = tuple(
        IntegerProjection(source=p.source, target=p.target, delay=p.delay, bits=bits, shift=shift,
                          weights=np.where(sigma[p.target] > rounded.scale[p.target],
                                           _coarse(p, sigma[p.target], bits, shift), weights))
        for p, weights, bits, shift in zip(network.projections, rounded.weights, rounded.bits,
                                           rounded.shift, strict=True))
    decays = decays or round_decays(network, widths.decay)
    populations = tuple(_population(p, sigma[p.name], decays[p.name], widths)
                        for p in network.populations)
    outputs = np.concatenate([sigma[p.name] for p in network.populations if not p.spiking])
    return IntegerModel(
        name=name, dt=network.dt, widths=widths, channels=network.channels,
        channel_row=np.arange(network.channels), populations=populations, projections=projections,
        readout=network.readout * (outputs / (1 << widths.fraction)),
        lead_steps=network.lead_steps, offset=network.offset)


def with_states(model: IntegerModel, current: int, membrane: int) -> IntegerModel:
    """``model`` with ``current`` bits for s and ``membrane`` bits for m. LSBs stay the same.

    A width is at least 8 bits. s has at least the bits of one weight, and m at least those of s.
    """
    widths = model.widths
    weight = max(p.bits + p.shift for p in model.projections)
    current = max(current, 8, weight + widths.fraction)
    widths = dataclasses.replace(widths, current=current, membrane=max(membrane, current))
    # m cannot exceed its largest value, so a larger threshold has the same effect.
    most = widths.largest_membrane
    populations = tuple(
        dataclasses.replace(p, threshold=np.clip(p.threshold, -most - 1, most) if p.spiking
                            else np.full(p.neurons, most))
        for p in model.populations)
    return dataclasses.replace(model, widths=widths, populations=populations)


def _coarse(projection: Projection, sigma: np.ndarray, bits: int, shift: int) -> np.ndarray:
    largest = largest_weight(bits)
    return np.clip(round_half_up(projection.weights / sigma / (1 << shift)), -largest - 1, largest)


def _population(population: Population, sigma: np.ndarray, decays: Decays,
                widths: Widths) -> IntegerPopulation:
    if population.spiking:
        exact = population.threshold / sigma * (1 << widths.fraction)
        # For an integer m, m >= threshold is m > ceil(threshold) - 1.
        threshold = np.ceil(exact) - 1 if population.at_least else np.floor(exact)
    else:
        threshold = np.full(population.neurons, float(widths.largest_membrane))
    return IntegerPopulation(
        name=population.name, spiking=population.spiking, size=population.neurons,
        kept=np.arange(population.neurons), threshold=threshold.astype(np.int64),
        synaptic_decay=decays.synaptic, membrane_decay=decays.membrane,
        reset=population.reset if population.spiking else "zero_lose")
