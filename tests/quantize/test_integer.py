# SPDX-License-Identifier: Apache-2.0

import dataclasses

import numpy as np
import pytest

from spikewright.model.integers import Widths
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT, Network, Population, Projection
from spikewright.network.retime import retime
from spikewright.quantize.integer import with_states
from spikewright.quantize.rounding import nearest, round_half_up
from tests.networks import MIXED, deep_model, nearest_model, refused, tiny_network


@pytest.mark.parametrize("x, rounded", [
    (2.5, 3), (-2.5, -2), (0.5, 1), (-0.5, 0), (1.5, 2), (-1.5, -1), (2.4, 2), (-2.4, -2),
    (2.6, 3), (-2.6, -3), (0.0, 0), (-0.0, 0), (np.nextafter(0.5, 1), 1), (126.5, 127),
    (-126.5, -126), (-127.0, -127),
])
def test_round_half_up(x, rounded):
    result = round_half_up(np.array([x]))
    assert result.dtype == np.int64
    assert result.tolist() == [rounded]


def _one_neuron(weights=(0.5, -0.25), threshold=1.0, decay=0.5):
    """Two channels, one neuron, one output with weight 1."""
    return Network(channels=len(weights), dt=4e-3, populations=(
        Population(name="hidden", spiking=True, threshold=np.array([threshold]),
                   synaptic_decay=np.array([decay]), membrane_decay=np.array([0.5])),
        Population(name="out", spiking=False, threshold=np.ones(1),
                   synaptic_decay=np.array([0.5]), membrane_decay=np.array([0.5])),
    ), projections=(
        Projection(source=INPUT, target="hidden", delay=0, weights=np.array(weights)[:, None]),
        Projection(source="hidden", target="out", delay=0, weights=np.ones((1, 1)))))


def _hidden(model):
    return model.index("hidden")


@pytest.mark.parametrize("bits, largest", [(2, 1), (4, 7), (8, 127), (16, 32767)])
def test_quantize_uses_the_whole_range(bits, largest):
    model = nearest_model(_one_neuron((0.5, -0.5, 0.2)),
                          Widths(weight=bits, current=24, membrane=30), "m")
    assert model.projections[0].weights[:, 0].tolist() == [largest, -largest,
                                                           round(0.4 * largest)]


@pytest.mark.parametrize("w, rounded", [(2.5, 3), (-2.5, -2), (0.5, 1), (-0.5, 0), (2.49, 2)])
def test_quantize_rounds_weights_half_up(w, rounded):
    model = nearest_model(_one_neuron((127.0, w)), Widths(), "m")
    assert model.projections[0].weights[:, 0].tolist() == [127, rounded]


def test_scales_take_the_largest_weight_of_each_neuron():
    network = _one_neuron((0.5, -1.27))
    assert nearest(network, (8, 8)).scale == {"hidden": [pytest.approx(0.01)],
                                              "out": [1 / 64]}, "the output is on a grid"
    silent = _one_neuron((0.0, 0.0))
    assert nearest(silent, (8, 8)).scale["hidden"].tolist() == [1.0]
    assert not nearest_model(silent, Widths(), "m").projections[0].weights.any()


@pytest.mark.parametrize("threshold, integer", [
    (10.0, 80),     # on the grid: m = 80 is not above it, as 10.0 > 10.0 is not
    (10.1, 80),     # 80.8: m = 80 is below, 81 above
    (np.nextafter(10.0, 11), 80),
    (np.nextafter(10.0, 9), 79),
    (9.9, 79),
])
def test_quantize_threshold_is_exact(threshold, integer):
    """With sigma = 1 and 3 fraction bits, m / 8 > threshold exactly when m > integer."""
    model = nearest_model(_one_neuron((127.0, 1.0), threshold), Widths(fraction=3), "m")
    assert _hidden(model).threshold.tolist() == [integer]
    for m in range(integer - 2, integer + 3):
        assert (m / 8 > threshold) == (m > integer)


def test_quantize_output_never_spikes_and_has_a_scale():
    model = nearest_model(_one_neuron(), Widths(membrane=20, fraction=3), "m")
    assert model.index("out").threshold.tolist() == [(1 << 19) - 1]
    assert model.readout == pytest.approx(np.array([[1 / 64 / 8]]))


