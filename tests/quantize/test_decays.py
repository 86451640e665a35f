# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.metrics import r_squared
from spikewright.network.network import Population
from spikewright.network.recording import read_recording
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from spikewright.quantize.decays import few_terms, nearest_values, round_decays, signed_powers
from spikewright.quantize.gram import Drive, drives, membrane_errors
from spikewright.quantize.rules import Rules
from spikewright.quantize.suited_decays import suited_decays
from tests.networks import random_recording, refused, tiny_network


@pytest.mark.parametrize("value, powers", [
    (1, [1]), (2, [2]), (3, [4, -1]), (5, [4, 1]), (7, [8, -1]), (11, [16, -4, -1]),
    (4095, [4096, -1]), (2730, [2048, 512, 128, 32, 8, 2]), (0, []),
])
def test_signed_powers_worked_by_hand(value, powers):
    assert signed_powers(value) == powers


def _fewest(value, most):
    """Whether ``value`` is a sum of at most ``most`` signed powers of two, by trying them all."""
    sums = {0}
    for _ in range(most):
        sums |= {s + sign * (1 << k) for s in sums for k in range(10) for sign in (1, -1)}
    return value in sums


@pytest.mark.parametrize("terms", [1, 2, 3])
def test_signed_powers_are_the_fewest(terms):
    for value in range(1, 256):
        powers = signed_powers(value)
        assert sum(powers) == value
        assert all(abs(power).bit_count() == 1 for power in powers)
        assert (len(powers) <= terms) == _fewest(value, terms)


@pytest.mark.parametrize("decay, terms, value", [
    (0.5, 1, 128), (0.9, 1, 128), (0.3, 1, 64), (0.02, 1, 4), (1e-9, 1, 1),
    (0.9, 2, 224),          # 7/8, against 15/16: of time constants 9.5, 7.5 and 15.5 steps
    (0.92, 2, 240), (0.999999, 2, 255), (0.9, 3, 232), (0.9, 4, 230),
])
def test_few_terms_takes_the_nearest_time_constant(decay, terms, value):
    result = few_terms(np.array([decay]), 8, terms)
    assert result.dtype == np.int64
    assert result.tolist() == [value]


@pytest.mark.parametrize("decay, value", [
    (0.5, 8), (0.47, 8), (7.5 / 16, 8), (7.4999 / 16, 7), (0.999, 15), (1e-9, 1), (0.5 / 16, 1),
])
def test_round_decays_half_up_inside_the_range(decay, value):
    network = tiny_network(0)
    network.populations[0].synaptic_decay[:] = decay
    decays = round_decays(network, 4)["hidden"]
    assert decays.synaptic.dtype == np.int64
    assert decays.synaptic.tolist() == [value] * 5


def test_weights_make_up_for_changed_decays():
    """With slower decays every weight must be smaller, and the membrane is then closer."""
    population = Population(name="p", spiking=False, threshold=np.ones(1),
                            synaptic_decay=np.array([0.7]), membrane_decay=np.array([0.9]))
    events = np.random.default_rng(0).poisson(0.2, (2000, 4)).astype(float)
    weights = np.array([0.5, 0.2, 0.3, 0.4])
    quiet = np.zeros(2000, bool)
    drive = Drive(population=population, neuron=0, used=np.arange(4), arriving=events,
                  weights=weights, fired=quiet, reset=quiet)
    same = membrane_errors(drive, (0.7, 0.9))
    assert np.allclose(same.weights, weights, atol=1e-12) and abs(same.rest) < 1e-12
    slower = membrane_errors(drive, (0.7, 0.92))
    assert (slower.weights < 0.95 * weights).all()
    assert slower.gram.shape == (4, 4) and np.allclose(slower.gram, slower.gram.T)
    # A faster current makes up for a part of the slower membrane.
    assert 0 < membrane_errors(drive, (0.65, 0.92)).rest < slower.rest


def test_nearest_values_worked_by_hand():
    """Near 0.9 of 256 is 230. With two terms, 224 = 256 - 32 and 240 = 256 - 16 are near."""
    assert nearest_values(0.9, 8, None, 3) == [230, 231, 229]
    assert nearest_values(0.9, 8, 2, 2) == [224, 240]
    assert nearest_values(0.01, 4, None, 2) == [1, 2]


