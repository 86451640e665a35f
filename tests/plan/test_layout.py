# SPDX-License-Identifier: Apache-2.0
"""The layout of a model with populations of 5, 3 and 2 neurons, calculated by hand."""

import numpy as np
import pytest

from spikewright.plan.layout import Layout
from tests.networks import MIXED, deep_model

# Word and words of each population.
WORDS = {1: [(0, 5), (5, 3), (8, 2)], 3: [(0, 2), (2, 1), (3, 1)], 4: [(0, 2), (2, 1), (3, 1)],
         64: [(0, 1), (1, 1), (2, 1)]}


def layout_of(lanes, units=1, **choices):
    return Layout(model=deep_model(0), lanes=lanes, units=units, **choices)


@pytest.mark.parametrize("lanes, words, word_bits", [(1, 10, 4), (3, 4, 2), (4, 4, 2), (64, 3, 2)])
def test_spans(lanes, words, word_bits):
    """Each population begins a new state word."""
    layout = layout_of(lanes)
    spans = layout.spans
    assert list(spans) == ["first", "second", "out"]
    assert [(span.first, span.stop, span.neurons) for span in spans.values()] == [
        (0, 5, 5), (5, 8, 3), (8, 10, 2)]
    assert [(span.word, span.words) for span in spans.values()] == WORDS[lanes]
    assert [span.list for span in spans.values()] == [0, 1, 0]
    assert layout.listed == [spans["first"], spans["second"]]
    assert (layout.neurons, layout.words, layout.word_bits) == (10, words, word_bits)
    assert {table.target for table in layout.tables} == {word for word, _ in WORDS[lanes]}


@pytest.mark.parametrize("lanes", [1, 3, 4])
def test_groups_of_one_neuron(lanes):
    layout = layout_of(lanes)
    assert [(span.group, span.groups) for span in layout.spans.values()] == [(0, 5), (5, 3), (8, 2)]
    assert layout.groups == 10
    assert layout.neuron_at.tolist() == list(range(10))


@pytest.mark.parametrize("lanes, neuron_at", [
    (1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (3, [0, 1, 2, 3, 4, -1, 5, 6, 7, 8, 9, -1]),
    (4, [0, 1, 2, 3, 4, -1, -1, -1, 5, 6, 7, -1, 8, 9, -1, -1]),
])
def test_groups_of_state_words(lanes, neuron_at):
    """A group is a state word. No group has neurons of two populations."""
    layout = layout_of(lanes, units=lanes)
    assert [(span.group, span.groups) for span in layout.spans.values()] == WORDS[lanes]
    assert layout.groups == layout.words
    assert layout.neuron_at.tolist() == neuron_at


def test_columns():
    """Of 7 and 4 neurons in the checkpoint, 0, 2, 3, 5, 6 and 1, 2, 3 are left."""
    layout = layout_of(4)
    assert layout.is_output.tolist() == [False] * 8 + [True] * 2
    assert layout.spike_column.tolist() == [0, 2, 3, 5, 6, 8, 9, 10, -1, -1]
    fired = np.zeros((2, 10), bool)
    fired[0, [1, 7]] = fired[1, [0, 5, 9]] = True
    spikes = layout.spread_spikes(fired[:, None])
    assert spikes.shape == (2, 11)
    assert [np.flatnonzero(row).tolist() for row in spikes] == [[2, 10], [0, 8]]


@pytest.mark.parametrize("lanes, row_words, first, words", [
    (1, [5, 5, 5, 3, 3, 2, 2, 2], [0, 25, 45, 60, 75, 84, 94, 100], 110),
    (3, [2, 2, 2, 1, 1, 1, 1, 1], [0, 10, 18, 24, 29, 32, 37, 40], 45),
    (4, [2, 2, 2, 1, 1, 1, 1, 1], [0, 10, 18, 24, 29, 32, 37, 40], 45),
])
def test_dense_tables(lanes, row_words, first, words):
    """Projections of 5, 4, 3, 5, 3, 5, 3 and 5 rows, one after another."""
    layout = layout_of(lanes)
    assert [table.rows for table in layout.tables] == [5, 4, 3, 5, 3, 5, 3, 5]
    assert [table.row_words for table in layout.tables] == row_words
    assert [table.first for table in layout.tables] == first
    assert {(table.bits, table.format, table.first_row) for table in layout.tables} == {
        (5, "dense", 0)}
    assert list(layout.images) == [5] and len(layout.images[5].dense) == words
    assert layout.memories == [(5, "dense")]
    assert layout.table_bits == words * lanes * 5


def test_bitmap_tables():
    """The directory has an entry for each row."""
    layout = layout_of(4, tables_format="bitmap")
    assert [table.first for table in layout.tables] == [0, 10, 18, 24, 29, 32, 37, 40]
    assert [table.first_row for table in layout.tables] == [0, 5, 9, 12, 17, 20, 25, 28]
    assert len(layout.images[5].slices) == 45 and len(layout.images[5].directory) == 33
    assert layout.memories == [(5, "bitmap")]


def test_tables_of_mixed_widths():
    """Projections 1, 5 and 7 have 3 bits, and 4 has 2. Each width has its own addresses."""
    layout = Layout(model=deep_model(1, None, MIXED), lanes=4)
    assert [(table.bits, table.first) for table in layout.tables] == [
        (5, 0), (3, 0), (5, 10), (5, 16), (2, 0), (3, 8), (5, 21), (3, 13)]
    assert {bits: len(images.dense) for bits, images in layout.images.items()} == {
        5: 24, 3: 18, 2: 3}
    assert layout.memories == [(5, "dense"), (3, "dense"), (2, "dense")]
    assert layout.table_bits == 4 * (24 * 5 + 18 * 3 + 3 * 2)
