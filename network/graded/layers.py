# SPDX-License-Identifier: Apache-2.0
"""Stages without memory: matrices, rectifiers and normalization."""

from dataclasses import dataclass

import numpy as np

from .series import Series

__all__ = ["Dense", "Normalize", "Rectify"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense:
    """A matrix and a bias: ``weights @ x + bias``.

    Parameters
    ----------
    name : str
    weights : ndarray of float64, shape (outputs, inputs)
    bias : ndarray of float64, shape (outputs,)
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray

    @property
    def inputs(self) -> int:
        return self.weights.shape[1]

    @property
    def outputs(self) -> int:
        return self.weights.shape[0]

    def run(self, series: Series) -> Series:
        return series.after(series.values @ self.weights.T + self.bias)


@dataclass(frozen=True, kw_only=True, eq=False)
class _EachUnit:
    """A stage with as many outputs as inputs, and a gain and an offset for each."""

    name: str
    gain: np.ndarray
    offset: np.ndarray

    @property
    def inputs(self) -> int:
        return len(self.gain)

    @property
    def outputs(self) -> int:
        return len(self.gain)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rectify(_EachUnit):
    """A rectifier, and batch normalization behind it: ``gain * max(x, 0) + offset``.

    Gain and offset are no part of the next weights. A unit that was silent in training has a gain
    of some hundreds, and one such column would take all of the few integers that a weight has.

    Parameters
    ----------
    name : str
    gain, offset : ndarray of float64, shape (outputs,)
    """

    def run(self, series: Series) -> Series:
        return series.after(self.gain * np.maximum(series.values, 0) + self.offset)


@dataclass(frozen=True, kw_only=True, eq=False)
class Normalize(_EachUnit):
    """Layer normalization: ``gain * (x - mean) / sqrt(variance + epsilon) + offset``.

    Mean and variance are those of all values of an update.

    Parameters
    ----------
    name : str
    gain, offset : ndarray of float64, shape (outputs,)
    epsilon : float
    """

    epsilon: float

    def run(self, series: Series) -> Series:
        x = series.values
        spread = np.sqrt(x.var(axis=1, keepdims=True) + self.epsilon)
        return series.after((x - x.mean(axis=1, keepdims=True)) / spread * self.gain + self.offset)
