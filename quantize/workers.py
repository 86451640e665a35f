# SPDX-License-Identifier: Apache-2.0
"""Work that each neuron needs by itself, shared among the processors."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits
from tqdm import tqdm

__all__ = ["each_neuron"]

# Bytes that the neurons in work at the same time may need together.
MEMORY = 2 << 30

Item, Result = TypeVar("Item"), TypeVar("Result")


def each_neuron(work: Callable[[Item], Result], items: Iterable[Item], title: str,
                memory: Callable[[Item], int] = lambda item: 0) -> list[Result]:
    """``work`` of each item, in the order of ``items``.

    NumPy's and Numba's parts of the work run at the same time, a neuron on each processor; on
    fewer where so many would need more than ``MEMORY``. ``memory`` gives the bytes that the work of
    an item needs. A terminal shows how far the work is, and the time left.
    """
    items = list(items)
    workers = _workers(max(map(memory, items), default=0))
    # The linear algebra of one neuron is too small to share.
    with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as pool:
        return list(tqdm(pool.map(work, items), total=len(items), desc=title, unit="neuron",
                         delay=1, disable=None, leave=False))


def _workers(memory: int) -> int:
    """How many neurons are in work at the same time, if one needs ``memory`` bytes."""
    processors = len(os.sched_getaffinity(0))
    return max(min(processors, MEMORY // max(memory, 1)), 1)
