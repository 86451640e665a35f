# SPDX-License-Identifier: Apache-2.0

import dataclasses

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import model_hash
from spikewright.model.integers import Widths
from spikewright.network.network import INPUT, Network, Population, Projection
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.calibrate import MARGIN, calibrate
from spikewright.quantize.compile import compile_network
from spikewright.quantize.rounding import nearest
from tests.networks import make_recording, nearest_model, random_recording, refused, tiny_network

SHAPE = {"channels": 20, "hidden": 12}


@pytest.fixture(scope="module")
def network():
    return retime(tiny_network(0, **SHAPE))


@pytest.fixture(scope="module")
def recording():
    return random_recording(0, 20, 300, rate=0.1)


def _nearest(network, weight=8):
    return nearest(network, (weight,) * len(network.projections))


def _peaks(network, recording, weight):
    trace, sigma = run_reference(network, recording), _nearest(network, weight).scale
    return [max((peak[name] / sigma[name]).max() for name in sigma)
            for peak in (trace.current_peak, trace.membrane_peak)]


@pytest.mark.parametrize("weight, current, membrane", [
    (8, 16, 20), (8, 16, 16), (4, 12, 14), (8, 14, 20), (12, 20, 24), (2, 10, 12)])
def test_calibrate_takes_the_most_fraction_bits_that_fit(network, recording, weight, current,
                                                         membrane):
    widths = Widths(weight=weight, current=current, membrane=membrane, fraction=0)
    result = calibrate(network, _nearest(network, weight), recording, widths)
    s_peak, m_peak = _peaks(network, recording, weight)
    assert (result.current_peak, result.membrane_peak) == pytest.approx((s_peak, m_peak))
    assert (result.margin, result.source) == (MARGIN, "made")

    def fits(fraction):
        unit = MARGIN * 2**fraction
        return s_peak * unit < 1 << current - 1 and m_peak * unit < 1 << membrane - 1
    fraction = result.widths.fraction
    assert fits(fraction)
    assert not fits(fraction + 1) or fraction in (8, current - weight)
    assert result.widths == dataclasses.replace(widths, fraction=fraction)


def test_calibrate_leaves_room_for_the_largest_weight():
    """With few spikes more fraction bits would fit the states than fit a large weight."""
    network = retime(tiny_network(0, **SHAPE))
    network.projections[1].weights[0] *= 1e-4
    widths = Widths(current=12)
    result = calibrate(network, _nearest(network), make_recording([[0]] * 50, 20), widths)
    assert result.widths.fraction == 4


def test_calibrated_widths_do_not_saturate(network, recording):
    result = calibrate(network, _nearest(network), recording, Widths())
    model = nearest_model(network, result.widths, "m")
    answer = run_golden(model, recording, CoreConfig())
    assert answer.spikes.sum() > 100
    assert not answer.saturated.any()


def test_calibrate_when_nothing_fits(network):
    loud = make_recording([list(range(20)) * 20] * 50, 20)
    s_peak, m_peak = _peaks(network, loud, 8)
    with refused(f"States must fit 12 and 12 bits, not peak at {s_peak:.0f} and {m_peak:.0f} "
                 "weight LSB with a margin of 1.5: take fewer weight bits or wider states",
                 ValueError):
        calibrate(network, _nearest(network), loud, Widths(current=12, membrane=12))


def test_compile_facts(network, recording):
    model, float_network, facts = compile_network(tiny_network(0, **SHAPE), name="n",
                                                  recording=recording)
    assert (float_network.lead_steps, model.lead_steps, model.name) == (5, 5, "n")
    told = facts["calibration"]
    assert told["source"] == "made" and not told["simulated"] and not told["proven"]
    assert told["proven_bits"]["current"] > model.widths.current
    assert list(facts) == ["calibration", "dropped", "non_zeros", "warnings"]
    assert facts["non_zeros"] == sum(np.count_nonzero(p.weights) for p in model.projections)
    assert facts["dropped"] == {"channels": 0, "neurons": 0, "empty_rows": 0, "shared_rows": 0}
    assert facts["warnings"] == []


def test_compile_with_proven_widths(recording):
    _, _, facts = compile_network(tiny_network(0, **SHAPE), name="n", recording=recording,
                                  widths=Widths(current=24, membrane=28, weight=4))
    assert facts["calibration"]["proven"]
    assert facts["calibration"]["rule"].endswith(
        "; no input of at most one spike per channel and step can saturate a state")


