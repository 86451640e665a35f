# SPDX-License-Identifier: Apache-2.0
"""Images of the memories for the constants of neurons, and words as bytes."""

from dataclasses import dataclass

from spikewright.model.graded import FACTOR_BITS, GradedPopulation
from spikewright.model.inner import weight_sums
from spikewright.model.integers import IntegerPopulation
from spikewright.model.model import IntegerModel

__all__ = ["UnitColumns", "factor_column", "lane_words", "load_bytes", "neuron_bits",
           "neuron_words", "part_columns", "part_words", "unit_columns", "unit_words"]


def load_bytes(words: list[int], word_bytes: int) -> bytes:
    """``words`` as a host sends them: in order, the lowest byte of each word first."""
    return b"".join(word.to_bytes(word_bytes, "little") for word in words)


def factor_column(model: IntegerModel) -> int:
    """Bits of a decay in the neuron memory.

    A decay of 1 takes one bit more than the others. The column then takes as many bits as divide
    well: a memory that is written in part is built from blocks with a common divisor.
    """
    bits = model.factor_bits
    return bits if bits == model.widths.decay else -(-bits // 4) * 4


def neuron_bits(model: IntegerModel) -> int:
    """Bits of a word of the neuron memory."""
    return model.widths.membrane + factor_column(model)


def neuron_words(model: IntegerModel) -> list[int]:
    """Image of the neuron memory, with two words for each neuron.

    Word 2i holds m and B of neuron i, word 2i + 1 its threshold and A. Each word is
    ``value << factor_column(model) | factor``, with ``value`` in two's complement. m is 0 at first.
    """
    width, mask, words = factor_column(model), (1 << model.widths.membrane) - 1, []
    for population in _neurons(model):
        columns = (population.membrane_decay, population.threshold, population.synaptic_decay)
        for b, threshold, a in zip(*(column.tolist() for column in columns), strict=True):
            words += [b, (threshold & mask) << width | a]
    return words


def lane_words(model: IntegerModel, lanes: int) -> list[list[tuple[int, int, int]]]:
    """A, B and threshold of the neurons of each lane, in the order of state words.

    A population may have fewer neurons than the lanes of its state words. The lanes without a
    neuron then get constants with which they never fire.
    """
    never, words = (0, 0, model.widths.largest_membrane), []
    for population in model.populations:
        columns = (population.synaptic_decay, population.membrane_decay, population.threshold)
        neurons = list(zip(*(column.tolist() for column in columns), strict=True))
        neurons += [never] * (-len(neurons) % lanes)
        words += neurons
    return [words[lane::lanes] for lane in range(lanes)]


@dataclass(frozen=True, kw_only=True)
class UnitColumns:
    """What a word of `unit_words` holds, the bias in the lowest bits.

    Parameters
    ----------
    bias, factor : int
        Bits of a bias, in two's complement, and of a factor.
    shifts : tuple of int
        The shifts of all units. A word has the number of its shift among them.
    """

    bias: int
    factor: int
    shifts: tuple[int, ...]

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return self.bias + self.factor + (len(self.shifts) - 1).bit_length()


def unit_columns(model: IntegerModel) -> UnitColumns:
    """The columns of `unit_words`, no wider than the model needs them."""
    units = _graded(model)
    most = max(int(max(p.bias.max(), ~p.bias.min())) for p in units)
    return UnitColumns(
        bias=max(most, 0).bit_length() + 1, factor=FACTOR_BITS,
        shifts=tuple(sorted({shift for p in units if not p.output for shift in p.shift.tolist()})))


def unit_words(model: IntegerModel) -> list[int]:
    """Image of the constants of graded units, a word for each."""
    columns, words = unit_columns(model), []
    for population in _graded(model):
        for bias, factor, shift in zip(population.bias.tolist(), population.factor.tolist(),
                                       population.shift.tolist(), strict=True):
            number = 0 if population.output else columns.shifts.index(shift)
            words.append((number << columns.factor | factor) << columns.bias
                         | bias & (1 << columns.bias) - 1)
    return words


def part_columns(model: IntegerModel) -> tuple[int, int]:
    """Bits of a bias and of a sum of weights in `part_words`."""
    parts = _graded(model)
    sides = [p.bias for p in parts], [weight_sums(model, p) for p in parts]
    bias, total = (max(int(max(of.max(), ~of.min())) for of in side).bit_length() + 1
                   for side in sides)
    return bias, total


def part_words(model: IntegerModel) -> list[int]:
    """Image of the constants of a normalized window, a word for each unit.

    It has the bias in its lowest bits, and above it the sum of the weights of the unit.
    """
    (bias_bits, total_bits), words = part_columns(model), []
    for population in _graded(model):
        for bias, total in zip(population.bias.tolist(), weight_sums(model, population).tolist(),
                               strict=True):
            words.append((total & (1 << total_bits) - 1) << bias_bits
                         | bias & (1 << bias_bits) - 1)
    return words


def _neurons(model: IntegerModel) -> list[IntegerPopulation]:
    return [p for p in model.populations if isinstance(p, IntegerPopulation)]


def _graded(model: IntegerModel) -> list[GradedPopulation]:
    return [p for p in model.populations if isinstance(p, GradedPopulation)]
