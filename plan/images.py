# SPDX-License-Identifier: Apache-2.0
"""Memory images: how the tables of a model lie in the memories of the hardware.

Neurons of a population lie side by side in state words of ``lanes`` neurons, and populations
follow one another. The rows of a projection lie in one of three formats (`plan.tables`), with
those of the other projections that have weights of the same width.
"""

from collections import Counter
from dataclasses import dataclass

from spikewright.model.model import IntegerModel, IntegerProjection

from .tables import Tables, row_words, smallest, table_costs, word_bits

__all__ = ["Place", "lane_words", "load_bytes", "loaded_words", "neuron_words", "places",
           "state_base", "tables_of"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the rows of one projection lie.

    Parameters
    ----------
    projection : IntegerProjection
    bits : int
        Of a weight.
    format : str
        One of `plan.tables.FORMATS`.
    first : int
        Its first word in the memory of its width and format; for a bitmap, its first slice.
    first_row : int
        Its first entry in the directory of the bitmaps; 0 for other formats.
    row_words : int
        Words of each row.
    rows : int
    target : int
        First state word of the target.
    """

    projection: IntegerProjection
    bits: int
    format: str
    first: int
    first_row: int
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


def places(model: IntegerModel, lanes: int, tables: str = "dense") -> list[Place]:
    """Where the rows of every projection lie, in order of projections.

    ``tables`` is a format for all, or ``smallest``: for each projection the one of fewest bits.
    """
    base, result = state_base(model, lanes), []
    words: Counter[tuple[int, str]] = Counter()
    rows: Counter[tuple[int, str]] = Counter()
    formats = ([smallest(costs) for costs in table_costs(model, lanes)] if tables == "smallest"
               else [tables] * len(model.projections))
    for projection, name in zip(model.projections, formats, strict=True):
        count = row_words(projection.weights, lanes, name)
        bits = model.widths.weight_of(projection.title)
        memory = bits, name
        result.append(Place(projection=projection, bits=bits, format=name, first=words[memory],
                            first_row=rows[memory] if name == "bitmap" else 0, row_words=count,
                            rows=len(projection.weights), target=base[projection.target]))
        words[memory] += len(projection.weights) * count
        rows[memory] += len(projection.weights)
    return result


def tables_of(model: IntegerModel, lanes: int, tables: str = "dense") -> dict[int, Tables]:
    """Images of the weight tables, by the bits of their weights, the widest first.

    ``tables`` as in `places`.
    """
    images = {bits: Tables(lanes=lanes, weight_bits=bits, word_bits=word_bits(model, lanes))
              for bits in model.widths.weights}
    for place in places(model, lanes, tables):
        images[place.bits].add(place.projection.weights, place.format, place.target)
    return images


def loaded_words(model: IntegerModel, lanes: int) -> list[int]:
    """Image of the large RAMs, where the weights lie there: a dense table."""
    return tables_of(model, lanes)[model.widths.weight].dense


def load_bytes(words: list[int], word_bytes: int) -> bytes:
    """Image of a memory as it is loaded: word by word, of each the lowest bits first."""
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

    Where a population does not fill its last word, the neurons of the rest never fire.
    """
    never, words = (0, 0, model.widths.largest_membrane), []
    for population in model.populations:
        columns = (population.synaptic_decay, population.membrane_decay, population.threshold)
        neurons = list(zip(*(column.tolist() for column in columns), strict=True))
        neurons += [never] * (-len(neurons) % lanes)
        words += neurons
    return [words[lane::lanes] for lane in range(lanes)]
