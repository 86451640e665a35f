# SPDX-License-Identifier: Apache-2.0
"""Stages over time: convolutions, pools, and lines between keypoints."""

from dataclasses import dataclass

import numpy as np

from .series import Series

__all__ = ["Convolution", "Line", "Pool"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution:
    """A convolution over the latest updates, from zeros at the start.

    The value of an update is ``bias + sum over j of weights[j] @ x[j]``. x[taps - 1] has the values
    that come with the update, and x[j] those of the update ``taps - 1 - j`` before.

    Parameters
    ----------
    name : str
    weights : ndarray of float64, shape (taps, outputs, inputs)
    bias : ndarray of float64, shape (outputs,)
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray

    @property
    def taps(self) -> int:
        return self.weights.shape[0]

    @property
    def inputs(self) -> int:
        return self.weights.shape[2]

    @property
    def outputs(self) -> int:
        return self.weights.shape[1]

    def run(self, series: Series) -> Series:
        values = np.tile(self.bias, (len(series.values), 1))
        for ago, weights in enumerate(self.weights[::-1][:len(values)]):
            values[ago:] += series.values[:len(values) - ago] @ weights.T
        return series.after(values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """The largest of each ``width`` successive updates. It comes with the last of them.

    Parameters
    ----------
    name : str
    width : int
    before : ndarray of float64, shape (phase, size)
        Values that count as updates before the first one. The phase of the pool, from 0 to
        ``width - 1``, is how many there are. In phase 0, the first pool begins at the first update.
    """

    name: str
    width: int
    before: np.ndarray

    @property
    def phase(self) -> int:
        return len(self.before)

    @property
    def inputs(self) -> int:
        return self.before.shape[1]

    @property
    def outputs(self) -> int:
        return self.before.shape[1]

    def __post_init__(self) -> None:
        if not 0 <= self.phase < self.width:
            raise ValueError(f"Stage {self.name} phase must be from 0 to {self.width - 1}, not "
                             f"{self.phase}")

    def run(self, series: Series) -> Series:
        values = np.concatenate([self.before, series.values])
        pools = len(values) // self.width
        last = self.width * np.arange(1, pools + 1) - 1 - self.phase
        values = values[:pools * self.width].reshape(pools, self.width, self.outputs)
        return series.after(values.max(axis=1), step=series.step[last])


@dataclass(frozen=True, kw_only=True)
class Line:
    """Straight lines between keypoints, which come every ``steps`` steps.

    With a keypoint, the line to it from the keypoint before begins: the value of the step is
    ``1 / steps`` of the way, and the keypoint is reached ``steps - 1`` steps later. The first line
    begins at 0.

    Parameters
    ----------
    name : str
    size, steps : int
    """

    name: str
    size: int
    steps: int

    @property
    def inputs(self) -> int:
        return self.size

    @property
    def outputs(self) -> int:
        return self.size

    def run(self, series: Series) -> Series:
        keys = series.values
        before = np.concatenate([np.zeros((1, self.size)), keys[:-1]])[:len(keys), None]
        part = np.arange(1, self.steps + 1)[:, None] / self.steps
        step = (series.step[:, None] + np.arange(self.steps)).ravel()
        values = (before + part * (keys[:, None] - before)).reshape(-1, self.size)
        inside = step < series.steps
        return series.after(values[inside], step=step[inside])
