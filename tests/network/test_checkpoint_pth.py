# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as pickles. No code in them is ever run."""

import pickle
from argparse import Namespace

import numpy as np
import pytest

from spikewright.network.checkpoint import read_checkpoint
from tests.networks import random_tensors, refused

torch = pytest.importorskip("torch")


def _tensors():
    return {key: torch.tensor(value) for key, value in random_tensors(0).items()}


def test_checkpoint_damaged_anywhere(tmp_path):
    """With any error of torch on a damaged pickle, the reader refuses the file by its name."""
    tensors = _tensors()
    path, rng = tmp_path / "net.pth", np.random.default_rng(1)
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    whole, refusals = path.read_bytes(), 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_checkpoint(path)
        except ValueError as error:
            assert str(path) in str(error)
            refusals += 1
    assert refusals > 50


class _Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("kind", ["torch", "pickle"])
def test_checkpoint_with_code_is_not_run(tmp_path, kind):
    path, trace = tmp_path / "net.pth", tmp_path / "ran"
    tensors = _tensors()
    state = {**tensors, "con1.op.weight": _Payload(trace)}
    if kind == "torch":
        torch.save(state, path)
    else:
        path.write_bytes(pickle.dumps({"con1.op.weight": _Payload(trace)}))
    with pytest.raises(ValueError, match=f"^Checkpoint {path} must be a plain state dict that "
                                         "loads without running code: "):
        read_checkpoint(path)
    assert not trace.exists()


def test_checkpoint_of_a_whole_module(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(torch.nn.Linear(3, 3), path)
    with refused(f"Checkpoint {path} must be a plain state dict that loads without running code: "
                 "it has Python objects, of torch.nn.modules.linear.Linear. Save its "
                 "state_dict()"):
        read_checkpoint(path)
    torch.save({"state_dict": _tensors(), "args": Namespace(lr=1)}, path)
    with refused(f"Checkpoint {path} must be a plain state dict that loads without running code: "
                 "it has Python objects, of argparse.Namespace. Save its state_dict()"):
        read_checkpoint(path)


@pytest.mark.parametrize("state, told", [
    ([1.0, 2.0], "must be a state dict, not list"),
    ({"con1.op.weight": 1.0}, "con1.op.weight must be a tensor, not float"),
    ({1: None}, "must have keys of text, not 1"),
    ({"epoch": 3, "state_dict": {"lr": [1]}}, "lr must be a tensor, not list"),
    ({"con1.op.weight": torch.ones(3, device="meta")},
     "con1.op.weight must hold numbers, not a tensor on the device meta, which has none"),
])
def test_checkpoint_that_is_no_state_dict(tmp_path, state, told):
    torch.save(state, tmp_path / "net.pth")
    with refused(f"Checkpoint {tmp_path / 'net.pth'} {told}"):
        read_checkpoint(tmp_path / "net.pth")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
@pytest.mark.parametrize("nest", [
    lambda state: {"state_dict": state, "epoch": 3, "loops": {"a": [1]}},
    lambda state: {"model_state_dict": state, "optimizer_state_dict": {"step": 1}},
    lambda state: {"model": {f"module.{key}": value for key, value in state.items()}, "step": 5},
    lambda state: {"net": state, "optimizer": {"state": {0: {"step": torch.ones(1)}}}, "loss": 1.0},
    lambda state: {"run": {"best": {"weights": state, "score": 0.5}}}])
def test_checkpoint_of_a_training_program(tmp_path, nest, suffix):
    torch.save(nest(_tensors()), tmp_path / f"net{suffix}")
    assert read_checkpoint(tmp_path / f"net{suffix}").channels == 6


def test_checkpoint_of_two_state_dicts_or_of_none(tmp_path):
    path, told = tmp_path / "net.pth", ("must be a state dict, or have one below state_dict, "
                                        "model_state_dict or model, not")
    for content, keys in (({"net": _tensors(), "ema": _tensors(), "epoch": 3},
                           "net (dict), ema (dict), epoch (int)"),
                          ({"net": {"lr": 1.0}}, "net (dict)")):
        torch.save(content, path)
        with refused(f"Checkpoint {path} {told} {keys}: see docs/howto/checkpoint.md"):
            read_checkpoint(path)


@pytest.mark.parametrize("key", ["model", "net"])
def test_checkpoint_that_is_below_itself(tmp_path, key):
    content = {"epoch": 1}
    content[key] = content
    torch.save(content, tmp_path / "net.pth")
    with refused(f"Checkpoint {tmp_path / 'net.pth'} must be a state dict, or have one below "
                 f"state_dict, model_state_dict or model, not epoch (int), {key} (dict): see "
                 "docs/howto/checkpoint.md"):
        read_checkpoint(tmp_path / "net.pth")


@pytest.mark.parametrize("size", [5, 100, -1000])
def test_checkpoint_that_is_cut_off(tmp_path, size):
    path = tmp_path / "net.pth"
    torch.save(_tensors(), path)
    path.write_bytes(path.read_bytes()[:size])
    with refused(f"Checkpoint {path} must be a plain state dict that loads without running code: "
                 "it is cut off, damaged, or no file of torch.save: copy or save it again"):
        read_checkpoint(path)


def test_message_has_no_escapes(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({**_tensors(), "con2.op.weight": np.ones((5, 5))}, path)
    with pytest.raises(ValueError, match="must be a plain state dict") as caught:
        read_checkpoint(path)
    assert str(caught.value).isprintable()


def test_checkpoint_of_complex_or_sparse_tensors(tmp_path):
    path = tmp_path / "net.pth"
    tensors = _tensors()
    told = (f"Checkpoint {path} con1.op.weight must be a dense tensor of floating-point numbers, "
            "not ")
    torch.save({**tensors, "con1.op.weight": tensors["con1.op.weight"].to(torch.complex64)}, path)
    with refused(f"{told}torch.complex64 in the layout torch.strided"):
        read_checkpoint(path)
    torch.save({**tensors, "con1.op.weight": tensors["con1.op.weight"].float().to_sparse()}, path)
    with refused(f"{told}torch.float32 in the layout torch.sparse_coo"):
        read_checkpoint(path)


def test_checkpoint_of_parameters(tmp_path):
    tensors = {key: torch.nn.Parameter(value) for key, value in _tensors().items()}
    torch.save(tensors, tmp_path / "net.pth")
    assert read_checkpoint(tmp_path / "net.pth").channels == 6
