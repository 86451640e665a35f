# SPDX-License-Identifier: Apache-2.0
"""The graded float network, which readers make and the quantizer reads."""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from spikewright.base.errors import InputError

from ..constants import MOST_DT, is_dt
from ..network import Network, check_offset, spike_columns
from .layers import Rectify
from .leaky import Leaky
from .series import Series

__all__ = ["AnyNetwork", "GradedNetwork", "Stage", "spiking"]


class Stage(Protocol):
    """A part of a graded network: numbers in, numbers out.

    The classes are those of `window`, `layers`, `leaky` and `convolution`. Each is a frozen
    dataclass, and its docstring has its equations. An array that is a parameter has float64. A
    stage with spiking neurons has ``spiking``: the columns of its spikes, by name.
    """

    @property
    def name(self) -> str: ...

    @property
    def inputs(self) -> int: ...

    @property
    def outputs(self) -> int: ...

    def run(self, series: Series) -> Series:
        """The values of the stage from those of the stage before."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GradedNetwork:
    """A chain of stages whose values are numbers: a decoder with hidden layers that do not spike.

    The first stage takes the counts of the events of each channel in each step. The others take the
    values of the stage before, whenever they come. The last values are the outputs. They hold until
    the next ones come, and are 0 before the first::

        velocity = readout @ outputs + offset

    It is what the reader gives and the quantizer takes, as `network.Network` is for spiking
    networks. Both have ``channels``, ``dt``, ``readout``, ``offset``, ``lead_steps`` and
    ``spike_columns``.

    Parameters
    ----------
    kind : str
        Its name for users, such as ``ANN_Flat``.
    channels : int
        Number of inputs.
    dt : float
        Seconds per step.
    stages : tuple of Stage
    readout : ndarray of float64, shape (axes, outputs)
        By default, the unit matrix.
    offset : ndarray of float64, shape (axes,)
        In physical units. By default, 0.

    Raises
    ------
    ValueError
        If the parts do not fit together, or a value is out of range.
    """

    kind: str
    channels: int
    dt: float
    stages: tuple[Stage, ...]
    readout: np.ndarray = None          # type: ignore[assignment]  # filled in below
    offset: np.ndarray = None           # type: ignore[assignment]  # filled in below

    #: Its answers come when those of the published model come.
    lead_steps = 0

    def __post_init__(self) -> None:
        if not (self.channels >= 1 and is_dt(self.dt)):
            raise ValueError(f"Network must have 1 channel or more and a dt between 0 and {MOST_DT}"
                             f" s, not {self.channels} and {self.dt}")
        size = self.channels
        for stage in self.stages:
            _check_finite(stage)
            if stage.inputs != size:
                raise ValueError(f"Stage {stage.name} must take {size} values, as the stage before "
                                 f"gives, not {stage.inputs}")
            size = stage.outputs
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ValueError("Network must have stages with names that differ from one another, "
                             f"not {', '.join(names) or 'no stage'}")
        if self.readout is None:
            object.__setattr__(self, "readout", np.eye(size))
        if (self.readout.ndim != 2 or self.readout.shape[1] != size or not len(self.readout)
                or not np.isfinite(self.readout).all()):
            raise ValueError(f"Network readout must be finite, of shape (axes, {size}), "
                             f"not of shape {self.readout.shape}")
        if self.offset is None:
            object.__setattr__(self, "offset", np.zeros(len(self.readout)))
        check_offset(self.offset, len(self.readout), "Network offset")

    @property
    def outputs(self) -> int:
        """Number of values of the last stage."""
        return self.stages[-1].outputs

    @property
    def hidden(self) -> int:
        """Number of rectified units, and of neurons that spike."""
        layers = [part for stage in self.stages for part in getattr(stage, "layers", [stage])]
        return sum(layer.outputs for layer in layers
                   if isinstance(layer, Rectify) or isinstance(layer, Leaky) and layer.spikes)

    @property
    def spike_columns(self) -> dict[str, slice]:
        """Columns of each spiking layer in an array with the spikes of all."""
        return spike_columns(pair for stage in self.stages
                             for pair in getattr(stage, "spiking", {}).items())

    def stage(self, name: str) -> Stage:
        """The stage called ``name``."""
        return next(stage for stage in self.stages if stage.name == name)


#: What `checkpoint.read_checkpoint` gives.
AnyNetwork = Network | GradedNetwork


def spiking(network: AnyNetwork) -> Network:
    """``network`` itself, for what takes no graded networks.

    Raises
    ------
    InputError
        If it is a graded network.
    """
    if isinstance(network, GradedNetwork):
        raise InputError("Network must be one of spiking neurons only, not a graded one of the "
                         f"kind {network.kind}")
    return network


def _check_finite(stage: Stage) -> None:
    for entry in fields(stage):         # type: ignore[arg-type]  # a stage is a dataclass
        value = getattr(stage, entry.name)
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            raise ValueError(f"Stage {stage.name} {entry.name} must be finite, not hold NaN or an "
                             "infinity")
        if isinstance(value, tuple):
            for part in value:
                _check_finite(part)
