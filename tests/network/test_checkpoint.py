# SPDX-License-Identifier: Apache-2.0

import hashlib
import importlib.util
import json
import os
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.checkpoint import (
    checkpoint_hash,
    network_from_tensors,
    read_checkpoint,
)
from spikewright.network.network import INPUT
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.network.state_dicts.rsnn import COPIES
from tests.networks import random_recording, random_tensors, refused

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
    """Save tensors in one of the formats, and return the path."""
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


PAGE = "docs/howto/checkpoint.md"
ALL = ("con1.op.weight (H, C), con2.op.weight (H, H), con3.op.weight (O, H), group2.mem_param (H), "
       "group2.syn_param (H), group3.mem_param_readout (O), group3.syn_param_readout (O)")
SHAPES = f": the shapes are {ALL}, see {PAGE}"
MARKS = ("con1.op.weight (tinyRSNN and bigRSNN), fc_out.weight (NeuroBench's SNN), "
         "batchnorm1.weight (NeuroBench's ANN and ANN_Flat), norm_layer.weight (NeuroBench's "
         "SNN_Flat), conv1.weight (sRTnet)")
ALL_BUT_CON2 = ("con1.op.weight, con3.op.weight, group2.mem_param, group2.syn_param, "
                "group3.mem_param_readout, group3.syn_param_readout")


