# SPDX-License-Identifier: Apache-2.0
"""Compiled code goes to the user's cache folder, or into memory and a temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.base.cache import cache_folder
from spikewright.base.errors import InputError
from spikewright.base.files import work_folder
from tests.networks import random_tensors

FOLDER = "from spikewright.base.cache import cache_folder; print(cache_folder())"


def run(code, folder, **environment):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, text=True, check=False,
                          capture_output=True, env=os.environ | environment)


def test_folder_that_is_given(tmp_path):
    assert cache_folder(str(tmp_path / "a")) == tmp_path / "a" and not list(tmp_path.iterdir())


def test_folder_of_the_user(tmp_path):
    done = run(FOLDER, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (done.stdout, done.stderr) == (f"{tmp_path}/cache/spikewright/hardware\n", "")
    assert list((tmp_path / "cache" / "spikewright" / "hardware").iterdir()) == []


def test_folder_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    done = run(f"{FOLDER}; cache_folder()", tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert done.stderr == (
        f"note: compiled hardware is not kept, because {tmp_path}/file/spikewright/hardware cannot "
        "be written (Not a directory): set XDG_CACHE_HOME to a folder that can\n")
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("spikewright-") and not folder.exists()


def test_functions_are_compiled_where_nothing_can_be_kept(tmp_path):
    """A numba function where neither __pycache__ nor the user's cache can be made."""
    (tmp_path / "page.py").write_text(
        "from spikewright.base.cache import compiled\n"
        "@compiled(nogil=True)\ndef double(value):\n    return 2 * value\n")
    (tmp_path / "__pycache__").touch()
    done = run("import page; print(page.double(4))", tmp_path, XDG_CACHE_HOME="/dev/null",
               HOME="/dev/null", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "8\n", "")


def test_commands_leave_nothing_in_the_folder_of_the_work(tmp_path):
    save_file(random_tensors(0), tmp_path / "net.safetensors")
    np.savez(tmp_path / "rec.npz", bin=[1], channel=[2], n_bins=5, n_channels=6, dt=4e-3)
    code = ("from spikewright.command.commands import run_words as run\n"
            "run(['quantize', 'net.safetensors', '-o', 'model'])\n"
            "run(['run', 'model', 'rec.npz', '-o', 'out.npz', '--backend', 'rtl'])")
    # The packaged tools keep what they compiled where they have it.
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "YoWASP").symlink_to(home / "YoWASP")
    done = run(code, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "cache", "model", "net.safetensors", "out.npz", "rec.npz"}
    kept, = (tmp_path / "cache" / "spikewright" / "hardware").iterdir()
    assert kept.suffix == ".so"


@pytest.mark.parametrize("error, stays", [
    (InputError("a tool fails"), True), (OSError(28, "No space left on device"), False),
    (KeyboardInterrupt(), False)])
def test_folder_of_tools_stays_only_with_a_log(tmp_path, error, stays):
    with pytest.raises(type(error)) as caught, work_folder(tmp_path / "cache", "work-"):
        raise error
    assert bool(list((tmp_path / "cache").iterdir())) == stays
    if isinstance(error, OSError):
        assert caught.value.filename == str(tmp_path / "cache")
