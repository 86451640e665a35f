# SPDX-License-Identifier: Apache-2.0
"""Contents of the memories that hold the constants of neurons, and bytes to load."""

from spikewright.model.model import IntegerModel

__all__ = ["lane_words", "load_bytes", "neuron_words"]


def load_bytes(words: list[int], word_bytes: int) -> bytes:
    """Words as a host loads them: one after another, the lowest byte of each first."""
    return b"".join(word.to_bytes(word_bytes, "little") for word in words)


def neuron_words(model: IntegerModel) -> list[int]:
    """Image of the neuron memory: two words per neuron, ``value << decay | factor`` each.

    Word 2i holds m (0 at the start) and B of neuron i, word 2i + 1 its threshold and A.
    """
    width, words = model.widths.decay, []
    for population in model.populations:
        columns = (population.membrane_decay, population.threshold, population.synaptic_decay)
        for b, threshold, a in zip(*(column.tolist() for column in columns), strict=True):
            words += [b, threshold << width | a]
    return words


def lane_words(model: IntegerModel, lanes: int) -> list[list[tuple[int, int, int]]]:
    """A, B and threshold of the neuron of each lane in each state word.

    Where a population does not fill its last word, the neurons of the other lanes never fire.
    """
    never, words = (0, 0, model.widths.largest_membrane), []
    for population in model.populations:
        columns = (population.synaptic_decay, population.membrane_decay, population.threshold)
        neurons = list(zip(*(column.tolist() for column in columns), strict=True))
        neurons += [never] * (-len(neurons) % lanes)
        words += neurons
    return [words[lane::lanes] for lane in range(lanes)]
