# SPDX-License-Identifier: Apache-2.0
"""The RTL of the hybrid network, broken in one place at a time, differs from golden.

A run takes the first mutation, or all with ``SPIKEWRIGHT_MUTATIONS=1``, see `test_mutations`.
"""

import numpy as np
import pytest

from spikewright.model.artefact import save_artefact
from tests.graded import random_counts, recording_of
from tests.hybrid import hybrid_model, hybrid_network
from tests.verify.test_mutations import ROOT, check_mutation, checked, copied, saved, taken

GRADED, SEQUENCER = "hw/engines/graded.py", "hw/sequencer.py"

MUTATIONS = {
    "pool_takes_the_second": (GRADED, "Mux(pool & (read.data > found),", "Mux(0,"),
    "negative_value_lost": (GRADED, "Mux(total[-1] & ~pool, 0, total)", "Mux(total[-1], 0, total)"),
    "updated_in_every_step": (SEQUENCER, "(self._due | update.clear)", "1"),
    "due_as_the_operation_before": (SEQUENCER, "self._due.eq(table.next_due)",
                                    "self._due.eq(table.due)"),
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


def test_without_mutation_the_check_passes(hybrid, tmp_path):
    copied(tmp_path)
    result = checked(hybrid, tmp_path)
    assert result.returncode == 0, result.stderr


def test_mutations_are_of_the_code():
    for path, old, _ in MUTATIONS.values():
        assert (ROOT / path).read_text().count(old) == 1, f"{path} must hold {old!r} once"


@pytest.mark.parametrize("name", taken(MUTATIONS, len(MUTATIONS)))
def test_mutation_is_seen(name, hybrid, tmp_path):
    check_mutation(name, MUTATIONS[name], hybrid, tmp_path)
