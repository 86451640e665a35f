# SPDX-License-Identifier: Apache-2.0
"""The gates of one model, loaded with another of the same form.

They are synthesized and simulated only with ``SPIKEWRIGHT_GATES_LOAD=1`` in the environment.
"""

import os

import pytest

import spikewright.verify.gates.top as gates
from spikewright.base.errors import InputError
from spikewright.boards.board.platforms import BOARDS
from spikewright.golden.run import run_golden
from spikewright.hw.params import link_params
from spikewright.verify.gates.core import core_gates
from tests.designs import BUILD, plan_of
from tests.networks import deep_model, random_recording
from tests.sim.test_model_load import changed


def test_core_without_its_link_is_not_loaded():
    with pytest.raises(InputError, match="^Core load must be none to simulate its gates, not "
                       "model$"):
        core_gates(plan_of(deep_model(4), load="model"), BOARDS["icebreaker"], BUILD)


@pytest.mark.skipif("SPIKEWRIGHT_GATES_LOAD" not in os.environ,
                    reason="two minutes; SPIKEWRIGHT_GATES_LOAD=1 runs it")
@pytest.mark.parametrize("choices", [
    {}, {"staging": "large"}, {"staging": "large", "weight_memory": "large"}, {"staging": "block"}])
def test_loaded_gates_equal_golden_of_the_new_model(tmp_path, monkeypatch, choices):
    old = plan_of(deep_model(4), 2, load="model", **choices)
    new = plan_of(changed(old.model), 2, load="model", **choices)
    synthesize = gates.synthesize

    def old_gates(board, plan, link, clock, folder):
        link = link_params(old, model_hash="11" * 32, clock_hz=link.clock_hz, baud=link.baud)
        synthesize(board, old, link, clock, folder)

    monkeypatch.setattr(gates, "synthesize", old_gates)
    recording = random_recording(4, 6, 25, reset=[0])
    info, steps = gates.run_gates(new, "22" * 32, recording, tmp_path)
    golden = run_golden(new.model, recording, new.config)
    assert gates.gate_differences(golden, steps) == []
    assert (golden.velocity_int != run_golden(old.model, recording, old.config).velocity_int).any()
    assert info.loaded and info.model_hash == b"\x22" * 8
