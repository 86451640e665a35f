# SPDX-License-Identifier: Apache-2.0
"""Reader of trained checkpoints in the published tinyRSNN state-dict layout."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from spikewright.base.errors import InputError

from .constants import DT, TAU_MEM, TAU_MEM_READOUT, TAU_SYN
from .network import INPUT, Network, Population, Projection

__all__ = ["KEYS", "checkpoint_hash", "network_from_tensors", "read_checkpoint"]

# Key of each tensor, and its shape in channels C, hidden neurons H and outputs O.
KEYS = {
    "con1.op.weight":             ("H", "C"),
    "con2.op.weight":             ("H", "H"),
    "con3.op.weight":             ("O", "H"),
    "group2.mem_param":           ("H",),
    "group2.syn_param":           ("H",),
    "group3.mem_param_readout":   ("O",),
    "group3.syn_param_readout":   ("O",),
}

# The training library stores these tensors again under other names; they must agree.
COPIES = {
    "con1.dst.mem_param": "group2.mem_param",
    "con1.dst.syn_param": "group2.syn_param",
    "con2.src.mem_param": "group2.mem_param",
    "con2.src.syn_param": "group2.syn_param",
    "con2.dst.mem_param": "group2.mem_param",
    "con2.dst.syn_param": "group2.syn_param",
    "con3.src.mem_param": "group2.mem_param",
    "con3.src.syn_param": "group2.syn_param",
    "con3.dst.mem_param_readout": "group3.mem_param_readout",
    "con3.dst.syn_param_readout": "group3.syn_param_readout",
    "output_group.mem_param_readout": "group3.mem_param_readout",
    "output_group.syn_param_readout": "group3.syn_param_readout",
}

# In the published update order every right-hand side is old: a spike is seen one step after its
# membrane, a current one step after its spike. In the form of `network.Population` these waits
# are the projections' delays.
INPUT_DELAY, RECURRENT_DELAY, OUTPUT_DELAY = 2, 3, 3


def checkpoint_hash(path: Path) -> str:
    """SHA-256 of the file, as hex."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_checkpoint(path: Path) -> Network:
    """Read ``path`` (.pth or .safetensors) into a network with the published delays.

    Raises
    ------
    InputError
        If the file cannot be read safely, or a tensor is missing, surplus, misshapen or not finite.
    """
    path = Path(path)
    if not path.is_file():
        kind = "the folder " if path.is_dir() else ""
        raise InputError(f"Checkpoint must be a file, not {kind}{str(path)!r}"
                         f"{'' if kind else ': there is none'}")
    if path.stat().st_size == 0:
        raise InputError(f"Checkpoint {path} must hold tensors, not 0 bytes")
    readers = {".pth": _read_pth, ".safetensors": _read_safetensors}
    if path.suffix not in readers:
        raise InputError(f"Checkpoint must be a .pth or .safetensors file, not {path.name!r}")
    tensors, dt = readers[path.suffix](path)
    try:
        return network_from_tensors(tensors, dt)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def network_from_tensors(tensors: dict[str, np.ndarray], dt: float = DT) -> Network:
    """Build the network of a published state dict.

    Decays, as in the training code: ``exp(-dt / (tau * softplus(param)))`` with tau as in
    `network.constants`. The factor (1 - b) of the published membrane equation is folded into the
    weights of the target.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The tensors of ``KEYS``; copies named in ``COPIES`` are checked and dropped.
    dt : float
        Seconds per step.

    Raises
    ------
    ValueError
        If a tensor is missing, surplus, misshapen or not finite; the message names the key.
    """
    _check_keys(tensors)
    c1, c2, c3 = (tensors[f"con{k}.op.weight"] for k in (1, 2, 3))
    hidden = Population(
        name="hidden", spiking=True, threshold=np.ones(len(c1)),
        synaptic_decay=_decay(tensors, "group2.syn_param", TAU_SYN, dt),
        membrane_decay=_decay(tensors, "group2.mem_param", TAU_MEM, dt))
    readout = Population(
        name="readout", spiking=False, threshold=np.ones(len(c3)),
        synaptic_decay=_decay(tensors, "group3.syn_param_readout", TAU_SYN, dt),
        membrane_decay=_decay(tensors, "group3.mem_param_readout", TAU_MEM_READOUT, dt))
    fold, fold_out = 1 - hidden.membrane_decay, 1 - readout.membrane_decay
    return Network(channels=c1.shape[1], dt=dt, populations=(hidden, readout), projections=(
        Projection(source="hidden", target="hidden", delay=RECURRENT_DELAY, weights=c2.T * fold),
        Projection(source=INPUT, target="hidden", delay=INPUT_DELAY, weights=c1.T * fold),
        Projection(source="hidden", target="readout", delay=OUTPUT_DELAY, weights=c3.T * fold_out)))


