# SPDX-License-Identifier: Apache-2.0
"""Formats of the weight tables, their cost, and their images.

Weights of different widths are in different tables. What follows is about weights of one width.

A core adds ``lanes`` synapses per cycle, one in each lane. Neuron i of a population belongs to lane
``i % lanes``, and to state word ``i // lanes`` of the population. Lane 0 has the lowest bits of
every word.

dense
    A word holds the weights of one row to one state word, zeros included.
bitmap
    A slice has one bit for each lane of a state word. The bit is 1 if the lane has a weight other
    than 0. Only these weights are stored: in the order of rows, words and lanes, without gaps. They
    are packed into words of ``lanes`` weights. Even words are in one memory and odd words in
    another, so that any ``lanes`` consecutive weights can be read in one cycle. A directory has the
    number of the first weight of each row. Rows with the same weights, in whatever projection,
    share these weights. A row without weights stores none.
rows
    Row-compressed. A word holds, for each lane, a weight and the number of its state word. All rows
    of a projection have the same number of words: as many as the fullest lane of any row needs.
    Their time is therefore constant. Zero weights fill the rest of a row, and are not added.
"""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["FORMATS", "TableCost", "TableImages", "row_words", "smallest"]

FORMATS = ("dense", "bitmap", "rows")


@dataclass(frozen=True, kw_only=True)
class TableCost:
    """Cost of a projection in one format.

    Parameters
    ----------
    bits : int
        Bits of memory.
    words : int
        Words of a row. The adder takes one cycle for each.
    """

    bits: int
    words: int


def smallest(costs: dict[str, TableCost]) -> str:
    """Format with the fewest bits. Of two with the same bits, the first in ``FORMATS``."""
    return min(FORMATS, key=lambda name: costs[name].bits)


def row_words(weights: np.ndarray, lanes: int, name: str) -> int:
    """Words of a row in format ``name``. ``weights`` is int64 of shape (sources, targets)."""
    if name != "rows":
        return -(-weights.shape[1] // lanes)
    fullest = [np.count_nonzero(weights[:, lane::lanes], axis=1).max(initial=1)
               for lane in range(lanes)]
    return int(max(fullest))


@dataclass(kw_only=True)
class TableImages:
    """Images of the memories for weights of one width. Each word is an unsigned integer.

    Parameters
    ----------
    lanes, weight_bits : int
    word_bits : int
        Bits of the number of a state word, in the format ``rows``.
    dense : list of int
        Words of ``lanes * weight_bits``.
    slices : list of int
        Words of ``lanes`` bits.
    directory : list of int
        Number of the first weight of each row of the bitmaps.
    packed : list of int
        Weights of the bitmaps, unsigned. `even` and `odd` divide them into words.
    rows : list of int
        Words of ``lanes * (weight_bits + word_bits)``, lane by lane. In each lane the weight has
        the lowest bits.
    """

    lanes: int
    weight_bits: int
    word_bits: int
    dense: list[int] = field(default_factory=list)
    slices: list[int] = field(default_factory=list)
    directory: list[int] = field(default_factory=list)
    packed: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    _known: dict[tuple[int, ...], int] = field(default_factory=dict)

    def add(self, weights: np.ndarray, name: str, target: int) -> None:
        """Append the rows of a projection.

        Parameters
        ----------
        weights : ndarray of int64, shape (sources, targets)
        name : str
            Format, one of ``FORMATS``.
        target : int
            First state word of the target population.
        """
        length = row_words(weights, self.lanes, name)
        padded = np.zeros((len(weights), -(-weights.shape[1] // self.lanes) * self.lanes), np.int64)
        padded[:, :weights.shape[1]] = weights & (1 << self.weight_bits) - 1
        for row in padded.reshape(len(weights), -1, self.lanes):
            if name == "rows":
                self._add_row(row, length, target)
                continue
            if name == "bitmap":
                self._add_directory(row)
            for word in row.tolist():
                if name == "dense":
                    self.dense.append(self._join(word, self.weight_bits))
                else:
                    self.slices.append(self._join([int(weight != 0) for weight in word], 1))

    def memories(self, name: str) -> dict[str, tuple[list[int], int]]:
        """Image and bits of a word of each memory of format ``name``, by a name for it."""
        word = self.lanes * self.weight_bits
        parts = {"dense": {"dense": (self.dense, word)},
                 "bitmap": {"slices": (self.slices, self.lanes),
                            "directory": (self.directory, self.pointer_bits),
                            "even": (self.even, word), "odd": (self.odd, word)},
                 "rows": {"rows": (self.rows, self.lanes * (self.weight_bits + self.word_bits))}}
        return {f"{part}_{self.weight_bits}": memory for part, memory in parts[name].items()}

    @property
    def pointer_bits(self) -> int:
        """Bits of an entry of the directory."""
        return max(len(self.packed), 1).bit_length()

    @property
    def even(self) -> list[int]:
        """Words 0, 2, .. of the packed weights."""
        return self._words()[::2]

    @property
    def odd(self) -> list[int]:
        """Words 1, 3, .. of the packed weights."""
        return self._words()[1::2]

    @property
    def bits(self) -> int:
        """Bits of all memories, with the zeros that fill the last words."""
        word = self.lanes * self.weight_bits
        packed = word * (len(self.even) + len(self.odd)) if self.slices else 0
        return (len(self.dense) * word + len(self.slices) * self.lanes + packed
                + len(self.directory) * self.pointer_bits
                + len(self.rows) * self.lanes * (self.weight_bits + self.word_bits))

    def _words(self) -> list[int]:
        pair = 2 * self.lanes
        padded = self.packed + [0] * (-len(self.packed) % pair or pair * (not self.packed))
        return [self._join(padded[k:k + self.lanes], self.weight_bits)
                for k in range(0, len(padded), self.lanes)]

    def _add_directory(self, row: np.ndarray) -> None:
        weights = tuple(row[row != 0].tolist())
        if weights and weights not in self._known:
            self._known[weights] = len(self.packed)
            self.packed += weights
        self.directory.append(self._known.get(weights, 0))

    def _add_row(self, row: np.ndarray, length: int, target: int) -> None:
        words = [[0] * self.lanes for _ in range(length)]
        for lane in range(self.lanes):
            for k, word in enumerate(np.flatnonzero(row[:, lane]).tolist()):
                words[k][lane] = target + word << self.weight_bits | int(row[word, lane])
        self.rows += [self._join(word, self.weight_bits + self.word_bits) for word in words]

    @staticmethod
    def _join(values: list[int], bits: int) -> int:
        return sum(value << bits * lane for lane, value in enumerate(values))
