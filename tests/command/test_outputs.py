# SPDX-License-Identifier: Apache-2.0
"""Outputs of every command: the right suffix, no input, and nothing that is a user's."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikewright.base.files import INDEXES, check_apart, check_output, signature
from spikewright.host.picture import draw
from tests.networks import random_recording, refused

# Words before the output, the option of it and its suffix, for each command that writes a file.
FILES = {
    "run":      (("run", "model", "rec.npz"), "-o/--output", (".npz",)),
    "decode":   (("decode", "model", "rec.npz"), "-o/--output", (".npz",)),
    "picture":  (("decode", "model", "rec.npz", "-o", "new.npz"), "--picture",
                 (".png", ".svg", ".pdf")),
    "waves":    (("bench", "model", "rec.npz"), "--waves", (".vcd", ".fst")),
    "record":   (("record", "import", "counts.npy"), "-o/--output", (".npz",)),
    "held-out": (("held-out", "rec.npz"), "-o/--output", (".json",)),
}
FOLDERS = {
    "quantize": ("quantize", "net.safetensors"),
    "finetune": ("finetune", "net.safetensors", "rec.npz"),
    "recalibrate": ("recalibrate", "model", "rec.npz"),
    "train":    ("train", "rec.npz"),
    "build":    ("build", "model", "--board", "icebreaker"),
    "explore":  ("explore", "model", "--board", "icebreaker"),
    "export":   ("export", "model"),
    "verilog":  ("verilog", "model"),
    "ladder":   ("ladder", "net.safetensors", "--no-rtl"),
}


@pytest.fixture(scope="module")
def kept_model(tmp_path_factory):
    """A model folder to copy."""
    from safetensors.numpy import save_file

    from spikewright import api
    from tests.networks import random_tensors
    folder = tmp_path_factory.mktemp("outputs")
    save_file(random_tensors(0), folder / "net.safetensors")
    api.quantize(api.read(folder / "net.safetensors")).save(folder / "model")
    return folder / "model"


@pytest.fixture
def place(here, kept_model):
    """The user's folder, with a model."""
    shutil.copytree(kept_model, here / "model")
    np.save("counts.npy", np.ones((10, 6), int))
    np.savez("rec.npz", bin=np.arange(400), channel=np.arange(400) % 6, n_bins=400, n_channels=6,
             dt=4e-3, velocity=np.ones((400, 2)))
    return here


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}


@pytest.mark.parametrize("name", FILES)
def test_file_with_another_suffix(place, call_command, name):
    before = tree(place)
    words, option, suffixes = FILES[name]
    command = " ".join(words[:2] if words[0] == "record" else words[:1])
    assert call_command(*words, option.split("/")[-1], "mine.txt") == (2, "", (
        f"error: argument {option}: must end in {' or '.join(suffixes)}, not 'mine.txt' "
        f"(see 'spikewright {command} --help')\n"))
    assert tree(place) == before


@pytest.mark.parametrize("name", FILES)
def test_file_of_a_user_is_kept(place, call_command, name):
    words, option, suffixes = FILES[name]
    command = " ".join(words[:2] if words[0] == "record" else words[:1])
    for suffix in suffixes:
        (place / f"mine{suffix}").write_text("mine")
        before = tree(place)
        assert call_command(*words, option.split("/")[-1], f"mine{suffix}") == (2, "", (
            f"error: argument {option}: must be a new file, or one that Spikewright wrote, not "
            f"'mine{suffix}' (see 'spikewright {command} --help')\n"))
        assert tree(place) == before


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_of_a_user_is_kept(place, call_command, name):
    (place / "mine").mkdir()
    (place / "mine" / "thesis.tex").write_text("mine")
    before = tree(place)
    status, _, error = call_command(*FOLDERS[name], "-o", "mine")
    assert (status, error.splitlines()[-1]) == (
        2, f"error: Output folder must be new, empty or made by this command, not {place}/mine")
    assert tree(place) == before


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_around_an_input_is_kept(place, call_command, name):
    """Also one that a command would replace otherwise."""
    (place / "out").mkdir()
    for path in ("model", "net.safetensors", "rec.npz"):
        shutil.move(path, place / "out" / path)
    (place / "out" / "ladder.json").write_text('{"rungs": []}')
    os.chdir(place / "out")
    before = tree(place)
    source = FOLDERS[name][1]
    assert call_command(*FOLDERS[name], "-o", place / "out") == (2, "", (
        f"error: Output must be apart from '{source}', which the command uses, not "
        f"'{place}/out'\n"))
    assert tree(place) == before


