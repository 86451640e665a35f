# SPDX-License-Identifier: Apache-2.0

import pytest

from quantize.cli import run_command

from .networks import SHARED


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
