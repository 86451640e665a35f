# SPDX-License-Identifier: Apache-2.0

import pytest

from .networks import SHARED


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run sweeps that take minutes")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; run with --slow"))


@pytest.fixture
def shared():
    """Folder of the published networks, beside the repository."""
    if not (SHARED / "checkpoints").is_dir():
        pytest.skip("the published networks are not in ../shared")
    return SHARED
