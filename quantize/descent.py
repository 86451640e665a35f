# SPDX-License-Identifier: Apache-2.0
"""The search for the scale and the integers that are closest to the weights of one neuron."""

import numpy as np

from spikewright.base.cache import compiled

from .gram import MANY

__all__ = ["closest_integers"]

# Factors of the scale at which the largest weight becomes the largest integer. Near 1, each scale
# puts other weights near an integer by chance. Far below 1, a few weights are clipped, and all
# others get a finer grid.
SCALES = (*np.geomspace(1.1, 0.9, 61).tolist(), *np.geomspace(0.88, 0.5, 16).tolist())
SWEEPS = 50
EVERY  = 4      # with more than MANY synapses, only every fourth scale is tried


def closest_integers(gram: np.ndarray, weights: np.ndarray,
                     largest: np.ndarray) -> tuple[float, np.ndarray]:
    """Scale and integers with the smallest error found.

    The error is ``r' gram r``, with ``r = weights - scale * integers``. For each of ``SCALES``, the
    search begins at the nearest integers and descends, changing one integer at a time. It then
    takes the best scale for these integers, and descends again.

    Parameters
    ----------
    gram : ndarray of float64, shape (synapses, synapses)
        Symmetric.
    weights : ndarray of float64, shape (synapses,)
        No weight is 0.
    largest : ndarray of float64, shape (synapses,)
        Each integer is from ``-largest - 1`` to ``largest``.

    Returns
    -------
    scale : float
    integers : ndarray of int64, shape (synapses,)
    """
    whole = (np.abs(weights) / largest).max()
    best, kept, integers = np.inf, whole, np.zeros(len(weights))
    for factor in SCALES[::EVERY] if len(weights) > MANY else SCALES:
        scale = whole * factor
        q = np.clip(np.floor(weights / scale + 0.5), -largest - 1, largest)
        for _ in range(2):
            _descend(gram, gram @ (weights / scale - q), q, largest, SWEEPS)
            slope = gram @ q
            product = weights @ slope
            if product <= 0:
                break
            scale = product / (q @ slope)
        rest = weights - q * scale
        error = rest @ gram @ rest
        if error < best:
            best, kept, integers = error, scale, q
    return float(kept), integers.astype(np.int64)


@compiled(nogil=True)
def _descend(gram, slope, q, high, sweeps):
    """Move one integer of ``q`` at a time to the smallest error, until none moves.

    There are at most ``sweeps`` passes over ``q``. ``slope``, float64 (synapses,), is ``gram``
    times the rest of the weights in units of the scale. ``high``, float64 (synapses,), is the
    largest integer of each synapse.
    """
    for _ in range(sweeps):
        moved = False
        for j in range(len(q)):
            most = high[j]
            step = min(max(q[j] + np.floor(slope[j] / gram[j, j] + 0.5), -most - 1), most) - q[j]
            if step != 0:
                q[j] += step
                moved = True
                for i in range(len(q)):
                    slope[i] -= gram[j, i] * step
        if not moved:
            return