@pytest.mark.parametrize("kind", ["same", "spelled", "link", "hard_link"])
def test_recording_is_never_the_output(place, call_command, kind):
    """Not even one that the program wrote itself."""
    with np.load("rec.npz") as file:
        arrays = dict(file)
    np.savez("rec.npz", **arrays, **signature())
    name = {"same": "rec.npz", "spelled": f"{place}/model/../rec.npz"}.get(kind, "other.npz")
    if kind == "link":
        os.symlink("rec.npz", name)
    if kind == "hard_link":
        os.link("rec.npz", name)
    before = tree(place)
    assert call_command("run", "model", "rec.npz", "-o", name) == (2, "", (
        "error: argument -o/--output: must be a new file, or an answer that Spikewright wrote, "
        f"not the recording '{name}' (see 'spikewright run --help')\n"))
    assert tree(place) == before


def test_tables_of_the_model_are_never_the_output(place, call_command):
    before = tree(place)
    assert call_command("run", "model", "rec.npz", "-o", "model/tables.npz")[2] == (
        "error: argument -o/--output: must be a new file, or one that Spikewright wrote, not "
        "'model/tables.npz' (see 'spikewright run --help')\n")
    assert tree(place) == before


@pytest.mark.parametrize("words", [
    ("quantize", "fifo.safetensors", "-o", "m"), ("quantize", "net.safetensors", "-o", "m",
     "--calibrate", "fifo.npz"), ("run", "model", "fifo.npz", "-o", "o.npz"),
    ("record", "import", "fifo.npy", "-o", "o.npz"), ("ladder", "net.safetensors", "--recording",
     "rec.npz", "fifo.npz"), ("show", "fifo.json"), ("read", "fifo.pth")])
def test_fifo_is_no_input(place, call_command, words):
    name = next(word for word in words if word.startswith("fifo"))
    os.mkfifo(name)
    assert call_command(*words) == (
        2, "", f"error: Input must be a file, not the FIFO '{name}'\n")


def test_two_outputs_are_two_files(place):
    with refused("Output must be apart from 'a.png', which the command uses, not 'b/../a.png'"):
        check_apart([place / "x.npz", *map(type(place), ("a.png", "b/../a.png"))], [])


def test_own_answer_is_replaced(place, call_command):
    for _ in range(2):
        assert call_command("run", "model", "rec.npz", "-o", "out.npz")[0] == 0
    with np.load("out.npz") as answer:
        assert str(answer["made_by"]).startswith("Spikewright ")


def test_no_recording_is_replaced(place, call_command):
    assert call_command("record", "import", "counts.npy", "-o", "mine.npz")[0] == 0
    before = Path("mine.npz").read_bytes()
    for words in (("record", "import", "counts.npy"), ("run", "model", "rec.npz")):
        status, out, error = call_command(*words, "-o", "mine.npz")
        assert (status, out) == (2, "") and error.startswith(
            "error: argument -o/--output: must be a new file, or an answer that Spikewright wrote, "
            "not the recording 'mine.npz' (see ")
    assert Path("mine.npz").read_bytes() == before