def test_compile_warns_of_simulated_calibration():
    _, _, facts = compile_network(tiny_network(0, **SHAPE), name="n")
    bits = facts["calibration"]["proven_bits"]
    warning, = facts["warnings"]
    assert warning == (
        "states of 16 and 20 bits may saturate: their scale comes from simulated Poisson spikes, "
        f"20 Hz per channel, seed 1, and only {bits['current']} and {bits['membrane']} bits are "
        "safe for every input; calibrate on a recording of yours")


def test_compile_warns_of_changed_time_constants(recording):
    network = tiny_network(0, **SHAPE)
    decay = np.full(12, 0.5)
    decay[[4, 7]] = 0.98, 0.99
    hidden = dataclasses.replace(network.populations[0], membrane_decay=decay)
    network = dataclasses.replace(network, populations=(hidden, network.populations[1]))

    def warnings(bits):
        _, _, facts = compile_network(network, name="n", recording=recording,
                                      widths=Widths(decay=bits))
        return [text for text in facts["warnings"] if "hidden" in text and "membrane" in text]
    # 0.99 becomes 127/128 and 0.98 becomes 125/128; the time constants are -4 ms / log(decay).
    warning, = warnings(7)
    assert warning == ("7 decay bits change 2 membrane time constants of hidden by more than 5% "
                       "(neuron 7: 398 ms becomes 510 ms): take more decay bits")
    assert warnings(12) == []


def test_compile_warns_of_dropped_parts(recording):
    network = tiny_network(0, **SHAPE)
    network.projections[1].weights[[2, 5, 6]] = 0
    network.projections[0].weights[:, 3] = -1
    network.projections[1].weights[:, 3] = -1
    network.projections[1].weights[[2, 5, 6], 3] = 0
    _, _, facts = compile_network(network, name="n", recording=recording)
    assert facts["dropped"]["channels"] == 3
    assert facts["warnings"] == [
        "channels that can change no output, left out: 3",
        "neurons that can never fire, left out: 1"]


def test_compile_drops_projections_without_weights(recording):
    """The model is that of a network without the projection, and golden runs fewer operations."""
    network = tiny_network(0, **SHAPE)
    network.projections[0].weights[:] = 0
    without = dataclasses.replace(network, projections=network.projections[1:])
    model, exact, facts = compile_network(network, name="n", recording=recording)
    other, _, told = compile_network(without, name="n", recording=recording)
    assert model_hash(model) == model_hash(other)
    assert [p.title for p in model.projections] == [p.title for p in exact.projections] == [
        "input->hidden", "hidden->readout"]
    note = "projections without a weight other than 0, left out: 1 (hidden->hidden)"
    assert facts["warnings"] == [note, *told["warnings"]]


def test_compile_has_no_bits_for_a_projection_without_weights(recording):
    network = tiny_network(0, **SHAPE)
    network.projections[0].weights[:] = 0
    with refused("Projection must be one of input, output, not 'recurrent'", ValueError):
        compile_network(network, name="n", recording=recording, projection_bits={"recurrent": 2})


def test_compile_warns_of_clipped_weights(recording):
    network = tiny_network(0, **SHAPE)
    facts = compile_network(network, name="n", recording=recording,
                            widths=Widths(weight=2, fraction=0))[2]
    told = [text for text in facts["warnings"] if "clipped" in text]
    assert told and told[0].startswith("hidden->readout: ")
    assert told[0].endswith("so that 2 bits round the others less: take more weight bits")


@pytest.mark.parametrize("events, channels, dt, message", [
    ([[0]], 19, 4e-3, "Recording made n_channels must be 20, as the network has, not 19"),
    ([[0]], 20, 5e-3, "Recording made dt must be 0.004 s, as the network has, not 0.005"),
    ([[]],  20, 4e-3, "Recording made must hold spikes to calibrate on, not none"),
])
def test_compile_with_wrong_recording(events, channels, dt, message):
    with refused(message, ValueError):
        compile_network(tiny_network(0, **SHAPE), name="n",
                        recording=make_recording(events, channels, dt=dt))


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines", "\udcff"])
def test_compile_with_wrong_name(name):
    with refused(f"Model name must be 1 to 100 printable characters, not {name!r}", ValueError):
        compile_network(tiny_network(0), name=name)


