# SPDX-License-Identifier: Apache-2.0
"""Counters of a live loop, in memory that never grows."""

import numpy as np

__all__ = ["Delays"]

# Seconds of a cell of the histogram, and cells. The last cell has all that is longer.
CELL, CELLS = 1e-5, 20_000


class Delays:
    """A histogram of delays, fine enough for percentiles."""

    def __init__(self) -> None:
        self._counts = np.zeros(CELLS, np.int64)
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Count a delay."""
        self._counts[min(max(int(seconds / CELL), 0), CELLS - 1)] += 1
        self.longest = max(self.longest, seconds)

    @property
    def number(self) -> int:
        """Delays that were counted."""
        return int(self._counts.sum())

    def percentile(self, percent: float) -> float:
        """Seconds that ``percent`` of the delays do not exceed, to 10 us; 0 if there are none."""
        if not self.number:
            return 0.0
        rank = np.ceil(percent / 100 * self.number)
        cell = int(np.searchsorted(np.cumsum(self._counts), max(rank, 1)))
        return min((cell + 1) * CELL, self.longest)

    def milliseconds(self) -> str:
        """What `report` gives, as text."""
        return ", ".join(f"{name} {value:.2f}" for name, value in self.report().items()) + " ms"

    def report(self) -> dict[str, float]:
        """The median, the 99th percentile and the longest, in milliseconds."""
        return {"p50": round(1e3 * self.percentile(50), 2),
                "p99": round(1e3 * self.percentile(99), 2), "most": round(1e3 * self.longest, 2)}
