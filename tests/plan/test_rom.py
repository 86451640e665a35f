# SPDX-License-Identifier: Apache-2.0
"""Memory images decode back to the tables that they were made of."""

import dataclasses

import numpy as np
import pytest
from spikewright.plan.images import neuron_words, places, state_base, tables_of
from spikewright.plan.tables import (
    FORMATS,
    TableCost,
    smallest,
    state_words,
    table_bits,
    table_costs,
)

from tests.networks import MIXED, deep_model


def _signed(value, bits):
    return value - (1 << bits) if value >> bits - 1 else value


def _fields(word, bits, count):
    return [word >> bits * k & (1 << bits) - 1 for k in range(count)]


def _dense(tables, place, row):
    """Weights of a row of a dense table, one list per word."""
    first = place.first + row * place.row_words
    return [_fields(word, tables.weight_bits, tables.lanes)
            for word in tables.dense[first:first + place.row_words]]


def _bitmap(tables, place, row):
    width, lanes = tables.weight_bits, tables.lanes
    pairs = zip(tables.even, tables.odd, strict=True)
    stream = [weight for pair in pairs for word in pair for weight in _fields(word, width, lanes)]
    position, words = tables.directory[place.first_row + row], []
    first = place.first + row * place.row_words
    for bits in tables.slices[first:first + place.row_words]:
        words.append([])
        for lane in range(lanes):
            words[-1].append(stream[position] if bits >> lane & 1 else 0)
            position += bits >> lane & 1
    return words


