# SPDX-License-Identifier: Apache-2.0
"""The first weights and time constants of a network."""

import numpy as np
import torch
from torch import Tensor

from spikewright.network.constants import DT
from spikewright.network.state_dicts.rsnn import KEYS

from .model import TinyRSNN

__all__ = ["energy", "initialise", "slow_down", "slowness"]


def slowness(dt: float) -> float:
    """Factor of times and of rates in spikes per second for steps of ``dt`` seconds."""
    return max(1.0, (dt / DT) ** 0.5)


def slow_down(model: TinyRSNN) -> None:
    """Begin with longer time constants than the published ones if steps are longer than 4 ms.

    Otherwise, a synapse would keep exp(-5) of its current after a step of 50 ms.
    """
    factor = slowness(model.dt)
    for key in KEYS:
        if "_param" in key:
            model.get_parameter(key).data.fill_(np.log(np.expm1(factor)))   # softplus gives it back


def energy(a: Tensor, b: Tensor) -> Tensor:
    """Sum of squares of the membrane of a unit after one spike of weight 1."""
    return (1 - b).square() * (1 + a * b) / ((1 - a * b) * (1 - a.square()) * (1 - b.square()))


def initialise(model: TinyRSNN, rate: float, generator: torch.Generator) -> None:
    """Draw weights such that membranes spread by 1 threshold, most of it from the input.

    This is the fluctuation-driven regime of Rossbroich et al., Neuromorph. Comput. Eng. 2 (2022).
    ``rate`` is in spikes per channel and step. Hidden units are assumed to fire 10 times a second.
    """
    a, b, ra, rb = model.decays()
    hidden = 10 * model.dt
    with torch.no_grad():
        for con, spikes, of_spike, variance in (
            (model.con1, rate,   energy(a, b),   0.9),
            (model.con2, hidden, energy(a, b),   0.1),
            (model.con3, hidden, energy(ra, rb), 0.25),
        ):
            weight = con.op.weight
            weight.normal_(generator=generator)
            weight *= (variance / (weight.shape[1] * spikes * of_spike)).sqrt()[:, None]
