# SPDX-License-Identifier: Apache-2.0

import pytest

from quantize.cli import run_command

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


@pytest.fixture
def call_command(capsys):
    """Run a package's command in this process: exit status, standard output, standard error."""
    def call(module, *arguments):
        try:
            run_command(lambda: module.main([str(argument) for argument in arguments]))
            status = 0
        except SystemExit as error:
            status = error.code or 0
        return status, *capsys.readouterr()
    return call
