# SPDX-License-Identifier: Apache-2.0
"""The settings of the recipes."""

from dataclasses import dataclass

__all__ = ["LIMITS", "Recipe", "Tuning"]

#: Lowest and highest value that a user may choose.
LIMITS = {"hidden": (1, 1024), "epochs": (1, 100_000), "seed": (0, 2**31 - 1)}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the training. Times in seconds, rates in spikes per second of a hidden unit.

    An epoch is a set of windows at random positions; together they are as long as the part that
    the network learns from. The learning rate falls as a half cosine. Between 40 and 75 % of the
    batches, the network is pruned in steps. The rest fine-tunes it.
    """
    hidden: int = 64
    epochs: int = 400
    seed: int = 0
    window: float = 2.0
    settle: float = 0.25                # first part of a window; it does not count within a trial
    batch: int = 64
    validation: float = 0.1             # last part of the recording, which chooses the best batch
    learning_rate: float = 1e-2
    dropout: float = 0.1                # share of input spikes that is left out
    sparsity: float = 0.45              # part of each weight matrix that is pruned
    device: str = "cpu"                 # or cuda: a GPU
    compiled: bool = True               # compiled steps; those in torch take twice the time, and
                                        # round a little differently. A GPU has only those in torch
    lowest: float = 0.5                 # rate that no unit should fall below
    highest: float = 4.0                # rate that the mean of the units should stay below in steps
                                        # of at most 4 ms; it grows with the root of longer steps

    def __post_init__(self):
        _check_limits(self)


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Settings of the fine-tuning. Times in seconds, rates in spikes per second of a unit.

    An epoch is one pass over the recording. The learning rate falls as a half cosine.
    """
    epochs: int = 20
    seed: int = 0
    window: float = 1.0                 # longest time over which gradients reach back
    batch: int = 64
    learning_rate: float = 5e-3         # relative to the largest weight
    noise: float = 0.1                  # share of input events left out; as many are doubled
    lowest: float = 0.5                 # rate that no unit should fall below

    def __post_init__(self):
        _check_limits(self)


def _check_limits(recipe: Recipe | Tuning) -> None:
    for name in LIMITS.keys() & vars(recipe).keys():
        low, high = LIMITS[name]
        value = getattr(recipe, name)
        if not low <= value <= high:
            raise ValueError(f"Training {name} must be between {low} and {high}, not {value!r}")
