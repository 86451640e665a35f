# SPDX-License-Identifier: Apache-2.0
"""The optimiser of the published training code."""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["SMORMS3"]


class SMORMS3(torch.optim.Optimizer):
    """Steps as long as the gradients of the last steps agree, and at most the learning rate.

    One step of each parameter w with the gradient d, where g = g2 = 0 and m = 1 at first
    (S. Funk, "RMSprop loses to SMORMS3", 2015)::

        r  = 1 / (m + 1)
        g  = (1 - r) g  + r d
        g2 = (1 - r) g2 + r d^2
        x  = g^2 / (g2 + eps)
        m  = 1 + m (1 - x)
        w -= min(x, lr) d / (sqrt(g2) + eps)
    """
    def __init__(self, parameters: Iterable[Tensor], lr: float, eps: float = 1e-16):
        super().__init__(parameters, {"lr": lr, "eps": eps})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:       # type: ignore[override]
        """Change every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"], group["eps"])

    def _update(self, parameter: Tensor, grad: Tensor, lr: float, eps: float) -> None:
        state = self.state[parameter]
        if not state:
            state["m"] = torch.ones_like(parameter)
            state["g"], state["g2"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        rate = 1 / (state["m"] + 1)
        state["g"].lerp_(grad, rate)
        state["g2"].lerp_(grad.square(), rate)
        agreed = state["g"].square() / (state["g2"] + eps)
        state["m"].mul_(1 - agreed).add_(1)
        parameter.sub_(agreed.clamp(max=lr) * grad / (state["g2"].sqrt() + eps))
