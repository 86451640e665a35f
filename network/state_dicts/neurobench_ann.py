# SPDX-License-Identifier: Apache-2.0
"""State dicts of NeuroBench's ANN and ANN_Flat for primate reaching.

Both have the same keys::

    u = W1 x + b1        h1 = BN1(max(u, 0))        h2 = BN2(max(W2 h1 + b2, 0))
    output = W3 h2 + b3

x of the ANN is the sum of the last 50 steps of each channel. The outputs are 0 until there are 50.
The further key ``steps`` is another number of steps.
x of ANN_Flat has seven sums for each channel, those of `graded.window.Window`: input
``7 channel + part`` of W1. So the columns of W1 are the only difference. The published networks
have 96 or 192 channels, which 7 does not divide. A number of columns that 7 divides is therefore
that of ANN_Flat, unless the further key ``parts`` is 1. It is 7 for ANN_Flat.
"""

from collections.abc import Mapping

import numpy as np

from ..constants import MOST_LOOK
from ..graded.layers import Dense, Rectify
from ..graded.network import GradedNetwork
from ..graded.window import Sum, Window
from .checks import Keys, check_keys, check_rule, check_tensors, one_of

__all__ = ["EPSILON", "KEYS", "PARTS", "STEPS", "WIDTH", "ann_network"]

# What a window sums: ANN the last STEPS steps, ANN_Flat PARTS times WIDTH steps.
STEPS, PARTS, WIDTH = 50, 7, 7

# What torch adds to a variance.
EPSILON = 1e-5

NORMS = ("batchnorm1", "batchnorm2")
STATISTICS = ("weight", "bias", "running_mean", "running_var")

# I is the number of inputs, H and J of hidden units, O of outputs.
KEYS: Keys = {
    "fc1.weight": ("H", "I"), "fc1.bias": ("H",), "fc2.weight": ("J", "H"), "fc2.bias": ("J",),
    "fc3.weight": ("O", "J"), "fc3.bias": ("O",),
    **{f"{norm}.{name}": (size,) for norm, size in zip(NORMS, "HJ", strict=True)
       for name in STATISTICS}}

# Not used.
COUNTS: Keys = {f"{norm}.num_batches_tracked": () for norm in NORMS}


def ann_network(tensors: Mapping[str, np.ndarray], dt: float) -> GradedNetwork:
    """Build the network of a state dict of NeuroBench's ANN or ANN_Flat.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape or value. The message
        names the key.
    """
    check_keys(tensors, KEYS, {"parts", "steps", *COUNTS})
    sizes = check_tensors(tensors, KEYS)
    check_tensors(tensors, {key: axes for key, axes in COUNTS.items() if key in tensors})
    flat = _flat(tensors, sizes["I"])
    channels = sizes["I"] // PARTS if flat else sizes["I"]
    weights = tensors["fc1.weight"]
    first: Sum | Window
    if flat:
        first = Window(name="window", channels=channels, parts=PARTS, width=WIDTH)
        weights = weights.reshape(-1, channels, PARTS).swapaxes(1, 2).reshape(weights.shape)
    else:
        first = Sum(name="window", channels=channels, width=one_of(
            tensors, "steps", STEPS, range(1, MOST_LOOK + 1),
            f"a whole number from 1 to {MOST_LOOK}"))
    return GradedNetwork(
        kind="ANN_Flat" if flat else "ANN", channels=channels, dt=dt, stages=(
            first, Dense(name="fc1", weights=weights, bias=tensors["fc1.bias"]),
            _rectify(tensors, "batchnorm1"),
            Dense(name="fc2", weights=tensors["fc2.weight"], bias=tensors["fc2.bias"]),
            _rectify(tensors, "batchnorm2"),
            Dense(name="fc3", weights=tensors["fc3.weight"], bias=tensors["fc3.bias"])))


def _flat(tensors: Mapping[str, np.ndarray], inputs: int) -> bool:
    divides = inputs % PARTS == 0
    parts = one_of(tensors, "parts", PARTS if divides else 1, (1, PARTS), f"1 or {PARTS}")
    if parts == PARTS and not divides:
        raise ValueError(f"fc1.weight must have a multiple of {PARTS} columns, because parts is "
                         f"{PARTS}, not {inputs}")
    return parts == PARTS


def _rectify(tensors: Mapping[str, np.ndarray], norm: str) -> Rectify:
    weight, bias, mean, variance = (tensors[f"{norm}.{name}"] for name in STATISTICS)
    check_rule(f"{norm}.running_var", variance, variance >= 0, "0 or more")
    gain = weight / np.sqrt(variance + EPSILON)
    return Rectify(name=norm, gain=gain, offset=bias - mean * gain)