@pytest.mark.parametrize("change, message", [
    (_without("con2.op.weight"),
     f"Checkpoint must have con2.op.weight (H, H), not only {ALL_BUT_CON2}: see {PAGE}"),
    (_with("con1.op.bias", [0.0]),
     f"Checkpoint must have only {ALL}, not 'con1.op.bias': see {PAGE}"),
    (_with("con2.op.weight", np.ones((5, 4))),
     "con2.op.weight must have shape (5, 5) to fit the other tensors, not (5, 4)" + SHAPES),
    (_with("con3.op.weight", np.ones((2, 4))),
     "con3.op.weight must have shape (2, 5) to fit the other tensors, not (2, 4)" + SHAPES),
    (_with("group2.mem_param", np.ones(4)),
     "group2.mem_param must have shape (5,) to fit the other tensors, not (4,)" + SHAPES),
    (_with("group3.syn_param_readout", np.ones(1)),
     "group3.syn_param_readout must have shape (2,) to fit the other tensors, not (1,)" + SHAPES),
    (_with("con1.op.weight", np.ones(30)),
     "con1.op.weight must have 2 non-empty axes, not shape (30,)" + SHAPES),
    (_with("con1.op.weight", np.ones((5, 0))),
     "con1.op.weight must have 2 non-empty axes, not shape (5, 0)" + SHAPES),
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
    with refused("Checkpoint must have the keys of one kind of network, which are known by "
                 f"{MARKS}, not only nothing; other state dicts of snnTorch modules or of "
                 f"an nn.Sequential need a description: see {PAGE}", ValueError):
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


def test_checkpoint_step(tmp_path):
    """The step of a file that does not have it can be given. The time constants stay."""
    plain, said = (_save(tmp_path / f"{name}.safetensors", random_tensors(0), metadata)
                   for name, metadata in (("plain", None), ("said", {"dt": "0.02"})))
    assert read_checkpoint(plain).dt == 0.004
    given, want = read_checkpoint(plain, 0.02), read_checkpoint(said)
    assert given.dt == want.dt == read_checkpoint(said, 0.02).dt == 0.02
    for one, two in zip(given.populations, want.populations, strict=True):
        assert np.array_equal(one.membrane_decay, two.membrane_decay)
    with refused("Option step must be 0.02 s, as said.safetensors has, not 0.004"):
        read_checkpoint(said, 0.004)


def test_checkpoint_time_from_metadata(tmp_path):
    """A network that was trained to answer at the earliest time is retimed, without a lead."""
    early, late = (read_checkpoint(_save(tmp_path / f"{time}.safetensors", random_tensors(0),
                                         {"time": time})) for time in ("earliest", "published"))
    assert [p.delay for p in late.projections] == [3, 2, 3]
    assert [p.delay for p in early.projections] == [3, 0, 0]
    assert (early.lead_steps, late.lead_steps) == (0, 0)
    assert (retime(early).lead_steps, retime(late).lead_steps) == (0, 5)
    recording = random_recording(1, channels=6, steps=50, rate=0.3)
    answers = [run_reference(network, recording).velocity for network in (early, late)]
    assert np.abs(answers[0]).max() > 0.1
    assert np.allclose(answers[0][:-5], answers[1][5:], rtol=0, atol=1e-12)


def test_checkpoint_wrong_time(tmp_path):
    path = _save(tmp_path / "net.safetensors", random_tensors(0), {"time": "late"})
    with refused(f"Checkpoint {path} time must be published or earliest, not 'late'"):
        read_checkpoint(path)


@pytest.mark.parametrize("offset", ["", "low", "3", '["1"]', "[NaN]", "[true, 1]", "{}"])
def test_checkpoint_wrong_offset(tmp_path, offset):
    path = _save(tmp_path / "net.safetensors", random_tensors(0), {"offset": offset})
    with refused(f"Checkpoint {path} offset must be a list of finite numbers, not {offset!r}"):
        read_checkpoint(path)


def test_checkpoint_with_an_offset(tmp_path):
    """The reference adds it to the velocity of each axis."""
    plain, shifted = (_save(tmp_path / f"{name}.safetensors", random_tensors(0), metadata)
                      for name, metadata in (("plain", None), ("off", {"offset": "[-3, 0.25]"})))
    recording = random_recording(1, 6, 40)
    one, two = (run_reference(read_checkpoint(path), recording).velocity
                for path in (plain, shifted))
    assert one.any() and (two == one + [-3, 0.25]).all()
    wrong = _save(tmp_path / "three.safetensors", random_tensors(0), {"offset": "[1, 2, 3]"})
    with refused(f"{wrong}: Network offset must have shape (2,), not (3,)"):
        read_checkpoint(wrong)


def test_checkpoint_that_is_no_file(tmp_path):
    folder = tmp_path / "folder.pth"
    folder.mkdir()
    with refused(f"Checkpoint must be a file, not the folder {str(folder)!r}"):
        read_checkpoint(folder)
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    with refused(f"Checkpoint must be a file, not {str(pipe)!r}"):
        read_checkpoint(pipe)
    gone = tmp_path / "gone.pth"
    with refused(f"Checkpoint must be a file, not {str(gone)!r}: there is none"):
        read_checkpoint(gone)
    (tmp_path / "net.onnx").write_bytes(b"x")
    rec = tmp_path / "rec.npz"
    np.savez(rec, n_bins=1)
    with refused("Checkpoint must be a .pth, .pt, .ckpt or .safetensors file, not 'rec.npz', a "
                 "recording or an answer: 'spikewright show' prints what is in it"):
        read_checkpoint(rec)
    with refused("Checkpoint must be a .pth, .pt, .ckpt or .safetensors file, not 'net.onnx'"):
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


@pytest.mark.parametrize("kind, told", [(bool, "BOOL"), (np.int8, "I8"), (np.int64, "I64")])
def test_checkpoint_of_other_numbers(tmp_path, kind, told):
    """Integers are refused, because the file does not have their scale."""
    tensors = {**random_tensors(0), "con3.op.weight": np.ones((2, 5), kind)}
    path = _save(tmp_path / "net.safetensors", tensors)
    with refused(f"Checkpoint {path} con3.op.weight must hold floating-point numbers, not {told}"):
        read_checkpoint(path)


def test_checkpoint_of_bfloat16(tmp_path):
    tensors = {key: value.astype(np.float32) for key, value in random_tensors(0).items()}
    header, data = {}, b""
    for key, value in tensors.items():
        part = (value.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        header[key] = {"dtype": "BF16", "shape": value.shape,
                       "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    head = json.dumps(header).encode()
    (tmp_path / "net.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)
    short = {key: (value.view(np.uint32) >> 16 << 16).view(np.float32)
             for key, value in tensors.items()}
    got = read_checkpoint(tmp_path / "net.safetensors")
    want = read_checkpoint(_save(tmp_path / "other.safetensors", short))
    for a, b in zip(got.projections, want.projections, strict=True):
        assert np.array_equal(a.weights, b.weights)


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "_orig_mod.module.net."])
def test_checkpoint_with_a_prefix(write, prefix):
    tensors = random_tensors(0)
    got = read_checkpoint(write({prefix + key: value for key, value in tensors.items()}))
    want = network_from_tensors({key: value.astype(float) for key, value in tensors.items()})
    assert all(np.array_equal(a.weights, b.weights)
               for a, b in zip(got.projections, want.projections, strict=True))


def test_checkpoint_with_two_networks(write):
    both = {prefix + key: value for prefix in ("a.", "b.")
            for key, value in random_tensors(0).items()}
    with pytest.raises(ValueError, match="not only a.con1.op.weight, .* and 6 more; other state "):
        read_checkpoint(write(both))


def test_checkpoint_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "net.pth").write_bytes(b"x")
    with refused("Reading net.pth needs torch: run 'make torch', or save the state dict as "
                 ".safetensors"):
        read_checkpoint(tmp_path / "net.pth")


def test_checkpoint_hash(tmp_path):
    path = _save(tmp_path / "net.safetensors", random_tensors(0))
    assert checkpoint_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()
