# SPDX-License-Identifier: Apache-2.0

import hashlib
import importlib.util
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.checkpoint import (
    COPIES,
    checkpoint_hash,
    network_from_tensors,
    read_checkpoint,
)
from spikewright.network.network import INPUT
from tests.networks import random_tensors, refused

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None,
                                 reason="torch is not installed")
FORMATS = [".safetensors", pytest.param(".pth", marks=needs_torch)]


def _save(path, tensors, metadata=None):
    if path.suffix == ".safetensors":
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, path,
                  metadata)
    else:
        import torch
        torch.save({key: torch.tensor(value) for key, value in tensors.items()}, path)
    return path


@pytest.fixture(params=FORMATS)
def write(request, tmp_path):
    """Save tensors in one of the formats, and give the path."""
    return lambda tensors: _save(tmp_path / f"net{request.param}", tensors)


def _softplus(x):
    return np.log1p(np.exp(x))


def test_checkpoint_reads(write):
    tensors = random_tensors(0)
    network = read_checkpoint(write(tensors))
    wide = {key: value.astype(float) for key, value in tensors.items()}
    assert (network.channels, network.dt, network.lead_steps) == (6, 4e-3, 0)
    hidden, readout = network.populations
    assert (hidden.name, hidden.spiking, readout.name, readout.spiking) == (
        "hidden", True, "readout", False)
    for got, tau, key in ((hidden.synaptic_decay, 10, "group2.syn_param"),
                          (hidden.membrane_decay, 20, "group2.mem_param"),
                          (readout.synaptic_decay, 10, "group3.syn_param_readout"),
                          (readout.membrane_decay, 50, "group3.mem_param_readout")):
        assert got == pytest.approx(np.exp(-4 / (tau * _softplus(wide[key]))), rel=1e-12), key
    assert (hidden.threshold == 1).all()
    assert [(p.source, p.target, p.delay) for p in network.projections] == [
        ("hidden", "hidden", 3), (INPUT, "hidden", 2), ("hidden", "readout", 3)]
    for projection, k, target in zip(network.projections, (2, 1, 3), (hidden, hidden, readout),
                                     strict=True):
        folded = (1 - target.membrane_decay)[:, None] * wide[f"con{k}.op.weight"]
        assert np.array_equal(projection.weights, folded.T)


def test_checkpoint_formats_agree(tmp_path):
    pytest.importorskip("torch")
    one, other = (read_checkpoint(_save(tmp_path / f"net{suffix}", random_tensors(1)))
                  for suffix in (".pth", ".safetensors"))
    for a, b in zip(one.projections, other.projections, strict=True):
        assert np.array_equal(a.weights, b.weights)


def test_checkpoint_copies_are_dropped(write):
    tensors = random_tensors(0)
    tensors |= {copy: tensors[key] for copy, key in COPIES.items()}
    assert len(read_checkpoint(write(tensors)).projections) == 3


@pytest.mark.parametrize("copy", COPIES)
def test_checkpoint_copy_that_differs(tmp_path, copy):
    tensors = random_tensors(0)
    tensors[copy] = tensors[COPIES[copy]].copy()
    tensors[copy][1] = np.nextafter(tensors[copy][1], np.float16(9))
    path = _save(tmp_path / "net.safetensors", tensors)
    with refused(f"{path}: {copy} must equal {COPIES[copy]}, its original, not differ from it"):
        read_checkpoint(path)


def _without(key):
    return lambda tensors: tensors.pop(key)


def _with(key, value):
    return lambda tensors: tensors.update({key: np.asarray(value, np.float32)})


def _entry(key, index, value):
    return lambda tensors: tensors[key].__setitem__(index, value)


ALL_BUT_CON2 = ("con1.op.weight, con3.op.weight, group2.mem_param, group2.syn_param, "
                "group3.mem_param_readout, group3.syn_param_readout")


