# SPDX-License-Identifier: Apache-2.0
"""Helpers for several tests of model folders."""

import dataclasses
import functools
import hashlib
import json

import numpy as np

from spikewright.quantize.compile import compile_network
from tests.networks import tiny_network

__all__ = ["compiled", "rehash", "rehash_all", "rewrite", "same"]

FILES = {"model": "tables.npz", "network": "network.npz"}


def same(one, other):
    """Check that two dataclasses are equal in every field, and arrays in type and value."""
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype and np.array_equal(a, b), field.name
        elif isinstance(a, tuple):
            assert len(a) == len(b), field.name
            for x, y in zip(a, b, strict=True):
                same(x, y)
        else:
            assert a == b, field.name


@functools.cache
def compiled(seed, name):
    return compile_network(tiny_network(seed), name=name)


def rewrite(path, change):
    with np.load(path) as file:
        tables = dict(file)
    change(tables)
    np.savez(path, **tables)


def rehash(folder, change=lambda manifest, tables: None):
    """Change the integers of a model folder, and compute all of its hashes again."""
    rehash_all(folder, lambda manifest, arrays: change(manifest, arrays["model"]))


def rehash_all(folder, change):
    """The same, where ``change`` also gets the arrays of the network."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    arrays = {}
    for part, name in FILES.items():
        with np.load(folder / name) as file:
            arrays[part] = dict(file)
    change(manifest, arrays)
    for part, name in FILES.items():
        np.savez(folder / name, **arrays[part])
        if isinstance(manifest.get(part), dict):
            shape = {key: value for key, value in manifest[part].items()
                     if key != "name" or manifest.get("schema") == 1}
            digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode())
            for key, array in sorted(arrays[part].items()):
                digest.update(f"{key} {array.dtype.str} {array.shape}".encode() + array.tobytes())
            manifest[f"{part}_hash"] = digest.hexdigest()
    manifest.pop("manifest_hash", None)
    manifest["manifest_hash"] = hashlib.sha256(
        json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")