def _rows(tables, place, row):
    width, lanes = tables.weight_bits, tables.lanes
    words = [[0] * lanes for _ in range(-(-place.projection.weights.shape[1] // lanes))]
    first = place.first + row * place.row_words
    for word in tables.rows[first:first + place.row_words]:
        for lane, entry in enumerate(_fields(word, width + tables.word_bits, lanes)):
            weight = entry & (1 << width) - 1
            if weight:
                at = (entry >> width) - place.target
                assert words[at][lane] == 0
                words[at][lane] = weight
    return words


READ = {"dense": _dense, "bitmap": _bitmap, "rows": _rows}


@pytest.mark.parametrize("widths", [None, MIXED], ids=["alike", "mixed"])
@pytest.mark.parametrize("name", [*FORMATS, "smallest"])
@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 64])
def test_tables_decode(lanes, name, widths):
    """From the images and `places` alone, every weight comes back; padding is 0."""
    model = deep_model(1, widths)
    tables = tables_of(model, lanes, name)
    assert list(tables) == sorted({5, *model.widths.narrow.values()}, reverse=True)
    for place in places(model, lanes, name):
        weights, width = place.projection.weights, model.widths.weight_of(place.projection.title)
        for row in range(place.rows):
            words = READ[place.format](tables[width], place, row)
            line = [_signed(weight, width) for word in words for weight in word]
            assert line[:weights.shape[1]] == weights[row].tolist()
            assert not any(line[weights.shape[1]:])


@pytest.mark.parametrize("widths", [None, MIXED], ids=["alike", "mixed"])
def test_places_follow_one_another(widths):
    """Those of each width by themselves."""
    model = deep_model(1, widths)
    for name in FORMATS:
        for bits, tables in tables_of(model, 2, name).items():
            end = rows = 0
            for place in places(model, 2, name):
                if place.bits == bits:
                    assert (place.first, place.first_row) == (end, rows if name == "bitmap" else 0)
                    end += place.rows * place.row_words
                    rows += place.rows
            assert end == len({"dense": tables.dense, "bitmap": tables.slices,
                               "rows": tables.rows}[name]) > 0


def _one(weights, bits=4):
    """A model whose first projection has ``weights`` (4, 5), the others none."""
    model = deep_model(1)
    projections = tuple(dataclasses.replace(p, weights=np.zeros_like(p.weights))
                        for p in model.projections)
    k = next(k for k, p in enumerate(projections) if p.source == "input")
    projections = (*projections[:k], dataclasses.replace(projections[k], weights=weights),
                   *projections[k + 1:])
    widths = dataclasses.replace(model.widths, weight=bits)
    return dataclasses.replace(model, projections=projections, widths=widths), k


def test_costs_by_hand():
    """4 rows to 5 neurons in 3 words of 2 lanes; 4 state words in all have numbers of 3 bits."""
    weights = np.array([[1, 0, 0, 0, 3], [0, 0, 0, 0, 0], [0, -2, 0, 0, 0], [1, 0, 1, 0, 1]])
    model, k = _one(weights)
    assert state_words(model, 2) == 6
    costs = table_costs(model, 2)[k]
    assert costs == {
        "dense": TableCost(bits=4 * 3 * 2 * 4, words=3),
        # Six weights have numbers of 3 bits.
        "bitmap": TableCost(bits=4 * (3 * 2 + 3) + 6 * 4, words=3),
        # Three in the fullest lane, each with the number of one of six state words.
        "rows": TableCost(bits=4 * 3 * 2 * (4 + 3), words=3)}
    assert smallest(costs) == "bitmap"
    assert smallest({**costs, "dense": costs["bitmap"]}) == "dense"


def test_costs_of_mixed_widths_by_hand():
    """The same, beside other projections: the weights of each width are numbered by themselves."""
    weights = np.array([[1, 0, 0, 0, 3], [0, 0, 0, 0, 0], [0, -2, 0, 0, 0], [1, 0, 1, 0, 1]])
    model, k = _one(weights)
    other = dataclasses.replace(model.projections[0], weights=np.ones((5, 5), int))
    model = dataclasses.replace(
        model, projections=(other, *model.projections[1:]),
        widths=dataclasses.replace(model.widths, weight=5, narrow={"input->first": 3}))
    costs = table_costs(model, 2)
    assert {name: cost.bits for name, cost in costs[k].items()} == {
        "dense": 4 * 3 * 2 * 3, "bitmap": 4 * (3 * 2 + 3) + 6 * 3, "rows": 4 * 3 * 2 * (3 + 3)}
    assert {name: cost.bits for name, cost in costs[0].items()} == {
        "dense": 5 * 3 * 2 * 5, "bitmap": 5 * (3 * 2 + 5) + 25 * 5, "rows": 5 * 3 * 2 * (5 + 3)}
    tables = tables_of(model, 2)
    assert tables[3].bits == costs[k]["dense"].bits
    assert table_bits(tables) == sum(cost["dense"].bits for cost in costs)


def test_equal_and_empty_rows_share_their_weights():
    weights = np.array([[1, 0, 2, 0, 3], [0, 0, 0, 0, 0], [1, 2, 3, 0, 0], [0, 0, 0, 0, 2]])
    model, k = _one(weights)
    tables, place = tables_of(model, 2, "bitmap")[4], places(model, 2, "bitmap")[k]
    assert tables.packed == [1, 2, 3, 2]
    entries = tables.directory[place.first_row:place.first_row + 4]
    assert entries[0] == entries[2] == 0 and entries[3] == 3
    assert tables.bits == (2 * 4 * 2 + len(tables.slices) * 2
                           + len(tables.directory) * tables.pointer_bits)


@pytest.mark.parametrize("lanes, base, words", [
    (1, [0, 5, 8], 10), (2, [0, 3, 5], 6), (4, [0, 2, 3], 4), (64, [0, 1, 2], 3)])
def test_state_words(lanes, base, words):
    """Populations of 5, 3 and 2 neurons; each begins a new word."""
    model = deep_model(0)
    assert list(state_base(model, lanes).values()) == base
    assert state_words(model, lanes) == words
    assert {place.target for place in places(model, lanes)} == set(base)


def test_neuron_words_decode():
    model = deep_model(2)
    words, bits = neuron_words(model), model.widths.decay
    mask, pairs = (1 << bits) - 1, iter(zip(words[::2], words[1::2], strict=True))
    for population in model.populations:
        for i in range(population.neurons):
            first, second = next(pairs)
            assert (first >> bits, first & mask) == (0, population.membrane_decay[i])
            assert (second >> bits, second & mask) == (population.threshold[i],
                                                       population.synaptic_decay[i])
    assert next(pairs, None) is None
    assert max(words) < 1 << model.widths.membrane + bits
