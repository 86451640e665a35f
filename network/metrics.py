# SPDX-License-Identifier: Apache-2.0
"""Measures of how well two runs agree, and how well a run agrees with the subject's movement."""

import numpy as np

__all__ = ["correlation", "published_time", "r_squared", "spike_agreement", "unit_scale"]


def _known(wanted: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays at the steps at which ``wanted`` has no NaN, shape (steps, axes).

    If there is no such step, both have one step of zeros.
    """
    where = ~np.isnan(wanted).any(axis=1)
    return (wanted[where], given[where]) if where.any() else (0 * given[:1], 0 * given[:1])


def r_squared(wanted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """R2 of each axis: the share of the variance of ``wanted`` that ``given`` explains.

    1 is perfect.

    Parameters
    ----------
    wanted, given : ndarray of float, shape (steps, axes)
        Steps where ``wanted`` is NaN do not count.

    Returns
    -------
    ndarray of float64, shape (axes,)
        NaN for an axis on which ``wanted`` never changes.
    """
    wanted, given = _known(wanted, given)
    spread = ((wanted - wanted.mean(axis=0)) ** 2).sum(axis=0)
    error = ((wanted - given) ** 2).sum(axis=0)
    return 1 - np.divide(error, spread, out=np.full(len(spread), np.nan), where=spread > 0)


def correlation(wanted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Pearson correlation of each axis, float64 of shape (axes,).

    ``wanted`` and ``given`` are float of shape (steps, axes). Steps where ``wanted`` is NaN do not
    count. An axis on which ``wanted`` or ``given`` never changes has NaN.
    """
    wanted, given = _known(wanted, given)
    a, b = wanted - wanted.mean(axis=0), given - given.mean(axis=0)
    norm = np.sqrt((a ** 2).sum(axis=0) * (b ** 2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def spike_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the spikes that both runs have at the same neuron and step.

    It is ``2 |first and second| / (|first| + |second|)``. It is 1 if all spikes agree, or if there
    is no spike. Steps without a spike in either run do not count, because nearly all steps of a
    neuron are of this kind.

    Parameters
    ----------
    first, second : ndarray of bool, shape (steps, neurons)
    """
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def published_time(output: np.ndarray, lead_steps: int, reset: np.ndarray) -> np.ndarray:
    """Outputs at the steps at which the published model gives them.

    A retimed network gives its outputs ``lead_steps`` steps early. This function delays them by as
    many steps. No output crosses a reset: as in the published model, the outputs are 0 in the first
    ``lead_steps`` steps after a reset.

    Parameters
    ----------
    output : ndarray, shape (steps, outputs)
    lead_steps : int
    reset : ndarray of bool, shape (steps,)
        Whether the state was cleared before the step.
    """
    delayed = np.zeros_like(output)
    bounds = np.unique([0, *np.flatnonzero(reset), len(output)])
    for first, end in zip(bounds[:-1], bounds[1:], strict=True):
        start = min(first + lead_steps, end)
        delayed[start:end] = output[first:first + end - start]
    return delayed


def unit_scale(wanted: np.ndarray, given: np.ndarray) -> float:
    """Power of ten that converts ``given`` to the units of ``wanted``, such as 1000 from m to mm.

    A network gives outputs in the units of its training. A recording may have other units. Both
    arrays are float of shape (steps, axes). Steps where ``wanted`` is NaN do not count. If
    ``wanted`` or ``given`` never changes, the result is 1.
    """
    wanted, given = _known(wanted, given)
    ratio = float(wanted.std()), float(given.std())
    return 10.0 ** round(np.log10(ratio[0] / ratio[1])) if min(ratio) > 0 else 1.0
