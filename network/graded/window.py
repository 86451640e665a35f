# SPDX-License-Identifier: Apache-2.0
"""Counts of input events in windows that end now: the first stage of NeuroBench's networks."""

from dataclasses import dataclass

import numpy as np

from .series import Series

__all__ = ["Look", "Sum", "Window"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a sample of the input does to a full window when it is ``delay`` steps old.

    Parameters
    ----------
    delay : int
        Steps before the present one.
    enters, leaves : int or None
        The part of the window that it enters, and the part that it leaves.
    """

    delay: int
    enters: int | None
    leaves: int | None


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The sum of the last ``width`` steps, by channel.

    The first value comes when the window is full, in step ``width - 1``. The network's output
    before is 0.

    Parameters
    ----------
    name : str
    channels, width : int
    """

    name: str
    channels: int
    width: int

    @property
    def inputs(self) -> int:
        return self.channels

    @property
    def outputs(self) -> int:
        return self.channels

    @property
    def looks(self) -> tuple[Look, ...]:
        """The steps of the input that change the sum: added now, and taken away later."""
        return (Look(delay=0, enters=0, leaves=None), Look(delay=self.width, enters=None, leaves=0))

    def edges(self, steps: int) -> np.ndarray:
        """First and last step of each sum of a run, the last one excluded, int64 (updates, 2)."""
        return np.arange(max(0, steps - self.width + 1))[:, None] + (0, self.width)

    def run(self, series: Series) -> Series:
        """The sums of ``series``, the counts of every step."""
        return _summed(series, self.edges(series.steps), self.width - 1)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sums of ``parts`` neighbouring windows of ``width`` steps, by part and channel.

    Part 0 has the oldest steps. Value ``part * channels + channel`` is the sum of a channel in a
    part. The training code keeps a frame of ``rows`` rows, and never reads the last one: a sample
    counts one step late. The frame begins with one row of zeros. Until it is full, nothing in it
    moves, so that in a step t below ``rows - 1`` the new sample enters part ``(t + 1) // width``,
    if there is this part. From step ``rows - 1`` on, `looks` has all changes.

    Parameters
    ----------
    name : str
    channels, parts, width : int
    """

    name: str
    channels: int
    parts: int
    width: int

    @property
    def inputs(self) -> int:
        return self.channels

    @property
    def outputs(self) -> int:
        return self.parts * self.channels

    @property
    def rows(self) -> int:
        return self.parts * self.width + 1

    @property
    def looks(self) -> tuple[Look, ...]:
        """The steps of the input that change the sums once the frame is full."""
        last = self.parts - 1
        return tuple(Look(delay=1 + k * self.width, enters=last - k if k <= last else None,
                          leaves=last - k + 1 if k else None) for k in range(self.parts + 1))

    def edges(self, steps: int) -> np.ndarray:
        """Steps between which each part of each update sums, int64 (steps, parts + 1)."""
        now = np.arange(steps)[:, None]
        oldest = np.maximum(-1, now - self.rows + 1)        # row 0; -1 is the row of zeros
        return np.clip(oldest + self.width * np.arange(self.parts + 1), 0, now + 1)

    def run(self, series: Series) -> Series:
        """The sums of ``series``, the counts of every step."""
        return _summed(series, self.edges(series.steps), 0)


def _summed(series: Series, edges: np.ndarray, first: int) -> Series:
    """Sums of ``series`` between ``edges``. They come in every step from the ``first`` on."""
    total = np.concatenate([np.zeros_like(series.values[:1]), np.cumsum(series.values, axis=0)])
    sums = total[edges[:, 1:]] - total[edges[:, :-1]]
    return series.after(sums.reshape(len(edges), sums.shape[1] * sums.shape[2]),
                        step=first + np.arange(len(edges)))
