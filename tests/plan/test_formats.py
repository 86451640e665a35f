# SPDX-License-Identifier: Apache-2.0
"""Weight tables: images decode to the weights, and costs equal values calculated by hand."""

import dataclasses

import numpy as np
import pytest

from spikewright.plan.formats import FORMATS, TableCost, TableImages, row_words, smallest
from spikewright.plan.layout import Layout, table_costs
from tests.networks import MIXED, deep_model


def _signed(value, bits):
    return value - (1 << bits) if value >> bits - 1 else value


def _fields(word, bits, count):
    return [word >> bits * k & (1 << bits) - 1 for k in range(count)]


def _dense(images, table, row, _):
    """Weights of a row of a dense table, one list per word."""
    first = table.first + row * table.row_words
    return [_fields(word, images.weight_bits, images.lanes)
            for word in images.dense[first:first + table.row_words]]


def _bitmap(images, table, row, _):
    width, lanes = images.weight_bits, images.lanes
    pairs = zip(images.even, images.odd, strict=True)
    stream = [weight for pair in pairs for word in pair for weight in _fields(word, width, lanes)]
    position, words = images.directory[table.first_row + row], []
    first = table.first + row * table.row_words
    for bits in images.slices[first:first + table.row_words]:
        words.append([])
        for lane in range(lanes):
            words[-1].append(stream[position] if bits >> lane & 1 else 0)
            position += bits >> lane & 1
    return words


