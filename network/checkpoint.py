# SPDX-License-Identifier: Apache-2.0
"""Reader of trained checkpoints with the keys of the published tinyRSNN code."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .constants import DT, TAU_MEM, TAU_MEM_READOUT, TAU_SYN
from .network import INPUT, Network, Population, Projection
from .tensors import read_tensors

__all__ = ["KEYS", "checkpoint_hash", "network_from_tensors", "read_checkpoint"]

# Key and shape of each tensor. C is the number of channels, H of hidden neurons, O of outputs.
KEYS = {
    "con1.op.weight":             ("H", "C"),
    "con2.op.weight":             ("H", "H"),
    "con3.op.weight":             ("O", "H"),
    "group2.mem_param":           ("H",),
    "group2.syn_param":           ("H",),
    "group3.mem_param_readout":   ("O",),
    "group3.syn_param_readout":   ("O",),
}

# The training library stores these tensors again under other names. The copies must be equal.
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

# The page for users about the tensors of a checkpoint.
PAGE = "docs/howto/checkpoint.md"

# The published code updates every variable from values of the step before. A spike therefore
# follows its membrane by one step, and a current follows its spike by one step. In the form of
# `network.Population`, the delays of the projections include these steps.
INPUT_DELAY, RECURRENT_DELAY, OUTPUT_DELAY = 2, 3, 3


def checkpoint_hash(path: Path) -> str:
    """SHA-256 of the file at ``path``, in hex."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_checkpoint(path: Path) -> Network:
    """Read the checkpoint at ``path`` into a network with the published delays.

    `network.tensors` reads the kinds of files. All keys may have the same prefix, such as
    ``module.`` or ``model.``, which some training programs add.

    Raises
    ------
    InputError
        If the file cannot be read safely. Also if a tensor is missing, unknown, not finite, or has
        a wrong shape.
    """
    path = Path(path)
    tensors, dt = read_tensors(path)
    try:
        return network_from_tensors(_without_prefix(tensors), dt)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def network_from_tensors(tensors: dict[str, np.ndarray], dt: float = DT) -> Network:
    """Build the network of a published state dict.

    A decay is ``exp(-dt / (tau * softplus(param)))``, as in the training code. `network.constants`
    has tau. The published membrane equation multiplies the current by (1 - b), where b is the
    decay of the membrane. The weights of the network include this factor.

    Parameters
    ----------
    tensors : dict of str to ndarray of float64
        The tensors of ``KEYS``. The copies in ``COPIES`` may be there. They are checked, and not
        used.
    dt : float
        Seconds per step.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape. The message names the
        key.
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
    """``tensors`` without the prefix of all keys, if they have one."""
    first = next(iter(KEYS))
    prefixes = [key.removesuffix(first) for key in tensors if key.endswith("." + first)]
    if first in tensors or len(prefixes) != 1:
        return tensors
    return {key.removeprefix(prefixes[0]): tensor for key, tensor in tensors.items()}


def _listed(keys: Iterable[str]) -> str:
    """``keys`` with their shapes, as text."""
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