def _decay(tensors, key, tau, dt):
    with np.errstate(over="ignore", divide="ignore"):
        decay = np.exp(-dt / (tau * np.logaddexp(0.0, tensors[key])))
    bad = np.flatnonzero(~((decay > 0) & (decay < 1)))
    if len(bad):
        raise ValueError(f"{key} must give a decay inside (0, 1), not {float(decay[bad[0]])!r} "
                         f"in row {int(bad[0])}")
    return decay


def _check_keys(tensors):
    for key in KEYS:
        if key not in tensors:
            raise ValueError(f"Checkpoint must have the key {key!r}, not only "
                             f"{', '.join(sorted(tensors)) or 'nothing'}")
    for key in tensors:
        if key not in KEYS and key not in COPIES:
            raise ValueError(f"Checkpoint must have only tinyRSNN keys, not {key!r}")
    sizes: dict[str, int] = {}
    for key, axes in KEYS.items():
        array = tensors[key]
        if array.ndim != len(axes) or 0 in array.shape:
            raise ValueError(f"{key} must have {len(axes)} non-empty axes, "
                             f"not shape {array.shape}")
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                wanted = tuple(sizes.get(a, s) for a, s in zip(axes, array.shape, strict=True))
                raise ValueError(f"{key} must have shape {wanted} to fit the other tensors, "
                                 f"not {array.shape}")
        if not np.isfinite(array).all():
            index = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{key} must be finite, not {float(array[tuple(index)])!r} at {index}")
    for copy, key in COPIES.items():
        if copy in tensors and not np.array_equal(tensors[copy], tensors[key]):
            raise ValueError(f"{copy} must equal {key}, its original, not differ from it")


def _read_safetensors(path):
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
            dt = (file.metadata() or {}).get("dt", DT)
    except (SafetensorError, TypeError) as error:
        raise InputError(f"Checkpoint {path} must be a safetensors file with tensors that NumPy "
                         f"knows: {error}") from error
    for key, tensor in tensors.items():
        if tensor.dtype.kind not in "fiu":
            raise InputError(f"Checkpoint {path} {key} must hold real numbers, not {tensor.dtype}")
    try:
        step = float(dt)
    except ValueError:
        step = float("nan")
    if not 0 < step < 10:
        raise InputError(f"Checkpoint {path} dt must be seconds between 0 and 10, not {dt!r}")
    return {key: tensor.astype(np.float64) for key, tensor in tensors.items()}, step


def _read_pth(path):
    try:
        import torch
    except ImportError:
        raise InputError(f"Reading {path.name} needs torch: run 'make torch', or save the state "
                         "dict as .safetensors") from None
    try:
        with open(path, "rb") as stream, warnings.catch_warnings(action="ignore"):
            state = torch.load(stream, weights_only=True, map_location="cpu")
    except Exception as error:  # a damaged file raises a dozen kinds
        reason = str(error).strip().splitlines() or ["it does not load"]
        raise InputError(f"Checkpoint {path} must be a plain state dict that loads without "
                         f"running code: {reason[0]}") from error
    if not isinstance(state, dict) or not all(isinstance(k, str) and torch.is_tensor(v)
                                              for k, v in state.items()):
        raise InputError(f"Checkpoint {path} must be a dict of tensors, not "
                         f"{type(state).__name__}")
    for key, value in state.items():
        if value.layout != torch.strided or value.is_complex() or value.is_quantized:
            raise InputError(f"Checkpoint {path} {key} must hold real numbers, one for each place, "
                             f"not {value.dtype} in the layout {value.layout}")
    return {key: value.detach().double().numpy() for key, value in state.items()}, DT
