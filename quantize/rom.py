# SPDX-License-Identifier: Apache-2.0
"""Memory images: how the tables of a model lie in the memories of the hardware.

Neurons of a population lie side by side in state words of ``lanes`` neurons, and populations
follow one another. A weight word holds the weights of one row to the neurons of one state word,
lane 0 lowest. A row is as many words as its target population has state words.
"""

from dataclasses import dataclass

import numpy as np

from .model import IntegerModel, IntegerProjection

__all__ = ["Place", "neuron_words", "places", "state_base", "state_words", "weight_words"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the rows of one projection lie: all in words."""

    projection: IntegerProjection
    first: int
    row_words: int
    rows: int
    target: int


def state_base(model: IntegerModel, lanes: int) -> dict[str, int]:
    """First state word of each population."""
    base, result = 0, {}
    for population in model.populations:
        result[population.name] = base
        base += -(-population.neurons // lanes)
    return result


def state_words(model: IntegerModel, lanes: int) -> int:
    """State words of all populations together."""
    return sum(-(-population.neurons // lanes) for population in model.populations)


def places(model: IntegerModel, lanes: int) -> list[Place]:
    """Where the rows of every projection lie in the weight memory, in order of projections."""
    base, first, result = state_base(model, lanes), 0, []
    for projection in model.projections:
        rows, targets = projection.weights.shape
        words = -(-targets // lanes)
        result.append(Place(projection=projection, first=first, row_words=words, rows=rows,
                            target=base[projection.target]))
        first += rows * words
    return result


def weight_words(model: IntegerModel, lanes: int) -> list[int]:
    """Image of the weight memory: one unsigned integer of ``lanes * weight`` bits per word."""
    mask, width = (1 << model.widths.weight) - 1, model.widths.weight
    words = []
    for place in places(model, lanes):
        weights = place.projection.weights
        padded = np.zeros((place.rows, place.row_words * lanes), np.int64)
        padded[:, :weights.shape[1]] = weights & mask
        for group in padded.reshape(-1, lanes).tolist():
            words.append(sum(weight << width * lane for lane, weight in enumerate(group)))
    return words


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
