# SPDX-License-Identifier: Apache-2.0
"""Interval bounds of the states over every input: the widths that nothing can overflow."""

import numpy as np

from .model import IntegerModel
from .network import INPUT

__all__ = ["proven_bits"]


def proven_bits(model: IntegerModel, events_per_channel: int = 1) -> tuple[int, int]:
    """Bits of s and of m that hold every input of at most ``events_per_channel`` a step.

    A decay and its rounding give ``|rnd(D x)| <= D |x| / 2**d + 1/2``, so with the drive
    ``|events| <= E`` of one step the largest s obeys ``s <= (E + 1/2) / (1 - A / 2**d)``, and
    ``m <= (s + 1/2) / (1 - B / 2**d)``. A reset only makes m smaller.

    Returns
    -------
    current, membrane : int
        Bits, sign included.
    """
    unit = float(1 << model.widths.decay)
    s_peak = m_peak = 0.0
    # Several channels may share a row.
    channels = np.bincount(model.channel_row[model.channel_row >= 0], minlength=model.rows)
    for population in model.populations:
        drive = np.zeros(population.neurons)
        for projection in model.projections:
            if projection.target == population.name:
                spikes = (events_per_channel * channels if projection.source == INPUT
                          else np.ones(len(projection.weights), np.int64))
                drive += spikes @ np.abs(projection.weights << projection.shift)
        s = (drive * (1 << model.widths.fraction) + 0.5) / (1 - population.synaptic_decay / unit)
        m = (s + 0.5) / (1 - population.membrane_decay / unit)
        s_peak, m_peak = max(s_peak, s.max()), max(m_peak, m.max())
    return _bits(s_peak), _bits(m_peak)


def _bits(peak: float) -> int:
    return int(np.ceil(peak)).bit_length() + 1
