# SPDX-License-Identifier: Apache-2.0
"""Imported graphs give the spikes and membranes that their frameworks gave."""

import numpy as np
import pytest

from tests.networks import SHARED

from .corpus import NAMES, Entry, needs_corpus

# These frameworks calculate in float32, or store their decays so. Their states are up to 30.
SINGLE = ("rockpool", "sinabs", "spyx", "snn-scalar")

pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")


def test_corpus_is_whole():
    if not SHARED.is_dir():
        pytest.skip("the NIR graphs are not in ../shared")
    assert len(NAMES) == 26


@needs_corpus
@pytest.mark.parametrize("name", NAMES)
def test_graph_gives_what_its_framework_gave(name):
    entry = Entry(name)
    found = list(entry.answers(entry.reading.network))
    assert [node for node, *_ in found] == list(entry.meta["keys"])
    for node, spikes, expected, membrane, kept in found:
        assert np.count_nonzero(spikes != expected) == 0, node
        limit = 1e-5 if name.startswith(SINGLE) else 1e-9
        assert np.abs(membrane - kept).max() <= limit * max(1, np.abs(kept).max()), node
