# SPDX-License-Identifier: Apache-2.0
"""``spikewright virtual`` and ``spikewright load``: a board at a port, and a new model in it."""

import re
import subprocess
import sys

from spikewright.command import run_words
from spikewright.model.artefact import load_artefact
from tests.boards.boards_bench import saved_model


def test_model_is_loaded_into_a_virtual_board_of_another_process(tmp_path, capsys):
    old = saved_model(tmp_path / "old")
    _, manifest = load_artefact(old)
    link = tmp_path / "board"
    words = ["virtual", str(old), "--link", str(link), "--freq", "8", "--load", "model"]
    with subprocess.Popen([sys.executable, "-m", "spikewright", *words], text=True,
                          stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout.readline() == f"virtual board at {link}; Ctrl-C removes it\n"
            run_words(["load", str(old), "--port", str(link)])
            assert re.match(rf"^the board at {link} has model {manifest['model_hash'][:16]}, after "
                            r"\d+\.\d\d s\n$", capsys.readouterr().out)
        finally:
            server.terminate()
