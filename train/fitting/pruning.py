# SPDX-License-Identifier: Apache-2.0
"""Weights that become 0 in the course of the training."""

import math

import numpy as np
import torch
from torch import Tensor

from .model import TinyRSNN

__all__ = ["PRUNING", "apply_masks", "prune", "sparsity_at", "trimmed"]

PRUNING = 0.4, 0.75         # parts of the batches between which the network is pruned


def prune(model: TinyRSNN, sparsity: float) -> list[tuple[Tensor, Tensor]]:
    """Weight matrices and the masks that keep their largest weights; the parts are rounded down."""
    pruned = []
    for weight in model.matrices():
        mask = torch.ones_like(weight, dtype=torch.bool)
        mask.flatten()[_smallest(weight, int(sparsity * weight.numel()))] = False
        pruned.append((weight, mask))
    return pruned


def _smallest(weight: Tensor, count: int) -> Tensor:
    """Places of the ``count`` weights of the smallest size."""
    return weight.detach().abs().flatten().argsort(stable=True)[:count]


def sparsity_at(done: float, final: float) -> float:
    """Part of the weights that is pruned when a part ``done`` of the batches is done.

    It grows in tenths, fast at first, as the weights that matter least go first (Zhu and Gupta,
    "To prune, or not to prune", 2017).
    """
    steps = np.floor(np.clip((done - PRUNING[0]) / (PRUNING[1] - PRUNING[0]), 0, 1) * 10)
    return float(final * (1 - (1 - steps / 10) ** 3))


def trimmed(model: TinyRSNN, sparsity: float) -> TinyRSNN:
    """``model`` with at least the part ``sparsity`` of each matrix 0; training rounds it down."""
    for weight in model.matrices():
        weight.data.flatten()[_smallest(weight, math.ceil(sparsity * weight.numel()))] = 0
    return model


def apply_masks(masks: list[tuple[Tensor, Tensor]]) -> None:
    for weight, mask in masks:
        weight.data *= mask
