# SPDX-License-Identifier: Apache-2.0
"""How well outputs agree with one another, and with what the subject did."""

import numpy as np

__all__ = ["correlation", "known", "published_time", "r_squared", "spike_agreement", "unit_scale"]


def known(wanted: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps at which ``wanted`` is known on every axis; one step of zeros where none is."""
    where = ~np.isnan(wanted).any(axis=1)
    return (wanted[where], given[where]) if where.any() else (0 * given[:1], 0 * given[:1])


def r_squared(wanted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Share of the variance of ``wanted`` that ``given`` explains, per axis; 1 is perfect.

    Parameters
    ----------
    wanted, given : ndarray of float, shape (steps, axes)
        Steps where ``wanted`` is NaN do not count.

    Returns
    -------
    ndarray of float64, shape (axes,)
        NaN for an axis on which ``wanted`` never changes.
    """
    wanted, given = known(wanted, given)
    spread = ((wanted - wanted.mean(axis=0)) ** 2).sum(axis=0)
    error = ((wanted - given) ** 2).sum(axis=0)
    return 1 - np.divide(error, spread, out=np.full(len(spread), np.nan), where=spread > 0)


def correlation(wanted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Pearson correlation per axis, float64; NaN for an axis on which either never changes.

    Steps where ``wanted`` is NaN do not count.
    """
    wanted, given = known(wanted, given)
    a, b = wanted - wanted.mean(axis=0), given - given.mean(axis=0)
    norm = np.sqrt((a ** 2).sum(axis=0) * (b ** 2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def spike_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Spikes that both runs have at the same neuron and step, as a share of the spikes of a run.

    ``2 |first and second| / (|first| + |second|)``: 1 where all agree, or where neither has any.
    Silence that agrees counts for nothing: there is too much of it.

    Parameters
    ----------
    first, second : ndarray of bool, shape (steps, neurons)
    """
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def published_time(output: np.ndarray, lead_steps: int, reset: np.ndarray) -> np.ndarray:
    """Outputs at the steps at which the published model would give them.

    Retimed outputs come ``lead_steps`` early. Delayed by that, and never across a reset, they are
    the published ones; the first ``lead_steps`` after a reset are 0, as there.

    Parameters
    ----------
    output : ndarray, shape (steps, outputs)
    lead_steps : int
    reset : ndarray of bool, shape (steps,)
        Where the state was cleared before the step.
    """
    delayed = np.zeros_like(output)
    bounds = np.unique([0, *np.flatnonzero(reset), len(output)])
    for first, end in zip(bounds[:-1], bounds[1:], strict=True):
        start = min(first + lead_steps, end)
        delayed[start:end] = output[first:first + end - start]
    return delayed


def unit_scale(wanted: np.ndarray, given: np.ndarray) -> float:
    """Power of ten that brings ``given`` to the units of ``wanted``, such as 1000 from m to mm.

    A network answers in the units that it was trained in, a recording may use others; 1 where
    either never changes. Steps where ``wanted`` is NaN do not count.
    """
    wanted, given = known(wanted, given)
    ratio = float(wanted.std()), float(given.std())
    return 10.0 ** round(np.log10(ratio[0] / ratio[1])) if min(ratio) > 0 else 1.0
