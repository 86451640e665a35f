# SPDX-License-Identifier: Apache-2.0
"""Memory images decode back to the tables that they were made of."""

import pytest

from quantize.rom import neuron_words, places, state_base, state_words, weight_words

from .networks import deep_model


def _signed(value, bits):
    return value - (1 << bits) if value >> bits - 1 else value


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 8, 64])
def test_weight_words_decode(lanes):
    """From the words and `places` alone, every weight comes back; padding is 0."""
    model = deep_model(1)
    words, width = weight_words(model, lanes), model.widths.weight
    end = 0
    for place in places(model, lanes):
        projection = place.projection
        assert place.first == end
        end += place.rows * place.row_words
        for row in range(place.rows):
            line = [_signed(words[place.first + row * place.row_words + k] >> width * lane
                            & (1 << width) - 1, width)
                    for k in range(place.row_words) for lane in range(lanes)]
            targets = projection.weights.shape[1]
            assert line[:targets] == projection.weights[row].tolist()
            assert not any(line[targets:])
    assert len(words) == end
    assert all(0 <= word < 1 << width * lanes for word in words)


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