@pytest.mark.parametrize("change, message", [
    (_without("con2.op.weight"),
     f"Checkpoint must have the key 'con2.op.weight', not only {ALL_BUT_CON2}"),
    (_with("con1.op.bias", [0.0]), "Checkpoint must have only tinyRSNN keys, not 'con1.op.bias'"),
    (_with("con2.op.weight", np.ones((5, 4))),
     "con2.op.weight must have shape (5, 5) to fit the other tensors, not (5, 4)"),
    (_with("con3.op.weight", np.ones((2, 4))),
     "con3.op.weight must have shape (2, 5) to fit the other tensors, not (2, 4)"),
    (_with("group2.mem_param", np.ones(4)),
     "group2.mem_param must have shape (5,) to fit the other tensors, not (4,)"),
    (_with("group3.syn_param_readout", np.ones(1)),
     "group3.syn_param_readout must have shape (2,) to fit the other tensors, not (1,)"),
    (_with("con1.op.weight", np.ones(30)),
     "con1.op.weight must have 2 non-empty axes, not shape (30,)"),
    (_with("con1.op.weight", np.ones((5, 0))),
     "con1.op.weight must have 2 non-empty axes, not shape (5, 0)"),
    (_entry("con2.op.weight", (3, 1), np.nan), "con2.op.weight must be finite, not nan at [3, 1]"),
    (_entry("con1.op.weight", (0, 5), np.inf), "con1.op.weight must be finite, not inf at [0, 5]"),
    (_entry("group2.syn_param", 2, -np.inf), "group2.syn_param must be finite, not -inf at [2]"),
    (_entry("group2.mem_param", 4, -9.0),
     "group2.mem_param must give a decay inside (0, 1), not 0.0 in row 4"),
    (_with("group3.mem_param_readout", [0, 1e30]),
     "group3.mem_param_readout must give a decay inside (0, 1), not 1.0 in row 1"),
])
def test_checkpoint_wrong_tensor(write, change, message):
    tensors = random_tensors(0)
    change(tensors)
    path = write(tensors)
    with refused(f"{path}: {message}"):
        read_checkpoint(path)


def test_network_from_no_tensors():
    with refused("Checkpoint must have the key 'con1.op.weight', not only nothing", ValueError):
        network_from_tensors({})


@pytest.mark.parametrize("dt, seconds", [("0.004", 4e-3), ("0.01", 1e-2), ("1", 1.0)])
def test_checkpoint_dt_from_metadata(tmp_path, dt, seconds):
    path = _save(tmp_path / "net.safetensors", random_tensors(0), {"dt": dt})
    network = read_checkpoint(path)
    assert network.dt == seconds
    tau = 0.01 * _softplus(random_tensors(0)["group2.syn_param"].astype(float))
    assert network.populations[0].synaptic_decay == pytest.approx(np.exp(-seconds / tau))


@pytest.mark.parametrize("dt", ["", "four", "0", "-0.004", "nan", "inf", "10"])
def test_checkpoint_wrong_dt(tmp_path, dt):
    path = _save(tmp_path / "net.safetensors", random_tensors(0), {"dt": dt})
    with refused(f"Checkpoint {path} dt must be seconds between 0 and 10, not {dt!r}"):
        read_checkpoint(path)


def test_checkpoint_that_is_no_file(tmp_path):
    with refused(f"Checkpoint must be a file, not the folder {str(tmp_path)!r}"):
        read_checkpoint(tmp_path)
    gone = tmp_path / "gone.pth"
    with refused(f"Checkpoint must be a file, not {str(gone)!r}: there is none"):
        read_checkpoint(gone)
    (tmp_path / "net.onnx").write_bytes(b"x")
    with refused("Checkpoint must be a .pth or .safetensors file, not 'net.onnx'"):
        read_checkpoint(tmp_path / "net.onnx")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_checkpoint_empty(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    path.touch()
    with refused(f"Checkpoint {path} must hold tensors, not 0 bytes"):
        read_checkpoint(path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_checkpoint_truncated(write, share):
    path = write(random_tensors(0))
    whole = path.read_bytes()
    path.write_bytes(whole[:int(len(whole) * share)])
    with pytest.raises(ValueError, match=f"^Checkpoint {path} must be a "):
        read_checkpoint(path)


def test_checkpoint_of_bools(tmp_path):
    tensors = {**random_tensors(0), "con3.op.weight": np.ones((2, 5), bool)}
    path = _save(tmp_path / "net.safetensors", tensors)
    with refused(f"Checkpoint {path} con3.op.weight must hold real numbers, not bool"):
        read_checkpoint(path)


def test_checkpoint_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "net.pth").write_bytes(b"x")
    with refused("Reading net.pth needs torch: run 'make torch', or save the state dict as "
                 ".safetensors"):
        read_checkpoint(tmp_path / "net.pth")


def test_checkpoint_hash(tmp_path):
    path = _save(tmp_path / "net.safetensors", random_tensors(0))
    assert checkpoint_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()
