# SPDX-License-Identifier: Apache-2.0
"""Numbers of channels and rows, as users give them."""

import operator
from collections.abc import Iterable

import numpy as np

__all__ = ["whole_numbers"]


def whole_numbers(values: Iterable[int], thing: str, below: int) -> list[int]:
    """``values`` as Python integers from 0 to ``below`` - 1; nothing is rounded or converted.

    ``thing`` says in an error what a value is, for example "Row of event".

    Raises
    ------
    TypeError
        If ``values`` is not iterable, or one of them is not a whole number. A bool is none.
    ValueError
        If one of them is out of range.
    """
    try:
        given = list(values)
    except TypeError:
        raise TypeError(f"{thing.split()[0]}s must be a list of whole numbers, not "
                        f"{values!r}") from None
    if all(type(value) is int for value in given) and \
            (not given or 0 <= min(given) <= max(given) < below):
        return given
    numbers = []
    for place, value in enumerate(given):
        number = None
        if not isinstance(value, bool | np.bool_):
            try:
                number = operator.index(value)
            except TypeError:
                pass
        if number is None:
            raise TypeError(f"{thing} {place} must be a whole number, not {value!r}")
        if not 0 <= number < below:
            raise ValueError(f"{thing} {place} must be between 0 and {below - 1}, not {number}")
        numbers.append(number)
    return numbers
