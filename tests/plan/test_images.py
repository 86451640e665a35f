# SPDX-License-Identifier: Apache-2.0
"""Images of neurons decode to the model. Bytes to load begin with the lowest bits."""

import pytest

from spikewright.plan.images import lane_words, load_bytes, neuron_words
from tests.networks import deep_model


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


@pytest.mark.parametrize("lanes", [1, 3, 4])
def test_lane_words_decode(lanes):
    """A, B and threshold of every neuron are in its lane and word. Other places never fire."""
    model = deep_model(2)
    words = lane_words(model, lanes)
    assert len(words) == lanes
    base = 0
    for population in model.populations:
        count = -(-population.neurons // lanes)
        for i in range(count * lanes):
            entry = words[i % lanes][base + i // lanes]
            assert entry == ((population.synaptic_decay[i], population.membrane_decay[i],
                              population.threshold[i]) if i < population.neurons
                             else (0, 0, 1023))
        base += count
    assert {len(column) for column in words} == {base}


def test_words_come_with_their_lowest_bits_first():
    assert load_bytes([0x1234, 0xff], 2) == b"\x34\x12\xff\x00"
