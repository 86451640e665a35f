# SPDX-License-Identifier: Apache-2.0
"""A core that was built with one model, and loaded with another of the same form."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.sim.compiled import run_compiled
from tests.designs import BUILD, plan_of
from tests.networks import MIXED, deep_model, random_recording

CHOICES = [({}, None), ({"lanes": 17}, None), ({"tables": "bitmap"}, None),
           ({"tables": "rows", "lanes": 3}, None), ({"multiplier": "serial"}, None),
           ({"weight_memory": "large", "lanes": 3}, None), ({"lanes": 1}, MIXED),
           ({"tables": "smallest"}, MIXED), ({"staging": "block"}, None),
           ({"staging": "large", "weight_memory": "large", "lanes": 3}, None)]


def changed(model):
    """A model of the same form, with other weights, decays and thresholds."""
    projections = tuple(dataclasses.replace(p, weights=np.where(
        p.weights == -p.largest - 1, p.weights, -p.weights)) for p in model.projections)
    populations = tuple(dataclasses.replace(
        p, synaptic_decay=p.synaptic_decay[::-1].copy(),
        membrane_decay=p.membrane_decay[::-1].copy(),
        threshold=p.threshold // 2 if p.spiking else p.threshold) for p in model.populations)
    return dataclasses.replace(model, projections=projections, populations=populations)


@pytest.mark.parametrize("choices, widths", CHOICES, ids=[str(choice) for choice, _ in CHOICES])
def test_loaded_core_equals_golden_of_the_new_model(choices, widths):
    built = deep_model(4, *([None, widths] if widths else []))
    model = changed(built)
    old, new = (plan_of(m, **choices, load="model") for m in (built, model))
    assert old.program_hash == new.program_hash and old.loaded != new.loaded
    recording = random_recording(4, 6, 200, reset=[0, 70, 71])
    golden = run_golden(model, recording, new.config)
    assert golden.spikes.any()
    assert (golden.spikes != run_golden(built, recording, new.config).spikes).any()
    answer = run_compiled(new, recording, BUILD, convert(Core(core_params(old))))
    assert differences(golden, answer) == []


def test_core_has_its_own_model_before_another_is_loaded():
    model, recording = deep_model(4), random_recording(4, 6, 100)
    text = convert(Core(core_params(plan_of(model, load="model"))))
    plan = plan_of(model)       # without a word to load
    assert differences(run_golden(model, recording, plan.config),
                       run_compiled(plan, recording, BUILD, text)) == []