def _rows(images, table, row, targets):
    width, lanes = images.weight_bits, images.lanes
    words = [[0] * lanes for _ in range(-(-targets // lanes))]
    first = table.first + row * table.row_words
    for word in images.rows[first:first + table.row_words]:
        for lane, entry in enumerate(_fields(word, width + images.word_bits, lanes)):
            weight = entry & (1 << width) - 1
            if weight:
                at = (entry >> width) - table.target
                assert words[at][lane] == 0
                words[at][lane] = weight
    return words


READ = {"dense": _dense, "bitmap": _bitmap, "rows": _rows}


@pytest.mark.parametrize("bits", [None, MIXED], ids=["alike", "mixed"])
@pytest.mark.parametrize("name", [*FORMATS, "smallest"])
@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 64])
def test_tables_decode(lanes, name, bits):
    """The images and the row tables alone give every weight back, and padding is 0."""
    model = deep_model(1, None, bits)
    layout = Layout(model=model, lanes=lanes, tables_format=name)
    assert list(layout.images) == sorted({5, *(bits or {}).values()}, reverse=True)
    for projection, table in zip(model.projections, layout.tables, strict=True):
        weights, width = projection.weights, projection.bits
        for row in range(table.rows):
            words = READ[table.format](layout.images[width], table, row, weights.shape[1])
            line = [_signed(weight, width) for word in words for weight in word]
            assert line[:weights.shape[1]] == weights[row].tolist()
            assert not any(line[weights.shape[1]:])


def test_smallest_counts_shared_rows():
    """Every projection alone is smaller when dense, but bitmaps share the rows of all."""
    model = deep_model(1)
    alike = dataclasses.replace(model, projections=tuple(
        dataclasses.replace(p, weights=np.ones_like(p.weights)) for p in model.projections))
    assert {smallest(costs) for costs in table_costs(alike, 4)} == {"dense"}
    for found, bits in ((alike, [900, 392, 1260, 392]), (model, [900, 971, 1260, 900])):
        layouts = {name: Layout(model=found, lanes=4, tables_format=name)
                   for name in (*FORMATS, "smallest")}
        assert [layout.table_bits for layout in layouts.values()] == bits


@pytest.mark.parametrize("bits", [None, MIXED], ids=["alike", "mixed"])
def test_tables_follow_one_another(bits):
    """The tables of each width are alone."""
    model = deep_model(1, None, bits)
    for name in FORMATS:
        layout = Layout(model=model, lanes=2, tables_format=name)
        for width, images in layout.images.items():
            end = rows = 0
            for table in layout.tables:
                if table.bits == width:
                    assert (table.first, table.first_row) == (end, rows if name == "bitmap" else 0)
                    end += table.words
                    rows += table.rows
            assert end == len({"dense": images.dense, "bitmap": images.slices,
                               "rows": images.rows}[name]) > 0


def test_images_by_hand():
    """Weights of 4 bits, two lanes; the 3 targets are in state words 1 and 2."""
    weights = np.array([[1, -2, 3], [0, 0, 0], [0, 7, -8]])
    images = {}
    for name in FORMATS:
        images[name] = TableImages(lanes=2, weight_bits=4, word_bits=2)
        images[name].add(weights, name, 1)
        assert row_words(weights, 2, name) == 2
    assert images["dense"].dense == [0xe1, 0x03, 0, 0, 0x70, 0x08]
    assert images["dense"].bits == 6 * 8
    bitmap = images["bitmap"]
    assert bitmap.slices == [0b11, 0b01, 0, 0, 0b10, 0b01]
    assert (bitmap.directory, bitmap.packed) == ([0, 0, 3], [1, 14, 3, 7, 8])
    assert (bitmap.even, bitmap.odd, bitmap.pointer_bits) == ([0xe1, 0x08], [0x73, 0], 3)
    assert bitmap.bits == 6 * 2 + 3 * 3 + 4 * 8
    # A lane has 6 bits: the state word, and the weight below it.
    assert images["rows"].rows == [0b01_1110 << 6 | 0b01_0001, 0b10_0011, 0, 0,
                                   0b01_0111 << 6 | 0b10_1000, 0]
    assert images["rows"].bits == 6 * 2 * 6


def _one(weights, bits=4):
    """A model whose input projection has ``weights`` (4, 5), the others none."""
    model = deep_model(1)
    k = next(k for k, p in enumerate(model.projections) if p.source == "input")
    projections = tuple(
        dataclasses.replace(p, bits=bits, weights=weights if i == k else np.zeros_like(p.weights))
        for i, p in enumerate(model.projections))
    widths = dataclasses.replace(model.widths, weight=bits)
    return dataclasses.replace(model, projections=projections, widths=widths), k


def test_costs_by_hand():
    """4 rows to 5 neurons in 3 words of 2 lanes; 4 state words in all have numbers of 3 bits."""
    weights = np.array([[1, 0, 0, 0, 3], [0, 0, 0, 0, 0], [0, -2, 0, 0, 0], [1, 0, 1, 0, 1]])
    model, k = _one(weights)
    assert Layout(model=model, lanes=2).words == 6
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
    """The same with other projections: the weights of each width have their own numbers."""
    weights = np.array([[1, 0, 0, 0, 3], [0, 0, 0, 0, 0], [0, -2, 0, 0, 0], [1, 0, 1, 0, 1]])
    model, k = _one(weights, 5)
    projections = list(model.projections)
    projections[0] = dataclasses.replace(projections[0], weights=np.ones((5, 5), int))
    projections[k] = dataclasses.replace(projections[k], bits=3)
    model = dataclasses.replace(model, projections=tuple(projections))
    costs = table_costs(model, 2)
    assert {name: cost.bits for name, cost in costs[k].items()} == {
        "dense": 4 * 3 * 2 * 3, "bitmap": 4 * (3 * 2 + 3) + 6 * 3, "rows": 4 * 3 * 2 * (3 + 3)}
    assert {name: cost.bits for name, cost in costs[0].items()} == {
        "dense": 5 * 3 * 2 * 5, "bitmap": 5 * (3 * 2 + 5) + 25 * 5, "rows": 5 * 3 * 2 * (5 + 3)}
    layout = Layout(model=model, lanes=2)
    assert layout.images[3].bits == costs[k]["dense"].bits
    assert layout.table_bits == sum(cost["dense"].bits for cost in costs)


def test_equal_and_empty_rows_share_their_weights():
    weights = np.array([[1, 0, 2, 0, 3], [0, 0, 0, 0, 0], [1, 2, 3, 0, 0], [0, 0, 0, 0, 2]])
    model, k = _one(weights)
    layout = Layout(model=model, lanes=2, tables_format="bitmap")
    images, table = layout.images[4], layout.tables[k]
    assert images.packed == [1, 2, 3, 2]
    entries = images.directory[table.first_row:table.first_row + 4]
    assert entries[0] == entries[2] == 0 and entries[3] == 3
    assert images.bits == (2 * 4 * 2 + len(images.slices) * 2
                           + len(images.directory) * images.pointer_bits)
