# SPDX-License-Identifier: Apache-2.0
"""The settings of the training of graded networks."""

from dataclasses import dataclass

from ..fitting.recipe import LIMITS

__all__ = ["GRADED", "GradedRecipe"]

#: Networks that can be trained, and how many passes over the recording each needs.
GRADED = {"ann": 10, "ann_flat": 5, "snn_flat": 5, "srtnet": 40}


@dataclass(frozen=True, kw_only=True)
class GradedRecipe:
    """Settings of the training.

    In an epoch, each step is once the last one of a window. For the hybrid network, an epoch is a
    set of windows at random positions that are together as long as the recording, or longer for a
    short one.
    """
    network: str
    epochs: int
    seed: int = 0
    validation: float = 0.1             # last part of the recording, which chooses the best epoch
    learning_rate: float = 3e-3

    def __post_init__(self):
        if self.network not in GRADED:
            raise ValueError(f"Training network must be one of {', '.join(GRADED)}, not "
                             f"{self.network!r}")
        for name in ("epochs", "seed"):
            low, high = LIMITS[name]
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"Training {name} must be between {low} and {high}, not "
                                 f"{getattr(self, name)!r}")
