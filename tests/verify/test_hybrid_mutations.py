# SPDX-License-Identifier: Apache-2.0
"""The RTL of the hybrid network, broken in one place at a time, differs from golden."""

import numpy as np
import pytest

from spikewright.model.artefact import save_artefact
from tests.graded import random_counts, recording_of
from tests.hybrid import hybrid_model, hybrid_network
from tests.verify.mutations import mutation_tests, saved

GRADED, SEQUENCER = "hw/engines/graded.py", "hw/sequencer.py"
LOGS, SPIKES = "hw/memories/logs.py", "hw/memories/spikes.py"

MUTATIONS = {
    "pool_takes_the_second": (GRADED, "Mux(pool & (read.data > found),", "Mux(0,"),
    "negative_value_lost": (GRADED, "Mux(total[-1] & ~pool, 0, total)", "Mux(total[-1], 0, total)"),
    "updated_in_every_step": (SEQUENCER, "(self._due | update.clear)", "1"),
    "due_as_the_operation_before": (SEQUENCER, "self._due.eq(table.next_due)",
                                    "self._due.eq(table.due)"),
    "value_of_the_unit_after": (GRADED, "_later(m, self.o.group) if params.late",
                                "self.o.group if params.late"),
    "value_logged_without_its_delay": (GRADED, "_later(m, valid)", "valid"),
    "mode_of_the_pass_before": ("hw/engines/mixed.py", 'turn = held["mode"][0]', "turn = 0"),
    "counts_stay_where_they_are": (SPIKES, "later.eq(before) for before, later in",
                                   "later.eq(0) for before, later in"),
    "spike_counted_in_another_step": (SPIKES, "row[0].eq(more)", "row[-1].eq(more)"),
    "list_of_this_step": (SPIKES, "age.eq(self.read.delay)", "age.eq(0)"),
    "series_moves_on_too_often": (LOGS, "self.step & params.series_turn.now(self.turn)",
                                  "self.step"),
    "lists_move_on_too_often": (LOGS, "self.step & params.turn.now(self.turn)", "self.step"),
    "value_in_a_list_of_spikes": (LOGS, "self.spike.valid & ~of_series", "self.spike.valid"),
    "spike_in_the_series": (LOGS, "self.spike.valid & of_series", "self.spike.valid"),
    "series_read_as_spikes": (LOGS, "with m.If(of_series):", "with m.If(0):"),
    "line_of_neurons_is_not_kept": ("hw/engines/parallel.py", "Mux(d.valid, x[:params.current], 0)",
                                    "Mux(d.valid, x[:params.current], x[:params.current])"),
}


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory):
    """A folder with a model and a recording, with resets in all phases."""
    folder = tmp_path_factory.mktemp("hybrid")
    save_artefact(folder / "model", hybrid_model(1), hybrid_network(1), {})
    counts = np.concatenate([random_counts(1, 200, 6, rate=0.5), np.zeros((30, 6), int),
                             random_counts(2, 170, 6)])
    recording = recording_of(counts)
    recording.reset[[50, 103, 206, 301]] = True
    saved(folder, recording)
    return folder


(test_without_mutation_the_check_passes, test_mutations_are_of_the_code,
 test_mutation_is_seen) = mutation_tests("hybrid", MUTATIONS, len(MUTATIONS))
