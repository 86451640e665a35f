# SPDX-License-Identifier: Apache-2.0
"""Reader of trained checkpoints. Their keys decide which kind of network they have."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .constants import DT
from .graded.network import AnyNetwork, GradedNetwork
from .retime import retime
from .state_dicts.checks import PAGE, given
from .state_dicts.description import SUFFIX, read_description
from .state_dicts.neurobench import neurobench_network
from .state_dicts.neurobench_ann import ann_network
from .state_dicts.neurobench_snn_flat import snn_flat_network
from .state_dicts.rsnn import rsnn_network
from .state_dicts.srtnet import srtnet_network
from .tensors import TIMES, read_tensors

__all__ = ["checkpoint_hash", "network_from_tensors", "read_checkpoint"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of state dict that needs no description.

    Parameters
    ----------
    title : str
        Its name for users.
    mark : str
        A key that no other kind has.
    build : function
        Builds a network from tensors and dt.
    """

    title: str
    mark: str
    build: Callable[[Mapping[str, np.ndarray], float], AnyNetwork]


KINDS = (
    Kind(title="tinyRSNN and bigRSNN", mark="con1.op.weight", build=rsnn_network),
    Kind(title="NeuroBench's SNN", mark="fc_out.weight", build=neurobench_network),
    Kind(title="NeuroBench's ANN and ANN_Flat", mark="batchnorm1.weight", build=ann_network),
    Kind(title="NeuroBench's SNN_Flat", mark="norm_layer.weight", build=snn_flat_network),
    Kind(title="sRTnet", mark="conv1.weight", build=srtnet_network))


def checkpoint_hash(path: Path) -> str:
    """SHA-256 of the file at ``path``, in hex. A description counts with its state dict."""
    path = Path(path)
    content = path.read_bytes()
    if path.suffix == SUFFIX:
        content += read_description(path).state_dict.read_bytes()
    return hashlib.sha256(content).hexdigest()


def read_checkpoint(path: Path, step: float | None = None) -> AnyNetwork:
    """Read the checkpoint at ``path`` into a network.

    It has the published delays, unless the file says that it was trained to answer earlier.

    `network.tensors` reads the kinds of files. A description, a .json file, names the layers of a
    state dict of snnTorch modules, or of an nn.Sequential. For other state dicts, the keys decide
    which kind of network they have.

    Parameters
    ----------
    path : Path
    step : float, optional
        Seconds per step. By default, what the file says, and ``DT`` if it says nothing.

    Raises
    ------
    InputError
        If the file cannot be read safely, or says another step. Also if a tensor is missing,
        unknown, not finite, or has a wrong shape.
    """
    path = Path(path)
    described = read_description(path) if path.suffix == SUFFIX else None
    tensors, said = read_tensors(described.state_dict if described else path)
    if described:
        said = replace(said, dt=described.dt)
    if None not in (step, said.dt) and step != said.dt:
        raise InputError(f"Option step must be {said.dt:g} s, as {path.name} has, not {step:g}")
    dt = step or said.dt or DT
    try:
        if described:
            return described.network(tensors)
        return network_from_tensors(tensors, dt, said.time, said.offset)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def network_from_tensors(tensors: Mapping[str, np.ndarray], dt: float = DT,
                         time: str = TIMES[0], offset: Sequence[float] | None = None
                         ) -> AnyNetwork:
    """Build the network of a state dict of one of ``KINDS``.

    All keys may have the same prefix, such as ``module.`` or ``model.``, which some training
    programs add.

    Parameters
    ----------
    tensors : dict of str to ndarray of float64
    dt : float
        Seconds per step.
    time : str
        One of ``TIMES``. The delays of a network that was trained to answer at the earliest time
        are those of `retime.retime`. It has no lead, because no code gives its answers later. The
        kinds of graded networks always answer at the first of them.
    offset : sequence of float, optional
        What is added to the output of each axis. By default, what the tensors say, or 0.

    Raises
    ------
    ValueError
        If the keys are of no kind. Also if a tensor is missing, unknown, not finite, or has a wrong
        shape. The message names the key.
    """
    for kind in KINDS:
        prefixes = [key.removesuffix(kind.mark) for key in tensors
                    if key == kind.mark or key.endswith("." + kind.mark)]
        if kind.mark in tensors or len(prefixes) == 1:
            prefix = "" if kind.mark in tensors else prefixes[0]
            network = kind.build({key.removeprefix(prefix): tensor
                                  for key, tensor in tensors.items()}, dt)
            if time != TIMES[0] and not isinstance(network, GradedNetwork):
                network = replace(retime(network), lead_steps=0)
            return network if offset is None else replace(network, offset=np.array(offset, float))
    marks = ", ".join(f"{kind.mark} ({kind.title})" for kind in KINDS)
    raise ValueError(f"Checkpoint must have the keys of one kind of network, which are known by "
                     f"{marks}, not only {given(tensors)}; other state dicts of snnTorch modules "
                     f"or of an nn.Sequential need a description: see {PAGE}")
