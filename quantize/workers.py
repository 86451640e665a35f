# SPDX-License-Identifier: Apache-2.0
"""Work on one neuron at a time, spread over the processors."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits
from tqdm import tqdm

__all__ = ["each_neuron"]

# Bytes for all neurons that are worked on at the same time.
MEMORY = 2 << 30

Item = TypeVar("Item")
Result = TypeVar("Result")


def each_neuron(work: Callable[[Item], Result], items: Iterable[Item], title: str,
                memory: Callable[[Item], int] = lambda item: 0) -> list[Result]:
    """Results of ``work``, in the order of ``items``.

    Each processor works on one item at a time. If that would need more than ``MEMORY``, fewer items
    are worked on at the same time. ``memory`` gives the bytes for the work on an item. Only code in
    NumPy and Numba runs at the same time. A terminal shows the progress and the time left.
    """
    items = list(items)
    workers = _workers(max(map(memory, items), default=0))
    # The linear algebra of one neuron is too small for several processors.
    with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as pool:
        return list(tqdm(pool.map(work, items), total=len(items), desc=title, unit="neuron",
                         delay=1, disable=None, leave=False))


def _workers(memory: int) -> int:
    """How many items to work on at the same time, if one needs ``memory`` bytes."""
    processors = len(os.sched_getaffinity(0))
    return max(min(processors, MEMORY // max(memory, 1)), 1)
