# SPDX-License-Identifier: Apache-2.0
"""Warnings about a model that behaves unlike its network."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.check import changed_behaviour
from spikewright.model.integers import Widths
from spikewright.network.retime import retime
from spikewright.quantize.graded.compile import compile_graded
from tests.graded import graded_network, random_counts, recording_of
from tests.hybrid import hybrid_model, hybrid_network
from tests.networks import nearest_model, random_recording, tiny_network
from tests.units import inner_model

WIDTHS = Widths(weight=8, current=20, membrane=24, fraction=4)


@pytest.fixture
def case():
    network = retime(tiny_network(3, channels=8, hidden=6))
    return nearest_model(network, WIDTHS, "m"), network, random_recording(3, 8, 400)


def _with_thresholds(model, **changes):
    first, *rest = model.populations
    threshold = first.threshold.copy()
    for place, value in changes.items():
        threshold[int(place[1:])] = value
    return dataclasses.replace(model, populations=(dataclasses.replace(first, threshold=threshold),
                                                   *rest))


def test_nothing_is_told_of_a_good_model(case):
    assert changed_behaviour(*case) == []


def test_silent_neurons_are_told(case):
    model, network, recording = case
    high = (1 << 23) - 1
    silent = _with_thresholds(model, n1=high, n2=high)
    told, = changed_behaviour(silent, network, recording)
    assert told == ("neurons that never fire over made, unlike before rounding: hidden 1, "
                    "hidden 2; take more weight bits")
    told, = changed_behaviour(silent, network, recording, retrained=True)
    assert told.endswith(", unlike in the network before: hidden 1, hidden 2; the training changed "
                         "them")


def test_a_neuron_silent_before_is_not_told(case):
    model, network, recording = case
    network.populations[0].threshold[1] = 1e6
    assert changed_behaviour(_with_thresholds(model, n1=(1 << 23) - 1), network, recording) == []


def test_neurons_that_never_rest_are_told(case):
    model, network, recording = case
    model.projections[1].weights[:, 4] = 100
    restless = _with_thresholds(model, n4=0)
    told = changed_behaviour(restless, network, recording.cut(0, 60))
    assert told[0].startswith("neurons that fire in every other step over made, unlike before "
                              "rounding: hidden 4")


def test_neurons_that_may_fire_in_every_step_are_not_told(case):
    model, network, recording = case
    model.projections[1].weights[:, 4] = 100
    first, *rest = _with_thresholds(model, n4=0).populations
    model = dataclasses.replace(model, populations=(
        dataclasses.replace(first, reset="subtract_next"), *rest))
    assert not any("every other step" in told
                   for told in changed_behaviour(model, network, recording.cut(0, 60)))


def test_neurons_of_inner_steps_are_told():
    """A neuron has a column for each of the 7 inner steps."""
    network = graded_network("SNN_Flat", 0, channels=3, hidden=(4, 3))
    model = inner_model(0)
    threshold = model.index("lif2").threshold.copy()
    threshold[2] = model.widths.largest_membrane
    silent = dataclasses.replace(model, populations=tuple(
        dataclasses.replace(p, threshold=threshold) if p.name == "lif2" else p
        for p in model.populations))
    told, = changed_behaviour(silent, network, recording_of(random_counts(0, 100, 3, 0.06)))
    assert told == (
        "neurons that never fire over made, unlike before rounding: lif2 2 of inner step 0, "
        "lif2 2 of inner step 1, lif2 2 of inner step 2, lif2 2 of inner step 3, lif2 2 of inner "
        "step 4 and 2 more; take more weight bits")


def test_saturation_is_told(case):
    model, network, recording = case
    narrow = dataclasses.replace(model, widths=dataclasses.replace(model.widths, current=12))
    assert changed_behaviour(narrow, network, recording)[-1].startswith(
        "a state saturated over made, from step ")


def test_a_full_log_is_told():
    """It has room for 64 events. 12 come in each step, and leave after 8 steps."""
    recording = recording_of(np.full((40, 6), 2))
    network = hybrid_network(0, taps=(9, 4))
    told = changed_behaviour(hybrid_model(0, taps=(9, 4)), network, recording)
    assert told[-1] == (
        "events were lost over made, from step 5 on: the input log has room for 64, and 72 came in "
        "6 steps; take a network with fewer taps or channels, or limit the counts of a step")


def test_a_clamped_value_is_told():
    """The calibration had an event in 1,000 steps of a channel, this recording has one in 5."""
    network, quiet = graded_network("ANN", 0), recording_of(random_counts(0, 200, 6, 0.001))
    model, _ = compile_graded(network, name="made", recording=quiet)
    told = changed_behaviour(model, network, recording_of(random_counts(1, 60, 6, 0.2)))
    assert told[-1] == ("a value or a state was clamped over made, from step 8 on: calibrate with "
                        "a recording that is as lively (--calibrate)")


def test_many_neurons_are_counted():
    network = retime(tiny_network(3, channels=20, hidden=30))
    model = nearest_model(network, WIDTHS, "m")
    network.populations[0].threshold[:] = 0.05
    silent = _with_thresholds(model, **{f"n{i}": (1 << 23) - 1 for i in range(30)})
    told, = changed_behaviour(silent, network, random_recording(3, 20, 400))
    named = np.array(told.split(": ")[1].split(", "))
    assert len(named) == 5 and " more; take more weight bits" in told