def _small_inputs(factor, channel=slice(None)):
    network = tiny_network(0, **SHAPE)
    network.projections[1].weights[channel] *= factor
    return network


ADVICE = "take more weight bits"


def test_compile_tells_what_rounding_takes(recording):
    """A channel that the checkpoint uses has another warning than one that it does not use."""
    network = _small_inputs(1e-3, 4)
    _, _, facts = compile_network(network, name="n", recording=recording, widths=Widths(weight=4))
    assert [text for text in facts["warnings"] if "left out" in text] == [
        "channels that can change no output once weights are rounded, left out: 1 (4): " + ADVICE]


def test_compile_warns_of_weights_that_vanish(recording):
    facts = compile_network(tiny_network(0, **SHAPE), name="n", recording=recording,
                            widths=Widths(weight=2))[2]
    texts = [text for text in facts["warnings"] if "of the weights become 0" in text]
    assert texts and all(text.endswith(
        "because with 2 bits they are too small beside the largest weights of their neurons: take "
        "more weight bits") for text in texts)
    facts = compile_network(tiny_network(0, **SHAPE), name="n", recording=recording)[2]
    assert not any("become 0" in text for text in facts["warnings"])


def test_compile_warns_of_neurons_that_rounding_silences(recording):
    network = tiny_network(0, **SHAPE)
    for projection in network.projections[:2]:
        projection.weights[:, 2] = np.where(projection.weights[:, 2] > 0, 1e-6, -1)
    facts = compile_network(network, name="n", recording=recording, widths=Widths(weight=4))[2]
    assert [text for text in facts["warnings"] if "left out" in text] == [
        "neurons that can never fire once weights are rounded, left out: 1 (hidden 2): " + ADVICE]


def test_neurons_that_fire_by_themselves_only_through_others(recording):
    """Only neuron 2 drives neuron 3, and channel 5 drives only neuron 3."""
    def warnings(weight):
        network = tiny_network(0, **SHAPE)
        recurrent, inward, _ = (projection.weights for projection in network.projections)
        recurrent[:, 2:4] = inward[:, 2:4] = -1
        inward[0, 2] = weight
        recurrent[2, 3] = 1
        inward[5, np.arange(inward.shape[1]) != 3] = 0
        facts = compile_network(network, name="n", recording=recording,
                                widths=Widths(weight=4))[2]
        return [text for text in facts["warnings"] if "left out" in text]

    assert warnings(1) == []
    assert warnings(1e-6) == [
        f"channels that can change no output once weights are rounded, left out: 1 (5): {ADVICE}",
        "neurons that can never fire once weights are rounded, left out: 2 (hidden 2, hidden 3): "
        + ADVICE]
    assert warnings(-1) == ["channels that can change no output, left out: 1",
                            "neurons that can never fire, left out: 2"]


@pytest.mark.parametrize("factor, told", [
    (0, ("Network must have an input weight that is not 0, not only zeros: no spike would reach a "
        "neuron")),
    (1e-5, ("Model must have an input weight that is not 0, but all of them round to 0 beside the "
           "largest weights of their neurons: take more weight bits"))])
def test_compile_refuses_a_network_that_no_spike_reaches(recording, factor, told):
    with refused(told, ValueError):
        compile_network(_small_inputs(factor), name="n", recording=recording)


@pytest.mark.parametrize("decay, peak, fraction", [(1.0, 16, 6), (0.96875, 32, 5)])
def test_integrator_that_drifts_below(decay, peak, fraction):
    """A weight of -1 in each of 400 steps. Sixteen thresholds of 1 count, or what a leak leaves."""
    one = np.ones(1)
    network = Network(
        channels=2, dt=4e-3,
        populations=(Population(name="n", spiking=True, reset="zero_keep", threshold=one,
                                synaptic_decay=0 * one, membrane_decay=decay * one),
                     Population(name="out", spiking=False, synaptic_decay=0 * one,
                                membrane_decay=0 * one, threshold=one)),
        projections=(Projection(source=INPUT, target="n", delay=0,
                                weights=np.array([[-1.0], [1.0]])),
                     Projection(source="n", target="out", delay=0, weights=one[:, None])))
    recording = make_recording([[0]] * 400, 2)
    found = calibrate(network, nearest(network, (2, 2)), recording,
                      Widths(weight=2, current=12, membrane=12))
    assert found.membrane_peak == pytest.approx(peak, rel=1e-4)
    assert found.widths.fraction == fraction
