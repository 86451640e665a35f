# SPDX-License-Identifier: Apache-2.0
"""The RTL of a normalized window and of inner steps, broken in one place, differs from golden."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import save_artefact
from spikewright.plan.config import CoreConfig
from tests.graded import graded_network
from tests.networks import make_recording, random_recording
from tests.units import inner_model, near_the_end
from tests.verify.mutations import mutation_tests, saved

NORMALIZE, MOMENTS = "hw/engines/normalize.py", "hw/memories/moments.py"

MUTATIONS = {
    "epsilon_forgotten": (NORMALIZE, "self._product + self.params.epsilon", "self._product"),
    "mean_not_subtracted": (NORMALIZE, "wide - self._product, self", "wide, self"),
    "spread_without_its_mean": (NORMALIZE, "spread.eq(spread - self._product)",
                                "spread.eq(spread)"),
    "exponent_stays": (NORMALIZE, "self._exponent.eq(self._exponent - 1)",
                       "self._exponent.eq(self._exponent)"),
    "root_of_the_step_before": (NORMALIZE, "port.en.eq(1)", "port.en.eq(self.control.inner == 1)"),
    "fits_once_too_often": (NORMALIZE, "self._left <= self._exponent",
                            "self._left <= self._exponent + 1"),
    "current_wraps": (NORMALIZE, "saturate(current, params.current)", "current"),
    "clamped_current_not_told": (NORMALIZE, "self._step & ~clear & overflows(current",
                                 "0 & overflows(current"),
    "reset_leaves_sums": (NORMALIZE, "Mux(clear, 0, saturate(current, params.current))",
                          "saturate(current, params.current)"),
    "reset_leaves_counts": (NORMALIZE, "self.moments.zero.valid.eq(1)",
                            "self.moments.zero.valid.eq(0)"),
    "reset_leaves_some_counts": (NORMALIZE, "self.moments.zero.row.eq(self._left - 1)",
                                 "self.moments.zero.row.eq(0)"),
    "reset_leaves_moments": ("hw/core.py", "moments.clear.eq(sequencer.cleared)",
                             "moments.clear.eq(0)"),
    "leaving_event_counted": ("hw/sequencer.py", "table.row.gain < 0", "0"),
    "one_part_counted": ("hw/program.py", "self.part.eq(operation.part)", "self.part.eq(0)"),
    "square_of_the_new_count": (MOMENTS, "(n << 1) + 1", "(n << 1) + 3"),
    "membranes_go_on": ("hw/engines/neurons.py", "Mux(control.inner == 0, 0, before)", "before"),
    "spikes_of_all_inner_steps": ("hw/core.py", "spikes.restart.eq(sequencer.update.start)",
                                  "spikes.restart.eq(0)"),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A folder with a model, and a recording with resets, before one of which currents saturate."""
    folder = tmp_path_factory.mktemp("inner")
    model = near_the_end(inner_model(11, channels=4, hidden=(3, 3)))
    network = graded_network("SNN_Flat", 11, channels=4, hidden=(3, 3))
    save_artefact(folder / "model", model, network, {})
    events = random_recording(3, 4, 400, rate=0.3)
    recording = make_recording(np.split(events.channel, events.start[1:-1]), 4, reset=[150, 151])
    saved(folder, recording)
    answer = run_golden(model, recording, CoreConfig())
    assert answer.saturated.any() and np.ptp(answer.velocity_int, axis=0).min() > 0
    return folder


(test_without_mutation_the_check_passes, test_mutations_are_of_the_code,
 test_mutation_is_seen) = mutation_tests("case", MUTATIONS, 9)
