# SPDX-License-Identifier: Apache-2.0
"""A graded network from a `torch.nn.Sequential` in memory."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from spikewright.base.errors import InputError

from ..constants import MOST_DT, is_dt
from ..graded.network import GradedNetwork
from .sequential import Module, Sequential, sequential_network

__all__ = ["from_sequential"]


def from_sequential(module: Any, *, dt: float, window: int, scale: float = 1.0,
                    mean: float | Sequence[float] = 0.0, sd: float | Sequence[float] = 1.0
                    ) -> GradedNetwork:
    """Make a network of a ``torch.nn.Sequential`` of your own, to be quantized.

    It decodes as the module does after ``module.eval()``, from the sum of the last ``window`` steps
    of each channel. It holds Linear, ReLU and BatchNorm1d. Dropout, Flatten and Identity change
    nothing. A Sequential in it counts as its modules.

    Parameters
    ----------
    module : torch.nn.Sequential
    dt : float
        Seconds per step.
    window : int
        Steps that the input sums, 1 to 64. Before there are so many, the outputs are 0.
    scale : float
        What a spike counts in the input: ``1 / (window * dt)`` for a module that takes rates in Hz.
    mean, sd : float or sequence of float
        An axis of the velocity is ``mean + sd`` times the output.

    Raises
    ------
    InputError
        If the module is of another kind, or an argument is out of its range.
    """
    if not is_dt(dt):
        raise InputError(f"dt must be seconds between 0 and {MOST_DT}, not {dt!r}")
    try:
        parts = list(_parts(module, ""))
        described = Sequential(modules=tuple(_described(name, part) for name, part in parts),
                               window=window, scale=scale, mean=mean, sd=sd)
        tensors = {f"{name}.{key}": _array(tensor) for name, part in parts
                   for key, tensor in part.state_dict().items()}
        return sequential_network(tensors, described, float(dt))
    except ValueError as error:
        raise InputError(str(error)) from error


def _parts(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The modules of a Sequential, and of those in it, with their names in the state dict."""
    if type(module).__name__ != "Sequential":
        raise ValueError(f"Module must be an nn.Sequential, not {type(module).__name__}")
    for name, part in module.named_children():
        if type(part).__name__ == "Sequential":
            yield from _parts(part, f"{prefix}{name}.")
        else:
            yield prefix + name, part


def _described(name: str, part: Any) -> Module:
    kind = type(part).__name__
    return Module(name=name, kind=kind, epsilon=part.eps) if kind == "BatchNorm1d" else Module(
        name=name, kind=kind)


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()
