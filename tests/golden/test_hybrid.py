# SPDX-License-Identifier: Apache-2.0
"""Golden runs the hybrid network as a second form of its integers, and as the float network.

``SPIKEWRIGHT_NETWORKS=100`` in the environment runs so many random networks instead of 6, 100 at
most.
"""

import os

import numpy as np
import pytest

from docs.make.vectors import hybrid_tensors
from spikewright.golden.run import run_golden
from spikewright.golden.stepper import Stepper
from spikewright.model.graded import GradedPopulation
from spikewright.network.graded.run import run_graded
from spikewright.network.state_dicts.srtnet import srtnet_network
from spikewright.plan.config import CoreConfig
from spikewright.quantize.graded.hybrid import quantize_hybrid
from tests.golden.plain_hybrid import plain_hybrid
from tests.graded import graded_network, random_counts, recording_of
from tests.hybrid import hybrid_model
from tests.vectors import dense, vector

NETWORKS = min(int(os.environ.get("SPIKEWRIGHT_NETWORKS", "6")), 100)


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_golden_is_as_the_plain_form(seed):
    as_the_plain_form(hybrid_model(seed), random_counts(seed, 60, 6))


def test_values_are_clamped_as_in_the_plain_form():
    model, counts = hybrid_model(0), random_counts(0, 60, 6, rate=2)
    answer = as_the_plain_form(model, counts)
    assert answer.saturated.any() and not answer.saturated.all()
    assert answer.values.max() == (1 << model.value_bits - 1) - 1


def test_second_convolution_may_have_one_tap():
    as_the_plain_form(hybrid_model(0, taps=(2, 1)), random_counts(0, 60, 6))


def test_first_convolution_has_two_taps():
    with pytest.raises(ValueError, match=r"^Stage conv1 must have 2 taps or more, so that it can "
                                         r"be rounded to integers, not 1$"):
        hybrid_model(0, taps=(1, 4))


def as_the_plain_form(model, counts):
    """Check golden over ``counts`` with a reset in step 25. Returns its answer."""
    recording = recording_of(counts)
    recording.reset[25] = True
    answer = run_golden(model, recording, CoreConfig())
    parts = [plain_hybrid(model, part) for part in (counts[:25], counts[25:])]
    assert answer.values.any() and answer.spikes.any()
    assert np.array_equal(answer.velocity_int, np.concatenate([part[0] for part in parts]))
    assert np.array_equal(answer.spikes, np.concatenate([part[1] for part in parts]))
    assert np.array_equal(answer.saturated, np.concatenate([part[2] for part in parts]))
    return answer


def test_stepper_is_as_a_run():
    model, recording = hybrid_model(1), recording_of(random_counts(1, 40, 6))
    recording.reset[17] = True
    answer, stepper = run_golden(model, recording, CoreConfig()), Stepper(model, CoreConfig())
    for t in range(recording.steps):
        rows = recording.channel[recording.start[t]:recording.start[t + 1]].tolist()
        outputs, cycles, saturated = stepper.step(rows, bool(recording.reset[t]))
        assert outputs.tolist() == answer.velocity_int[t].tolist()
        assert (cycles, saturated) == (answer.cycles[t], answer.saturated[t])
        assert np.array_equal(stepper.spikes, answer.spikes[t])


@pytest.mark.parametrize("weight_bits, value_bits", [
    (4, [8, 11]), (8, [8, 11]), (10, [10, 13]), (12, [12, 15]), (14, [10, 13]), (16, [8, 11])])
def test_bits_of_values(weight_bits, value_bits):
    """Wider weights come with wider values, so long as products fit."""
    recording = recording_of(random_counts(0, 200, 6))
    model = quantize_hybrid(graded_network("sRTnet", 0), recording, name="made",
                            weight_bits=weight_bits)
    assert [p.bits for p in model.populations if isinstance(p, GradedPopulation)] == value_bits


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("reset", [0, 1])
def test_many_bits_are_as_the_float_network(phase, reset):
    network = graded_network("sRTnet", 3, phase=phase, reset=reset)
    recording = recording_of(random_counts(3, 400, 6))
    model = quantize_hybrid(network, recording, name="many", weight_bits=12, value_bits=(13, 13))
    wanted, answer = run_graded(network, recording), run_golden(model, recording, CoreConfig())
    assert np.array_equal(answer.spikes, wanted.spikes)
    assert answer.velocity == pytest.approx(wanted.velocity, abs=3e-4)


def test_trained_network_keeps_its_answers():
    data = vector("trained_srtnet")
    network, recording = srtnet_network(hybrid_tensors(data), 4e-3), recording_of(dense(data))
    model = quantize_hybrid(network, recording, name="trained")
    wanted = run_graded(network, recording).velocity
    answer = run_golden(model, recording, CoreConfig())
    lost = ((answer.velocity - wanted) ** 2).sum(axis=0) / ((wanted - wanted.mean(0)) ** 2).sum(0)
    assert (1 - lost).min() > 0.985 and not answer.saturated.any()
    # Label k is keypoint k + 6, which is reached 3 steps after it comes.
    step = 1 + 3 + 4 * (6 + np.arange(len(data["label"])))
    label = data["label"][step < recording.steps]
    error, given = [], step[step < recording.steps]
    for velocity in (wanted, answer.velocity):
        missed = ((velocity[given] - label) ** 2).sum(axis=0)
        error.append(missed / ((label - label.mean(0)) ** 2).sum(axis=0))
    assert (error[1] - error[0]).mean() < 0.006
    assert answer.cycles.mean() * 4 < 21_000
