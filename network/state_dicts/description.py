# SPDX-License-Identifier: Apache-2.0
"""Description files, which name the layers of a state dict.

The layers are those of snnTorch modules, or the modules are those of an ``nn.Sequential``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from ..constants import MOST_DT, is_dt
from ..graded.network import AnyNetwork
from .sequential import Module, Sequential, sequential_network
from .snntorch import KINDS, RESET_NUMBERS, VALUES, Layer, snntorch_network

__all__ = ["SUFFIX", "Description", "read_description"]

SUFFIX = ".json"

PAGE = "docs/howto/checkpoint.md"
NAMES = ("linear", "neuron", "kind")

# What a description of an nn.Sequential may have.
SEQUENTIAL = ("scale", "mean", "sd")


@dataclass(frozen=True, kw_only=True)
class Description:
    """The contents of a description file.

    Parameters
    ----------
    state_dict : Path
        The file with the tensors.
    dt : float
        Seconds per step.
    layers : tuple of Layer, or Sequential
        In the order from the input to the outputs.
    """

    state_dict: Path
    dt: float
    layers: tuple[Layer, ...] | Sequential

    def network(self, tensors: Mapping[str, np.ndarray]) -> AnyNetwork:
        """Build the network of the state dict ``tensors``.

        Raises
        ------
        ValueError
            If a tensor or a value is missing, unknown or not possible. The message names the key.
        """
        if isinstance(self.layers, Sequential):
            return sequential_network(tensors, self.layers, self.dt)
        return snntorch_network(tensors, self.layers, self.dt)


def read_description(path: Path) -> Description:
    """Read the description at ``path``. docs/howto/checkpoint.md describes its form.

    Raises
    ------
    InputError
        If the file is no description. The message names the entry.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (OSError, ValueError) as error:
        raise InputError(f"Description {path} must be a JSON file, not one that cannot be read: "
                         f"{error}") from error
    title = f"Description {path}"
    modules = isinstance(content, dict) and "modules" in content
    content = (_object(content, title, ("state_dict", "dt", "modules", "window"), SEQUENTIAL)
               if modules else _object(content, title, ("state_dict", "dt", "layers")))
    name, dt = content["state_dict"], content["dt"]
    if not isinstance(name, str) or not name or Path(name).suffix == SUFFIX:
        raise InputError(f"{title} state_dict must be the name of a file with tensors, not "
                         f"{name!r}")
    if not _number(dt) or not is_dt(dt):
        raise InputError(f"{title} dt must be seconds between 0 and {MOST_DT}, not {dt!r}")
    return Description(state_dict=path.parent / name, dt=float(dt), layers=(
        _sequential(content, title) if modules else _layers(content["layers"], title)))


def _layers(layers: object, title: str) -> tuple[Layer, ...]:
    if not isinstance(layers, list) or len(layers) < 2:
        raise InputError(f"{title} layers must be a list of 2 layers or more, the last of which "
                         f"has the outputs, not {layers!r}")
    return tuple(_layer(layer, f"{title} layers[{k}]") for k, layer in enumerate(layers))


def _sequential(content: dict, title: str) -> Sequential:
    modules = content["modules"]
    if not isinstance(modules, dict):
        raise InputError(f"{title} modules must be an object with the kind of each module, not "
                         f"{modules!r}: see {PAGE}")
    try:
        return Sequential(
            modules=tuple(Module(name=name, kind=kind) for name, kind in modules.items()),
            window=content["window"],
            **{key: content[key] for key in SEQUENTIAL if key in content})
    except ValueError as error:
        raise InputError(f"{title}: {error}") from error


def _layer(content: object, title: str) -> Layer:
    layer = _object(content, title, NAMES, tuple(VALUES))
    for key in ("linear", "neuron"):
        if not isinstance(layer[key], str) or not layer[key]:
            raise InputError(f"{title} {key} must be the name of a module, not {layer[key]!r}")
    if layer["kind"] not in KINDS:
        raise InputError(f"{title} kind must be one of {', '.join(KINDS)}, not {layer['kind']!r}")
    values = {key: layer[key] for key in VALUES if key in layer}
    for key, value in values.items():
        if key == "reset":
            if value not in RESET_NUMBERS:
                raise InputError(f"{title} reset must be one of {', '.join(RESET_NUMBERS)}, not "
                                 f"{value!r}")
        elif not (_number(value) or isinstance(value, list) and all(map(_number, value))):
            raise InputError(f"{title} {key} must be a number or a list of numbers, not {value!r}")
    if "alpha" in values and not layer["kind"].endswith("Synaptic"):
        raise InputError(f"{title} alpha must come with a Synaptic or RSynaptic neuron, not with "
                         f"{layer['kind']}")
    return Layer(name=layer["neuron"], values=values, **{key: layer[key] for key in NAMES})


def _object(content: object, title: str, keys: tuple[str, ...],
            optional: tuple[str, ...] = ()) -> dict:
    if not isinstance(content, dict):
        raise InputError(f"{title} must be an object, not {content!r}: see {PAGE}")
    missing = [key for key in keys if key not in content]
    if missing:
        raise InputError(f"{title} must have {', '.join(missing)}, not only "
                         f"{', '.join(content) or 'nothing'}: see {PAGE}")
    unknown = next((key for key in content if key not in (*keys, *optional)), None)
    if unknown is not None:
        raise InputError(f"{title} must have only {', '.join((*keys, *optional))}, not "
                         f"{unknown!r}: see {PAGE}")
    return content


def _once(pairs: list[tuple[str, object]]) -> dict:
    keys = [key for key, _ in pairs]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise ValueError(f"it has the key {twice[0]!r} twice")
    return dict(pairs)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
