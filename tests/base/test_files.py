# SPDX-License-Identifier: Apache-2.0
"""Files and folders are written whole or not at all, and never replace a file of the user."""

import os

import pytest

from spikewright.base.files import check_file, check_folder, written_file, written_folder
from tests.networks import refused


def test_written_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with pytest.raises(RuntimeError), written_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with written_file(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole" and path.stat().st_mode & 0o777 == 0o644


def test_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("written, told", [
    (written_file, "file.txt"), (written_folder, "file.txt")])
def test_full_disk_names_the_output(tmp_path, written, told):
    with pytest.raises(OSError) as caught, written(tmp_path / told):
        raise OSError(28, "No space left on device")
    assert (caught.value.filename, caught.value.strerror) == (
        str(tmp_path / told), "No space left on device")
    assert not list(tmp_path.iterdir())


def test_only_a_file_is_written(tmp_path):
    """A device or a folder is not changed."""
    for path, kind in ((tmp_path, "folder"), ("/dev/null", "device")):
        with refused(f"Output must be a file, not the {kind} '{path}'"), written_file(path):
            pass
    assert not os.path.isfile("/dev/null") and list(tmp_path.iterdir()) == []
    check_file(tmp_path / "new")


def write(path, text="new", index=None):
    """A folder like that of a command: its index, and a file with ``text``."""
    with written_folder(path, index) as temporary:
        (temporary / "ladder.json").write_text('{"rungs": []}')
        (temporary / "text").write_text(text)


def contents(folder):
    return {file.name for file in folder.iterdir()}


def test_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "folder"
    write(path, "old")
    (path / "of_old").write_text("")
    write(path, "new")
    assert contents(path) == {"ladder.json", "text"} and (path / "text").read_text() == "new"
    assert contents(path.parent) == {"folder"} and path.stat().st_mode & 0o777 == 0o755


def test_folder_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "folder"
    write(path, "old")
    with pytest.raises(KeyboardInterrupt), written_folder(path) as temporary:
        (temporary / "text").write_text("half")
        raise KeyboardInterrupt
    assert contents(tmp_path) == {"folder"} and (path / "text").read_text() == "old"


def test_folder_behind_a_link_is_replaced(tmp_path):
    write(tmp_path / "there", "old")
    (tmp_path / "link").symlink_to("there")
    write(tmp_path / "link", "new")
    assert contents(tmp_path) == {"there", "link"} and (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "text").read_text() == "new"


def test_two_write_one_folder(tmp_path):
    """Both write a whole folder. The folder of the one that ends last stays."""
    path = tmp_path / "folder"
    with written_folder(path) as temporary:
        write(path, "second")
        (temporary / "text").write_text("first")
    assert contents(tmp_path) == {"folder"} and contents(path) == {"text"}
    assert (path / "text").read_text() == "first"


def refused_folder(path):
    return refused(f"Output folder must be new, empty or made by this command, not {path}")


@pytest.mark.parametrize("text", [
    None, "{}", "[]", "3", "{", "\xff", "[" * 100_000, '{"model_hash": 1}'],
    ids=["missing", "empty", "list", "number", "cut", "latin", "deep", "of_another"])
def test_folder_of_a_user_is_refused(tmp_path, text):
    """A folder has no ladder.json of a command."""
    (tmp_path / "mine").write_text("")
    if text is not None:
        (tmp_path / "ladder.json").write_text(text, encoding="latin-1")
    with refused_folder(tmp_path):
        check_folder(tmp_path)
    with refused_folder(tmp_path), written_folder(tmp_path):
        pass
    assert (tmp_path / "mine").exists()


def test_folder_of_another_command_is_refused(tmp_path):
    write(tmp_path / "ladder")
    for index in (None, "ladder.json"):
        check_folder(tmp_path / "ladder", index)
    with refused_folder(tmp_path / "ladder"):
        check_folder(tmp_path / "ladder", "manifest.json")


def test_folder_may_be_new_or_empty_but_no_file(tmp_path):
    check_folder(tmp_path)
    check_folder(tmp_path / "new")
    (tmp_path / "file").write_text("")
    with refused_folder(tmp_path / "file"):
        check_folder(tmp_path / "file")
