# SPDX-License-Identifier: Apache-2.0
"""Images of the memories for the constants of neurons, and words as bytes."""

from spikewright.model.model import IntegerModel

__all__ = ["factor_column", "lane_words", "load_bytes", "neuron_words"]


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


def neuron_words(model: IntegerModel) -> list[int]:
    """Image of the neuron memory, with two words for each neuron.

    Word 2i holds m and B of neuron i, word 2i + 1 its threshold and A. Each word is
    ``value << factor_column(model) | factor``, with ``value`` in two's complement. m is 0 at first.
    """
    width, mask, words = factor_column(model), (1 << model.widths.membrane) - 1, []
    for population in model.populations:
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
