# SPDX-License-Identifier: Apache-2.0
"""The steps of a network in torch: what the compiled loops compute, on any device."""

import torch
from torch import Tensor
from torch.nn.functional import linear

__all__ = ["STEEP", "Spike", "loop_steps"]

STEEP = 10.0            # of the surrogate gradient


class Spike(torch.autograd.Function):
    """Strict Heaviside step. Its gradient is the SuperSpike surrogate ``1 / (1 + steep |x|)^2``.

    Zenke and Ganguli, "SuperSpike", Neural Computation 30 (2018).
    """
    @staticmethod
    def forward(ctx, x, steep=STEEP):
        ctx.save_for_backward(x)
        ctx.steep = steep
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        return grad / (1 + ctx.steep * x.abs()).square(), None


def loop_steps(current: Tensor, recurrent: Tensor, readout: Tensor, decays: tuple[Tensor, ...], *,
               steep: float = STEEP, sent: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What `kernel.run_steps` gives: one step after the other, all right-hand sides old."""
    a, b, ra, rb = decays
    syn = torch.zeros_like(current[0])
    mem, z, late = syn, syn, syn
    hidden, through = [], []
    for t, step in enumerate(current):
        fired = Spike.apply(mem - 1, steep)
        mem   = (b * mem + (1 - b) * syn) * (1 - fired.detach())
        syn   = a * syn + late + linear(z, recurrent)
        z, late = fired if sent is None else fired * sent[t], step
        hidden.append(fired)
        through.append(z)

    driven = linear(torch.stack(through), readout)
    rsyn   = torch.zeros_like(driven[0])
    rmem, late, output = rsyn, rsyn, []
    for step in driven:
        rmem = rb * rmem + (1 - rb) * rsyn
        rsyn, late = ra * rsyn + late, step
        output.append(rmem)
    return torch.stack(output), torch.stack(hidden)