@pytest.mark.parametrize("decay, bits, rounded", [
    (0.5, 12, 2048), (0.9999, 12, 4095), (0.99999, 12, 4095), (2.5 / 4096, 12, 3),
    (0.5 / 4096, 12, 1), (0.5, 4, 8), (0.97, 4, 15), (0.03, 4, 1), (1e-9, 12, 1),
])
def test_quantize_decay(decay, bits, rounded):
    model = nearest_model(_one_neuron(decay=decay), Widths(decay=bits), "m")
    assert _hidden(model).synaptic_decay.tolist() == [rounded]


def test_quantize_starved_neuron_keeps_fewer_bits():
    """A threshold above half of the range of m makes the scale of the neuron coarser."""
    widths = Widths(weight=8, current=16, membrane=20, fraction=3)
    half = ((1 << 19) - 1) / 2
    whole = nearest_model(_one_neuron((127 / 32000, 0.0)), widths, "m")
    assert whole.projections[0].weights[0, 0] == 127
    assert _hidden(whole).threshold.tolist() == [256000]
    coarse = nearest_model(_one_neuron((1e-3, 0.0)), widths, "m")
    assert _hidden(coarse).threshold.tolist() == [int(half)]
    assert coarse.projections[0].weights[0, 0] == round(1e-3 * half / 8)
    gone = nearest_model(_one_neuron((1e-30, 0.0)), widths, "m")
    assert not gone.projections[0].weights[:, 0].any()


def test_quantize_keeps_names_delays_and_lead():
    network = retime(tiny_network(0))
    model = nearest_model(network, Widths(), "a name")
    assert (model.name, model.dt, model.channels, model.lead_steps) == ("a name", 4e-3, 6, 5)
    assert [(p.source, p.target, p.delay) for p in model.projections] == [
        ("hidden", "hidden", 3), (INPUT, "hidden", 0), ("hidden", "readout", 0)]
    assert model.channel_row.tolist() == list(range(6))
    assert (model.rows, model.outputs, model.hidden) == (6, 2, 5)


@pytest.mark.parametrize("widths, error, message", [
    ({"weight": 1},    ValueError, "weight must be between 2 and 16, not 1"),
    ({"weight": 17},   ValueError, "weight must be between 2 and 16, not 17"),
    ({"current": 7},   ValueError, "current must be between 8 and 32, not 7"),
    ({"membrane": 33}, ValueError, "membrane must be between 8 and 32, not 33"),
    ({"decay": 3},     ValueError, "decay must be between 4 and 16, not 3"),
    ({"fraction": -1}, ValueError, "fraction must be between 0 and 12, not -1"),
    ({"fraction": 13}, ValueError, "fraction must be between 0 and 12, not 13"),
    ({"weight": 8.0},  TypeError,  "weight must be an int, not 8.0"),
    ({"weight": True}, TypeError,  "weight must be an int, not True"),
    ({"weight": 14},   ValueError, "current must be at least weight + fraction = 17, not 16"),
    ({"membrane": 15}, ValueError, "membrane must be at least current = 16, not 15"),
])
def test_widths_wrong(widths, error, message):
    with refused(f"Width {message}", error):
        Widths(**widths)


def _changed(model, population=None, projection=None, shift=0, **changes):
    """``model`` with one number of a table replaced."""
    parts = {key: getattr(model, key) for key in ("populations", "projections")}
    if population is not None:
        key, value = population
        first = dataclasses.replace(model.populations[0], **{key: np.full(5, value)})
        parts["populations"] = (first, *model.populations[1:])
    if projection is not None or shift:
        weights = model.projections[0].weights if projection is None else projection
        first = dataclasses.replace(model.projections[0], weights=weights, shift=shift)
        parts["projections"] = (first, *model.projections[1:])
    return dataclasses.replace(model, **{**parts, **changes})