@pytest.mark.parametrize("bits, terms", [(6, None), (12, 2)])
def test_suited_decays_leave_the_least_of_their_neighbours(bits, terms):
    network = retime(tiny_network(3, channels=10, hidden=8))
    recording = random_recording(2, 10, 800)
    trace, unit = run_reference(network, recording), 2.0 ** -bits
    chosen = suited_decays(network, bits, terms, recording, trace)
    other = 0
    for drive in drives(network, recording, trace.spikes):
        population, i = drive.population, drive.neuron
        a, b = (nearest_values(decay[i], bits, terms, 2)
                for decay in (population.synaptic_decay, population.membrane_decay))
        rest = {(x, y): membrane_errors(drive, (x * unit, y * unit)).rest for x in a for y in b}
        pair = tuple(int(d[i]) for d in (chosen[population.name].synaptic,
                                         chosen[population.name].membrane))
        assert rest[pair] == min(rest.values())
        other += pair != (a[0], b[0])
    assert other


def test_suited_decays_stay_nearest_where_bits_are_fine():
    network = retime(tiny_network(3, channels=10, hidden=8))
    recording = random_recording(2, 10, 800)
    chosen = suited_decays(network, 16, None, recording, run_reference(network, recording))
    nearest = round_decays(network, 16)
    for name, decays in chosen.items():
        assert decays.synaptic.tolist() == nearest[name].synaptic.tolist()
        assert decays.membrane.tolist() == nearest[name].membrane.tolist()


def test_decay_terms_of_a_model():
    network = tiny_network(1, channels=10, hidden=8)
    model, _, facts = compile_network(network, name="m", recording=random_recording(1, 10, 500),
                                      rules=Rules(decay_terms=2))
    told = facts["decay_terms"]
    assert told["most"] == 2
    for population in model.populations:
        for kind in ("synaptic", "membrane"):
            powers = told["terms"][population.name][kind]
            assert [sum(p) for p in powers] == getattr(population, f"{kind}_decay").tolist()
            assert max(map(len, powers)) <= 2
    assert "2 terms of 12 decay bits change " in facts["warnings"][0]
    assert facts["warnings"][0].endswith("take more terms")
    plain = compile_network(network, name="m", recording=random_recording(1, 10, 500))[2]
    assert "decay_terms" not in plain


def test_more_terms_come_closer():
    """On the default network and recording. The states fit although the weights are larger."""
    network = read_checkpoint("data/default.safetensors")
    recording = read_recording("data/default_recording.npz").head(1500)
    fidelity = []
    for terms in (1, 2, None):
        model, exact, _ = compile_network(network, name="m", recording=recording,
                                          rules=Rules(decay_terms=terms))
        answer = run_golden(model, recording, CoreConfig())
        assert not answer.saturated.any()
        fidelity.append(r_squared(run_reference(exact, recording).velocity,
                                  answer.velocity).mean())
    assert fidelity == sorted(fidelity)
    assert fidelity[1] > 0.9


@pytest.mark.parametrize("rules, message", [
    ({"states": "wide"}, "states must be one of calibrated, proven, not 'wide'"),
    ({"events_per_channel": 0}, "events_per_channel must be between 1 and 255, not 0"),
    ({"events_per_channel": 256}, "events_per_channel must be between 1 and 255, not 256"),
    ({"decay_terms": 0}, "decay_terms must be between 1 and 4, not 0"),
    ({"decay_terms": 5}, "decay_terms must be between 1 and 4, not 5"),
    ({"events_per_channel": "2"}, "events_per_channel must be an int, not '2'"),
    ({"events_per_channel": 1.5}, "events_per_channel must be an int, not 1.5"),
    ({"events_per_channel": None}, "events_per_channel must be an int, not None"),
    ({"decay_terms": True}, "decay_terms must be an int, not True"),
    ({"decay_terms": 2.5}, "decay_terms must be an int, not 2.5"),
])
def test_rules_wrong(rules, message):
    with refused(f"Rule {message}", TypeError if "an int" in message else ValueError):
        Rules(**rules)
