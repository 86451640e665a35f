# SPDX-License-Identifier: Apache-2.0
"""Networks of `torch.nn.Sequential` with linear modules, rectifiers and batch normalization.

The input is the sum of the last steps of each channel, times a scale. The outputs are 0 until there
are so many steps. In evaluation, batch normalization is a gain and an offset for each unit. Behind
a linear module or a rectifier, they become part of it, and before the first of them, of the next
linear module.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..constants import MOST_LOOK
from ..graded.layers import Dense, Rectify
from ..graded.network import GradedNetwork
from ..graded.window import Sum
from .checks import check_keys, check_rule, check_tensors

__all__ = ["EPSILON", "KINDS", "Module", "Sequential", "sequential_network"]

# What torch adds to a variance, if the module does not say another number.
EPSILON = 1e-5

# Modules that change nothing in evaluation.
SILENT = ("Dropout", "Flatten", "Identity")
KINDS = ("Linear", "ReLU", "BatchNorm1d", *SILENT)

STATISTICS = ("running_mean", "running_var")


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module of the chain.

    Parameters
    ----------
    name : str
        Its name in the state dict: the tensors are ``NAME.weight`` and the like.
    kind : str
        One of ``KINDS``.
    epsilon : float
        Of batch normalization: what is added to a variance.
    """

    name: str
    kind: str
    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Module {self.name} must be one of {', '.join(KINDS)}, not "
                             f"{self.kind!r}")
        if not 0 <= self.epsilon <= sys.float_info.max:
            raise ValueError(f"{self.name}.eps must be 0 or more, not {self.epsilon!r}")

    @property
    def stage(self) -> str:
        """Name of its stage. A module without a name of its own has a number."""
        return f"{self.kind.lower()}{self.name}" if self.name[:1].isdigit() else self.name


@dataclass(frozen=True, kw_only=True)
class Sequential:
    """What a state dict does not say: the modules, and what their numbers mean.

    Parameters
    ----------
    modules : tuple of Module
        In the order in which they run.
    window : int
        Steps that the input sums, 1 to 64.
    scale : float
        What a spike counts in the input.
    mean, sd : float or sequence of float
        An axis is ``mean + sd`` times the output.
    """

    modules: tuple[Module, ...]
    window: int
    scale: float = 1.0
    mean: float | Sequence[float] = 0.0
    sd: float | Sequence[float] = 1.0

    def __post_init__(self) -> None:
        if type(self.window) is not int or not 1 <= self.window <= MOST_LOOK:
            raise ValueError(f"window must be a whole number from 1 to {MOST_LOOK}, not "
                             f"{self.window!r}")
        for name in ("scale", "mean", "sd"):
            value = getattr(self, name)
            numbers = [value] if name == "scale" or not isinstance(value, list | tuple) else value
            if not numbers or not all(type(number) in (int, float)
                                      and abs(number) <= sys.float_info.max for number in numbers):
                more = "" if name == "scale" else " or a list of them"
                raise ValueError(f"{name} must be a finite number{more}, not {value!r}")
            if name != "mean" and min(numbers) <= 0:
                raise ValueError(f"{name} must be above 0, not {value!r}")
        kinds = [module.kind for module in self.modules]
        if [kind for kind in kinds if kind in ("Linear", "ReLU")][:1] != ["Linear"]:
            raise ValueError("Modules must have a Linear, and before it no ReLU, not "
                             f"{', '.join(kinds) or 'nothing'}")