@pytest.mark.parametrize("changes, message", [
    ({"population": ("threshold", -1)},
     "first threshold must be between 0 and 1023, not -1 at [0]"),
    ({"population": ("threshold", 1024)},
     "first threshold must be between 0 and 1023, not 1024 at [0]"),
    ({"population": ("synaptic_decay", 64)},
     "first synaptic_decay must be between 0 and 63, not 64 at [0]"),
    ({"population": ("membrane_decay", 65)},
     "first membrane_decay must be between 0 and 64, not 65 at [0]"),
    ({"projection": np.full((5, 5), 16)},
     "first->first weights must be between -16 and 15, not 16 at [0, 0]"),
    ({"projection": np.full((5, 5), -17)},
     "first->first weights must be between -16 and 15, not -17 at [0, 0]"),
    ({"shift": 3},
     "first->first shift must be between 0 and 2, so that weights fit a current, not 3"),
    ({"shift": -1},
     "first->first shift must be between 0 and 2, so that weights fit a current, not -1"),
    ({"projection": np.zeros((4, 5), int)},
     "first->first weights must have shape (5, 5), not (4, 5)"),
    ({"channel_row": np.array([2, -1, 0, 1, -1, 6])},
     "input->first weights must have shape (7, 5), not (4, 5)"),
    ({"channel_row": np.array([2, -1, 0, 1, -2, 3])},
     "channel_row must be between -1 and 5, not -2 at [4]"),
    ({"channel_row": np.array([2, 1, 0, 3])}, "channel_row must have shape (6,), not (4,)"),
    ({"readout": np.ones((2, 3))}, "readout must have shape (axes, 2), not (2, 3)"),
    ({"readout": np.ones(2)}, "readout must have shape (axes, 2), not (2,)"),
    ({"readout": np.array([[1, np.inf]])}, "readout must be finite, not hold NaN or an infinity"),
    ({"name": "two\nlines"},
     "Model name must be 1 to 100 printable characters, not 'two\\nlines'"),
    ({"dt": 0.0}, "Network must have 1 channel or more and a dt between 0 and 10 s, not 6 and 0.0"),
    ({"population": ("kept", 7)}, "first kept must be between 0 and 6, not 7 at [0]"),
    ({"widths": Widths(weight=6, current=9, membrane=11, decay=6, fraction=2)},
     "Width weight must be the bits of the widest projection, one of [5], not 6"),
])
def test_integer_model_wrong(changes, message):
    with refused(message, ValueError):
        _changed(deep_model(0), **changes)


@pytest.mark.parametrize("changes, message", [
    ({"weights": np.full((4, 5), 4)}, "weights must be between -4 and 3, not 4 at [0, 0]"),
    ({"weights": np.full((4, 5), -5)}, "weights must be between -4 and 3, not -5 at [0, 0]"),
    ({"shift": 5}, "shift must be between 0 and 4, so that weights fit a current, not 5"),
    ({"bits": 1}, "bits must be an int from 2 to weight = 5, not 1"),
    ({"bits": 6}, "bits must be an int from 2 to weight = 5, not 6"),
    ({"bits": 3.0}, "bits must be an int from 2 to weight = 5, not 3.0"),
])
def test_integer_model_of_mixed_widths_wrong(changes, message):
    """Three bits of nine, and two fraction bits. A weight of fewer bits may be shifted further."""
    model = deep_model(0, None, MIXED)
    narrow = dataclasses.replace(model.projections[1], **changes)
    projections = (model.projections[0], narrow, *model.projections[2:])
    with refused(f"input->first {message}", ValueError):
        dataclasses.replace(model, projections=projections)


def test_with_states_keeps_room_for_the_largest_weight():
    """Widths of 5, 3 and 2 bits with shifts up to 2, 4 and 4: 7 and two fraction bits."""
    model = deep_model(0, None, MIXED)
    assert max(p.bits + p.shift for p in model.projections) == 7
    assert with_states(model, 1, 1).widths.current == 9


def test_integer_model_sizes():
    model = deep_model(0)
    assert isinstance(model, IntegerModel)
    assert (model.rows, model.outputs, model.hidden) == (4, 2, 11)
    assert [model.sources(p) for p in model.projections] == [5, 4, 3, 5, 3, 5, 3, 5]
    assert model.projections[3].title == "first->second"
