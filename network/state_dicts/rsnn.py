# SPDX-License-Identifier: Apache-2.0
"""State dicts of the published tinyRSNN and bigRSNN code.

Both have one population of recurrent neurons. tinyRSNN has one readout head. bigRSNN has five, with
time constants of their own, and its output is their mean.
"""

from collections.abc import Mapping

import numpy as np

from ..constants import (
    BIG_HEADS,
    TAU_MEM,
    TAU_MEM_READOUT,
    TAU_SYN,
)
from ..network import INPUT, Network, Population, Projection
from .checks import Keys, check_keys, check_tensors

__all__ = ["BIG_KEYS", "COPIES", "FIRST_HEAD", "KEYS", "TINY_HEADS", "rsnn_network"]

# Membrane and current time constants of the head of tinyRSNN.
TINY_HEADS = ((TAU_MEM_READOUT, TAU_SYN),)

# The heads are the projections and populations with this number and the next ones.
FIRST_HEAD = 3

# The published code updates every variable from values of the step before. A spike therefore
# follows its membrane by one step, and a current follows its spike by one step. In the form of
# `network.Population`, the delays of the projections include these steps.
INPUT_DELAY, RECURRENT_DELAY, OUTPUT_DELAY = 2, 3, 3


def _keys(heads: int) -> dict[str, tuple[str, ...]]:
    """Keys with ``heads`` heads. C is the number of channels, H of hidden neurons, O of axes."""
    numbers = range(FIRST_HEAD, FIRST_HEAD + heads)
    return {
        "con1.op.weight": ("H", "C"), "con2.op.weight": ("H", "H"),
        **{f"con{k}.op.weight": ("O", "H") for k in numbers},
        "group2.mem_param": ("H",), "group2.syn_param": ("H",),
        **{f"group{k}.{kind}_param_readout": ("O",) for k in numbers for kind in ("mem", "syn")}}


KEYS: Keys = _keys(len(TINY_HEADS))
BIG_KEYS: Keys = _keys(len(BIG_HEADS))


def _copies(heads: int) -> dict[str, str]:
    """Keys of copies, and of their originals.

    The training library stores tensors again under these names. The copies must be equal.
    """
    ends = {"con1": ("dst",), "con2": ("src", "dst")}
    copies = {f"{con}.{end}.{kind}_param": f"group2.{kind}_param"
              for con, of in ends.items() for end in of for kind in ("mem", "syn")}
    for k in range(FIRST_HEAD, FIRST_HEAD + heads):
        for kind in ("mem", "syn"):
            copies[f"con{k}.src.{kind}_param"] = f"group2.{kind}_param"
            copies[f"con{k}.dst.{kind}_param_readout"] = f"group{k}.{kind}_param_readout"
    if heads == 1:
        copies |= {f"output_group.{kind}_param_readout": f"group{FIRST_HEAD}.{kind}_param_readout"
                   for kind in ("mem", "syn")}
    return copies


COPIES = _copies(len(TINY_HEADS))


def rsnn_network(tensors: Mapping[str, np.ndarray], dt: float) -> Network:
    """Build the network of a tinyRSNN or bigRSNN state dict, with the published delays.

    A decay is ``exp(-dt / (tau * softplus(param)))``, as in the training code. `network.constants`
    has tau. The published membrane equation multiplies the current by (1 - b), where b is the
    decay of the membrane. The weights of the network include this factor. All heads are one
    population, and the network's readout has their mean.

    Parameters
    ----------
    tensors : dict of str to ndarray of float64
        The tensors of ``KEYS`` or of ``BIG_KEYS``. Copies may be there. They are checked, and not
        used.
    dt : float
        Seconds per step.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape. The message names the
        key.
    """
    big = any(key in BIG_KEYS and key not in KEYS for key in tensors)
    heads, keys = (BIG_HEADS, BIG_KEYS) if big else (TINY_HEADS, KEYS)
    copies = _copies(len(heads))
    check_keys(tensors, keys, copies)
    axes = check_tensors(tensors, keys)["O"]
    for copy, key in copies.items():
        if copy in tensors and not np.array_equal(tensors[copy], tensors[key]):
            raise ValueError(f"{copy} must equal {key}, its original, not differ from it")
    hidden = Population(
        name="hidden", spiking=True, threshold=np.ones(len(tensors["con1.op.weight"])),
        synaptic_decay=_decay(tensors, "group2.syn_param", TAU_SYN, dt),
        membrane_decay=_decay(tensors, "group2.mem_param", TAU_MEM, dt))
    decays = [(_decay(tensors, f"group{k}.syn_param_readout", tau_syn, dt),
               _decay(tensors, f"group{k}.mem_param_readout", tau_mem, dt))
              for k, (tau_mem, tau_syn) in enumerate(heads, FIRST_HEAD)]
    readout = Population(
        name="readout", spiking=False, threshold=np.ones(axes * len(heads)),
        synaptic_decay=np.concatenate([synaptic for synaptic, _ in decays]),
        membrane_decay=np.concatenate([membrane for _, membrane in decays]))
    w_in, w_rec = tensors["con1.op.weight"], tensors["con2.op.weight"]
    w_out = np.vstack([tensors[f"con{FIRST_HEAD + k}.op.weight"] for k in range(len(heads))])
    fold, fold_out = 1 - hidden.membrane_decay, 1 - readout.membrane_decay
    return Network(
        channels=w_in.shape[1], dt=dt, populations=(hidden, readout),
        readout=np.tile(np.eye(axes) / len(heads), len(heads)), projections=(
            Projection(source="hidden", target="hidden", delay=RECURRENT_DELAY,
                       weights=w_rec.T * fold),
            Projection(source=INPUT, target="hidden", delay=INPUT_DELAY, weights=w_in.T * fold),
            Projection(source="hidden", target="readout", delay=OUTPUT_DELAY,
                       weights=w_out.T * fold_out)))


def _decay(tensors: Mapping[str, np.ndarray], key: str, tau: float, dt: float) -> np.ndarray:
    with np.errstate(over="ignore", divide="ignore"):
        decay = np.exp(-dt / (tau * np.logaddexp(0.0, tensors[key])))
    bad = np.flatnonzero(~((decay > 0) & (decay < 1)))
    if len(bad):
        raise ValueError(f"{key} must give a decay inside (0, 1), not {float(decay[bad[0]])!r} "
                         f"in row {int(bad[0])}")
    return decay
