# SPDX-License-Identifier: Apache-2.0
"""Values of a stage, with the steps in which they come."""

from dataclasses import dataclass, field, replace

import numpy as np

__all__ = ["Series"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """The values that a stage gives over a run.

    Parameters
    ----------
    steps : int
        Steps of the run.
    step : ndarray of int64, shape (updates,)
        The step in which each update comes, ascending.
    values : ndarray of float64, shape (updates, size)
    spikes : dict of str to ndarray of bool, shape (updates, columns)
        Spikes of the neurons of the stage, by name.
    dtype : type
        Floating-point format in which stages keep their values. Sums are wider.
    """

    steps: int
    step: np.ndarray
    values: np.ndarray
    spikes: dict[str, np.ndarray] = field(default_factory=dict)
    dtype: type = np.float64

    def after(self, values: np.ndarray, *, step: np.ndarray | None = None,
              spikes: dict[str, np.ndarray] | None = None) -> "Series":
        """Values of the next stage, float64 (updates, size). By default, in the same steps."""
        return replace(self, values=self.rounded(values), spikes=spikes or {},
                       step=self.step if step is None else step)

    def rounded(self, values: np.ndarray) -> np.ndarray:
        """``values`` as the format ``dtype`` keeps them, in float64."""
        return values.astype(self.dtype).astype(np.float64)

    def held(self) -> np.ndarray:
        """The latest values in each step, float64 (steps, size); 0 before the first update."""
        latest = np.searchsorted(self.step, np.arange(self.steps), side="right")
        return np.concatenate([np.zeros((1, self.values.shape[1])), self.values])[latest]
