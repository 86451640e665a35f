# SPDX-License-Identifier: Apache-2.0
"""``spikewright virtual`` and ``spikewright load``: a board at a port, and a new model in it."""

import re
import signal
import subprocess
import sys
from types import SimpleNamespace

from spikewright.command.commands import run_words
from spikewright.model.artefact import load_artefact
from spikewright.model.saved import Model
from spikewright.sim.terminal import Terminal
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
    assert server.returncode == 0 and not link.is_symlink()


def test_old_link_to_a_device_is_replaced(tmp_path):
    link = tmp_path / "board"
    link.symlink_to("/dev/null")
    words = ["virtual", str(saved_model(tmp_path / "model")), "--link", str(link), "--freq", "8"]
    with subprocess.Popen([sys.executable, "-m", "spikewright", *words], text=True,
                          stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout.readline() == f"virtual board at {link}; Ctrl-C removes it\n"
            assert link.readlink().as_posix().startswith("/dev/pts/")
        finally:
            server.send_signal(signal.SIGINT)
    assert server.returncode == 0 and not link.is_symlink()


def test_board_that_fails_ends_the_command(tmp_path, call_command, monkeypatch):
    def fail(_):
        raise RuntimeError("no answer")

    monkeypatch.setattr(Terminal, "_serve", fail)
    link = tmp_path / "board"
    assert call_command("virtual", saved_model(tmp_path / "model"), "--link", link, "--freq",
                        "8") == (
        2, f"virtual board at {link}; Ctrl-C removes it\n",
        "error: Virtual board must answer until Ctrl-C, not end with an error: no answer\n")
    assert not link.is_symlink()


def test_model_is_not_loaded_into_a_virtual_board_that_nobody_runs(tmp_path, call_command):
    assert call_command("load", saved_model(tmp_path / "model"), "--port", "virtual") == (
        2, "", "error: Port must be that of a running board, not 'virtual'\n")


def test_link_is_refused_before_the_board_is_made(tmp_path, call_command, monkeypatch):
    link = tmp_path / "board"
    link.write_text("mine")
    monkeypatch.setattr("spikewright.host.decoder.virtual_board", lambda *_, **__: 1 / 0)
    told = f"error: Link {link} must be new or a symbolic link to a device, not another file\n"
    model = saved_model(tmp_path / "model")
    assert call_command("virtual", model, "--link", link) == (2, "", told)
    for target in (model, "gone"):
        link.unlink()
        link.symlink_to(target)
        assert call_command("virtual", model, "--link", link) == (2, "", told)
        assert link.is_symlink()


def test_graded_model_is_not_loaded(tmp_path, call_command, monkeypatch):
    path = saved_model(tmp_path / "model")
    monkeypatch.setattr(Model, "load", lambda _: SimpleNamespace(
        name="tiny", integers=SimpleNamespace(graded=True)))
    assert call_command("load", path, "--port", "/dev/none") == (2, "", (
        "error: Model tiny must have spiking populations to be loaded into a board, not graded "
        "ones\n"))
