# SPDX-License-Identifier: Apache-2.0
"""Reader of trained checkpoints in the published tinyRSNN state-dict layout."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .constants import DT, TAU_MEM, TAU_MEM_READOUT, TAU_SYN
from .network import INPUT, Network, Population, Projection
from .tensors import read_tensors

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

# Where users read what a checkpoint must hold.
PAGE = "docs/howto/checkpoint.md"

# In the published update order every right-hand side is old: a spike is seen one step after its
# membrane, a current one step after its spike. In the form of `network.Population` these waits
# are the projections' delays.
INPUT_DELAY, RECURRENT_DELAY, OUTPUT_DELAY = 2, 3, 3


def checkpoint_hash(path: Path) -> str:
    """SHA-256 of the file, as hex."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_checkpoint(path: Path) -> Network:
    """Read ``path`` into a network with the published delays; see `tensors` for the kinds of files.

    Keys may have a prefix in common, as ``module.`` or ``model.``, which wrappers add.

    Raises
    ------
    InputError
        If the file cannot be read safely, or a tensor is missing, surplus, misshapen or not finite.
    """
    path = Path(path)
    tensors, dt = read_tensors(path)
    try:
        return network_from_tensors(_without_prefix(tensors), dt)
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


def _without_prefix(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``tensors`` without the prefix that the keys of `KEYS` have in common."""
    first = next(iter(KEYS))
    prefixes = [key.removesuffix(first) for key in tensors if key.endswith("." + first)]
    if first in tensors or len(prefixes) != 1:
        return tensors
    return {key.removeprefix(prefixes[0]): tensor for key, tensor in tensors.items()}


def _listed(keys: Iterable[str]) -> str:
    """``keys`` with their shapes, as a text."""
    return ", ".join(f"{key} ({', '.join(KEYS[key])})" for key in keys)


def _check_keys(tensors):
    missing = [key for key in KEYS if key not in tensors]
    if missing:
        given = sorted(tensors)
        shown = ", ".join(given[:8]) + (f" and {len(given) - 8} more" if len(given) > 8 else "")
        raise ValueError(f"Checkpoint must have {_listed(missing)}, not only "
                         f"{shown or 'nothing'}: see {PAGE}")
    for key in tensors:
        if key not in KEYS and key not in COPIES:
            raise ValueError(f"Checkpoint must have only {_listed(KEYS)}, not {key!r}: see {PAGE}")
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
