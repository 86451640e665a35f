# SPDX-License-Identifier: Apache-2.0
"""Reader of trained checkpoints. Their keys decide which kind of network they have."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .constants import DT
from .network import Network
from .retime import retime
from .state_dicts import neurobench, rsnn
from .state_dicts.checks import PAGE, Keys, given, listed
from .state_dicts.description import SUFFIX, read_description
from .state_dicts.snntorch import snntorch_network
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
    keys : dict of str to tuple of str
        The keys that it needs, with their shapes.
    build : function
        Builds a network from tensors and dt.
    """

    title: str
    mark: str
    keys: Keys
    build: Callable[[Mapping[str, np.ndarray], float], Network]


KINDS = (
    Kind(title="tinyRSNN and bigRSNN", mark="con1.op.weight", keys=rsnn.KEYS,
         build=rsnn.rsnn_network),
    Kind(title="the NeuroBench SNN", mark="fc_out.weight", keys=neurobench.KEYS,
         build=neurobench.neurobench_network))


def checkpoint_hash(path: Path) -> str:
    """SHA-256 of the file at ``path``, in hex. A description counts with its state dict."""
    path = Path(path)
    content = path.read_bytes()
    if path.suffix == SUFFIX:
        content += read_description(path).state_dict.read_bytes()
    return hashlib.sha256(content).hexdigest()


def read_checkpoint(path: Path, step: float | None = None) -> Network:
    """Read the checkpoint at ``path`` into a network.

    It has the published delays, unless the file says that it was trained to answer earlier.

    `network.tensors` reads the kinds of files. A description, a .json file, names the layers of a
    state dict of snnTorch modules. For other state dicts, the keys decide which kind of network
    they have.

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
            return snntorch_network(tensors, described.layers, dt)
        return network_from_tensors(tensors, dt, said.time, said.offset)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def network_from_tensors(tensors: Mapping[str, np.ndarray], dt: float = DT,
                         time: str = TIMES[0], offset: Sequence[float] | None = None) -> Network:
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
        are those of `retime.retime`. It has no lead, because no code gives its answers later.
    offset : sequence of float, optional
        What is added to the output of each axis. By default, 0.

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
            if time != TIMES[0]:
                network = replace(retime(network), lead_steps=0)
            return network if offset is None else replace(network, offset=np.array(offset, float))
    wanted = ", or ".join(f"{listed(kind.keys)}, as {kind.title}" for kind in KINDS)
    raise ValueError(f"Checkpoint must have {wanted}, not only {given(tensors)}; other state dicts "
                     f"of snnTorch modules need a description: see {PAGE}")