def sequential_network(tensors: Mapping[str, np.ndarray], described: Sequential, dt: float
                       ) -> GradedNetwork:
    """Build the network of the state dict of an ``nn.Sequential``.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, not finite, or has a wrong shape or value. The message
        names the key.
    """
    keys: dict[str, tuple[str, ...]] = {}
    others: set[str] = set()
    for module in described.modules:
        if module.kind == "Linear":
            keys[f"{module.name}.weight"] = ("outputs", "inputs")
            others.add(f"{module.name}.bias")
        elif module.kind == "BatchNorm1d":
            keys |= {f"{module.name}.{name}": ("units",) for name in STATISTICS}
            others |= {f"{module.name}.{name}" for name in ("weight", "bias",
                                                            "num_batches_tracked")}
    check_keys(tensors, keys, others)
    first = next(key for key, axes in keys.items() if len(axes) == 2)
    check_tensors(tensors, {first: keys[first]})
    channels = tensors[first].shape[1]
    chain = _Chain(np.full(channels, float(described.scale)))
    for module in described.modules:
        own = {key.removeprefix(f"{module.name}."): tensor for key, tensor in tensors.items()
               if key.rpartition(".")[0] == module.name}
        try:
            chain.append(module, own)
        except ValueError as error:
            raise ValueError(f"{module.name}.{error}") from error
    stages = (Sum(name="window", channels=channels, width=described.window), *chain.stages)
    outputs = stages[-1].outputs
    return GradedNetwork(kind="Sequential", channels=channels, dt=dt, stages=stages,
                         readout=np.diag(_axes(described.sd, outputs, "sd")),
                         offset=_axes(described.mean, outputs, "mean"))


def _axes(value: float | Sequence[float], outputs: int, name: str) -> np.ndarray:
    array = np.array(value, float)
    if array.ndim and len(array) != outputs:
        raise ValueError(f"{name} must have a number for each of the {outputs} outputs, not "
                         f"{len(array)}")
    return np.broadcast_to(array, outputs).copy()


class _Chain:
    """Stages of the modules so far, and a gain and an offset that the next matrix takes."""

    def __init__(self, gain: np.ndarray) -> None:
        self.stages: list[Dense | Rectify] = []
        self.gain, self.offset = gain, np.zeros(len(gain))

    @property
    def size(self) -> int:
        return self.stages[-1].outputs if self.stages else len(self.gain)

    def append(self, module: Module, tensors: Mapping[str, np.ndarray]) -> None:
        if module.kind == "Linear":
            self._linear(module, tensors)
        elif module.kind == "ReLU":
            ones = np.ones(self.size)
            self.stages.append(Rectify(name=module.stage, gain=ones, offset=0 * ones))
        elif module.kind == "BatchNorm1d":
            self._normalize(*_normalization(module, tensors, self.size))

    def _linear(self, module: Module, tensors: Mapping[str, np.ndarray]) -> None:
        weights = _checked(tensors["weight"], "weight", (*tensors["weight"].shape[:1], self.size))
        bias = _checked(tensors.get("bias", np.zeros(len(weights))), "bias", (len(weights),))
        if not self.stages:
            weights, bias = weights * self.gain, bias + weights @ self.offset
        self.stages.append(Dense(name=module.stage, weights=weights, bias=bias))

    def _normalize(self, gain: np.ndarray, offset: np.ndarray) -> None:
        if not self.stages:
            self.gain, self.offset = self.gain * gain, self.offset * gain + offset
            return
        last = self.stages[-1]
        self.stages[-1] = (
            replace(last, weights=gain[:, None] * last.weights, bias=gain * last.bias + offset)
            if isinstance(last, Dense) else
            replace(last, gain=gain * last.gain, offset=gain * last.offset + offset))


def _normalization(module: Module, tensors: Mapping[str, np.ndarray], size: int
                   ) -> tuple[np.ndarray, np.ndarray]:
    """Gain and offset of batch normalization in evaluation."""
    values = {"weight": np.ones(size), "bias": np.zeros(size), **tensors}
    weight, bias, mean, variance = (_checked(values[name], name, (size,))
                                    for name in ("weight", "bias", *STATISTICS))
    check_rule("running_var", variance, variance >= 0, "0 or more")
    spread = np.sqrt(variance + module.epsilon)
    check_rule("running_var", variance, spread > 0, "above 0, because eps is 0")
    gain = weight / spread
    return gain, bias - gain * mean


def _checked(array: np.ndarray, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape} to fit the module before, not "
                         f"{array.shape}")
    check_tensors({name: array}, {name: tuple("abc"[:array.ndim])})
    return array
