# SPDX-License-Identifier: Apache-2.0
"""Quantization: rounded weights and a float network to the integer model.

Per neuron, with the scale ``sigma`` and the integers that `rounding` chose::

    threshold = floor(threshold / sigma * 2**fraction)     m > threshold stays exact for integer m
    decay     = as `decays` rounds it

A neuron that training has starved has weights far below its threshold, which would then be beyond
half of the membrane's range. It gets a coarser scale, and nearest integers, rather than all neurons
fewer fraction bits.
"""

import dataclasses

import numpy as np

from spikewright.model.model import (
    IntegerModel,
    IntegerPopulation,
    IntegerProjection,
    Widths,
    largest_weight,
)
from spikewright.network.network import Network, Population, Projection

from .decays import Decays, round_decays
from .rounding import Rounded, round_half_up

__all__ = ["quantize", "with_states"]


def quantize(network: Network, rounded: Rounded, widths: Widths, name: str,
             decays: dict[str, Decays] | None = None) -> IntegerModel:
    """Put ``rounded`` weights of ``network`` into a model with ``widths``."""
    room = widths.largest_membrane / 2 / (1 << widths.fraction)
    sigma = {name: np.maximum(scale, network.population(name).threshold / room)
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
        lead_steps=network.lead_steps)


def with_states(model: IntegerModel, current: int, membrane: int) -> IntegerModel:
    """``model`` with states of other widths, in the same units: what they never exceed.

    Widths never fall below 8, below what a single weight needs, or of m below that of s.
    """
    widths = model.widths
    weight = max(p.bits + p.shift for p in model.projections)
    current = max(current, 8, weight + widths.fraction)
    widths = dataclasses.replace(widths, current=current, membrane=max(membrane, current))
    # A threshold beyond what m can reach is one that it never passes.
    most = widths.largest_membrane
    populations = tuple(
        dataclasses.replace(p, threshold=np.minimum(p.threshold, most) if p.spiking
                            else np.full(p.neurons, most))
        for p in model.populations)
    return dataclasses.replace(model, widths=widths, populations=populations)


def _coarse(projection: Projection, sigma: np.ndarray, bits: int, shift: int) -> np.ndarray:
    largest = largest_weight(bits)
    return np.clip(round_half_up(projection.weights / sigma / (1 << shift)), -largest - 1, largest)


def _population(population: Population, sigma: np.ndarray, decays: Decays,
                widths: Widths) -> IntegerPopulation:
    if population.spiking:
        threshold = np.floor(population.threshold / sigma * (1 << widths.fraction))
    else:
        threshold = np.full(population.neurons, float(widths.largest_membrane))
    return IntegerPopulation(
        name=population.name, spiking=population.spiking, size=population.neurons,
        kept=np.arange(population.neurons), threshold=threshold.astype(np.int64),
        synaptic_decay=decays.synaptic, membrane_decay=decays.membrane)
