# SPDX-License-Identifier: Apache-2.0

import pytest

from spikewright.model.artefact import save_artefact
from tests.model.parts import compiled


@pytest.fixture
def folder(tmp_path):
    save_artefact(tmp_path / "model", *compiled(0, "net"))
    return tmp_path / "model"
