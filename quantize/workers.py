# SPDX-License-Identifier: Apache-2.0
"""Work that each neuron needs by itself, shared among the processors."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits
from tqdm import tqdm

__all__ = ["each_neuron"]

Item, Result = TypeVar("Item"), TypeVar("Result")


def each_neuron(work: Callable[[Item], Result], items: Iterable[Item], title: str) -> list[Result]:
    """``work`` of each item, in the order of ``items``.

    NumPy's and Numba's parts of the work run at the same time, a neuron on each processor. A
    terminal shows how far the work is, and the time left.
    """
    items = list(items)
    # The linear algebra of one neuron is too small to share.
    with threadpool_limits(limits=1), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(tqdm(pool.map(work, items), total=len(items), desc=title, unit="neuron",
                         delay=1, disable=None, leave=False))
