# SPDX-License-Identifier: Apache-2.0
"""Files of arrays are whole, or refused with a ValueError."""

import numpy as np
import pytest

from spikewright.base.arrays import read_arrays, write_arrays
from spikewright.base.version import version
from tests.networks import refused


def test_arrays_come_back(tmp_path):
    path = tmp_path / "name.of_any.npz"
    write_arrays(path, {"a": np.arange(3), "b": np.eye(2)})
    arrays = read_arrays(path)
    assert sorted(arrays) == ["a", "b", "made_by"]
    assert str(arrays["made_by"]) == f"Spikewright {version()}"
    assert arrays["a"].tolist() == [0, 1, 2] and np.array_equal(arrays["b"], np.eye(2))
    assert list(read_arrays(path, {"a", "c"})) == ["a"]


def test_damaged_arrays_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_arrays(path, {"a": np.arange(1000)})
    whole = path.read_bytes()
    for data in (b"", b"text", whole[:-1], whole[:100], whole.replace(b"a.npy", b"b.npy", 1),
                 whole[:60] + bytes(40) + whole[100:]):
        path.write_bytes(data)
        with pytest.raises(ValueError):
            read_arrays(path)


def test_arrays_of_a_user_are_not_replaced(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, a=1)
    with refused("Output must be a new file, or one that Spikewright wrote, not "
                 f"'{path}'"):
        write_arrays(path, {"a": 2})
    assert read_arrays(path) == {"a": 1}
    path.unlink()
    for k in range(2):
        write_arrays(path, {"a": k})
    assert read_arrays(path)["a"] == 1


def test_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{}], object))
    with refused("it has Python objects", ValueError):
        read_arrays(tmp_path / "a.npz")


def test_other_formats_are_refused(tmp_path):
    (tmp_path / "a.npz").write_text("bin,channel\n0,1\n")
    with refused("it has another format", ValueError):
        read_arrays(tmp_path / "a.npz")


def test_missing_arrays(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "a.npz")
