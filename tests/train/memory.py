# SPDX-License-Identifier: Apache-2.0
"""How much memory a decoder takes, and how much more for a longer recording."""

import tracemalloc
from collections.abc import Callable

import numpy as np

from spikewright.network.recording import Recording

STEPS = 10_000, 40_000          # more than a chunk


def bytes_a_step(work: Callable[[Recording], object], channels: int) -> float:
    """Bytes that NumPy has for each further step while ``work`` decodes a recording.

    The recording has an event in each step.
    """
    rng, most = np.random.default_rng(1), max(STEPS)
    recording = Recording(name="long", channel=rng.integers(channels, size=most),
                          start=np.arange(most + 1), channels=channels, dt=0.004,
                          reset=np.zeros(most, bool), velocity=rng.normal(size=(most, 2)))
    peaks = []
    for steps in STEPS:
        part = recording.head(steps)
        tracemalloc.start()
        try:
            work(part)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return (peaks[1] - peaks[0]) / (STEPS[1] - STEPS[0])
