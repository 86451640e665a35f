# SPDX-License-Identifier: Apache-2.0
"""The first weights and time constants of the published networks."""

import math
from collections.abc import Sequence

import torch

from spikewright.base.errors import InputError
from spikewright.network.constants import TAU_MEM, TAU_SYN

from ..fitting.initial import energy
from ..fitting.model import TinyRSNN
from .recipe import PublishedRecipe
from .sessions import ARRAY

__all__ = ["initialise"]


def initialise(model: TinyRSNN, recipe: PublishedRecipe, rates: Sequence[float],
               generator: torch.Generator) -> None:
    """Draw weights such that membranes spread by ``recipe.spread`` thresholds, as published.

    All neurons are taken to fire as the channels of the first array. Weights of a further array
    are divided by the ratio of its rate to that of the first.

    Parameters
    ----------
    model : TinyRSNN
    recipe : PublishedRecipe
    rates : sequence of float
        Mean rate in Hz of the channels of each array.
    generator : torch.Generator
    """
    if not all(rates):
        raise InputError(f"Sessions must have spikes in each array of {ARRAY} channels to train "
                         f"on, not mean rates of {', '.join(f'{rate:g} Hz' for rate in rates)}")
    a, b = (torch.tensor(-model.dt / tau, dtype=torch.float64).exp() for tau in (TAU_SYN, TAU_MEM))
    of_spike = rates[0] * float(energy(a, b)) * model.dt
    for key, parameter in model.named_parameters():
        if "param_readout" in key:
            parameter.data.fill_(1.0)
        elif "_param" in key:
            parameter.data.uniform_(generator=generator)
        else:
            parameter.data.normal_(generator=generator)
    into, recurrent, *heads = model.matrices()
    for weight, part in ((into, recipe.from_input), (recurrent, 1 - recipe.from_input)):
        weight.data *= recipe.spread * math.sqrt(part / (weight.shape[1] * of_spike))
    for number, rate in enumerate(rates):
        into.data[:, number * ARRAY:(number + 1) * ARRAY] /= rate / rates[0]
    for weight in heads:
        weight.data /= math.sqrt(weight.shape[1])