def test_counts_without_a_step(place, call_command):
    command = ("record", "import", "counts.npy", "-o", "mine.npz")
    assert call_command(*command)[2] == (
        "warning: counts have no time. A step is taken as 4 ms: give --dt if it is longer or "
        "shorter\n")
    Path("mine.npz").unlink()
    assert call_command(*command, "--dt", "0.02")[2] == ""


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_own_picture_is_known(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    draw(path, np.ones((20, 2)), random_recording(4, 6, 20), 0, "title")
    check_output(path, (suffix,))
    path.write_bytes(path.read_bytes().replace(b"Spikewright", b"Inkscape   "))
    with refused(f"Output must be a new file, or one that Spikewright wrote, not '{path}'"):
        check_output(path, (suffix,))


@pytest.mark.parametrize("text, ours", [
    (json.dumps(signature()), True), ("{}", False), ("[]", False), ("3", False), ("{", False)])
def test_own_scores_are_known(tmp_path, text, ours):
    path = tmp_path / "a.json"
    path.write_text(text)
    if ours:
        check_output(path, (".json",))
    else:
        with refused(f"Output must be a new file, or one that Spikewright wrote, not '{path}'"):
            check_output(path, (".json",))


def test_drawing_of_a_ladder_is_a_new_picture(place, call_command):
    (place / "ladder.json").write_text("{}")
    (place / "mine.png").write_text("mine")
    for name, told in (
            ("ladder.json", ("Output must be apart from 'ladder.json', which the command uses, "
                             "not 'ladder.json'")),
            ("a.jpg", "Output must end in .png, not 'a.jpg'"),
            ("mine.png", ("Output must be a new file, or one that Spikewright wrote, not "
                          "'mine.png'"))):
        assert call_command("ladder", "--draw", "ladder.json", "-o", name) == (
            2, "", f"error: {told}\n")


def test_reaches_replaces_only_its_own_pair(place, call_command):
    (place / "default.safetensors").write_text("mine")
    status, _, error = call_command("reaches", "-o", ".")
    if "torch" in error:
        pytest.skip("torch is not installed")
    assert status == 2
    assert error == ("error: Output must be a new file, or one that Spikewright wrote, not "
                     "'default.safetensors'\n")


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with refused(f"Output must be in a folder that can be written, not '{tmp_path}/file/a.npz'"):
        check_output(tmp_path / "file" / "a.npz", (".npz",))


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_with_a_fifo_as_its_index(place, call_command, name):
    (place / "out").mkdir()
    for index in INDEXES:
        os.mkfifo(place / "out" / index)
    assert call_command(*FOLDERS[name], "-o", "out") == (2, "", (
        f"error: Output folder must be new, empty or made by this command, not {place}/out\n"))


@pytest.mark.parametrize("words", [
    ("quantize", "loop", "-o", "out"), ("quantize", "net.safetensors", "-o", "out", "--calibrate",
     "loop"), ("run", "loop", "rec.npz", "-o", "out.npz"), ("run", "model", "loop", "-o",
     "out.npz"), ("run", "model", "rec.npz", "-o", "loop/out.npz"), ("export", "model", "-o",
     "loop"), ("show", "loop"), ("read", "loop")])
def test_links_that_form_a_loop(place, call_command, words):
    os.symlink("loop", "loop")
    before = tree(place)
    status, _, error = call_command(*words)
    assert (status, error.count("\n"), error[:7]) == (2, 1, "error: ")
    assert tree(place) == before and sorted(place.glob(".*")) == []


def test_name_that_is_no_text(place):
    """A name of bytes that are no UTF-8, as of an old disk, is printed with escapes."""
    name = os.fsdecode(b"\xffout.npz")
    run = subprocess.run(
        [sys.executable, "-m", "spikewright", "run", "model", "rec.npz", "-o", name], check=False,
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.endswith(b" -> \\udcffout.npz\n") and (place / name).is_file()


@pytest.mark.parametrize("words", [
    ("quantize", "net.safetensors", "-o", "out"), ("export", "model", "-o", "out"),
    ("export-nir", "model", "-o", "out.nir"), ("run", "model", "rec.npz", "-o", "out.npz"),
    ("record", "import", "counts.npy", "-o", "out.npz"),
    ("live", "model", "--in", "rec.npz", "--fast", "--out", "out.jsonl"),
    ("ladder", "net.safetensors", "--rungs", "fp32", "--no-rtl", "-o", "out")])
def test_disk_that_is_full(place, call_command, words):
    """No half of a file stays. What a live session has recorded so far does."""
    before, (soft, hard) = tree(place), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        status, _, error = call_command(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    *_, last = error.splitlines()
    assert status == 2
    if words[0] == "live":
        assert last.startswith("error: Session must be recorded whole, not without ")
        (place / "out.jsonl").unlink(missing_ok=True)
    else:
        assert last in {f"error: {path} cannot be used: File too large"
                        for path in (words[-1], place / words[-1])}
    assert tree(place) == before and sorted(place.glob(".*")) == []
