# SPDX-License-Identifier: Apache-2.0
"""Description files, which name the layers of a state dict of snnTorch modules."""

import json
from dataclasses import dataclass
from pathlib import Path

from spikewright.base.errors import InputError

from ..constants import MOST_DT, is_dt
from .snntorch import KINDS, RESET_NUMBERS, VALUES, Layer

__all__ = ["SUFFIX", "Description", "read_description"]

SUFFIX = ".json"

PAGE = "docs/howto/checkpoint.md"
NAMES = ("linear", "neuron", "kind")


@dataclass(frozen=True, kw_only=True)
class Description:
    """The contents of a description file.

    Parameters
    ----------
    state_dict : Path
        The file with the tensors.
    dt : float
        Seconds per step.
    layers : tuple of Layer
        In the order from the input to the outputs.
    """

    state_dict: Path
    dt: float
    layers: tuple[Layer, ...]


def read_description(path: Path) -> Description:
    """Read the description at ``path``. docs/howto/checkpoint.md describes its form.

    Raises
    ------
    InputError
        If the file is no description. The message names the entry.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"Description {path} must be a JSON file, not one that cannot be read: "
                         f"{error}") from error
    title = f"Description {path}"
    content = _object(content, title, ("state_dict", "dt", "layers"))
    name, dt, layers = content["state_dict"], content["dt"], content["layers"]
    if not isinstance(name, str) or not name or Path(name).suffix == SUFFIX:
        raise InputError(f"{title} state_dict must be the name of a file with tensors, not "
                         f"{name!r}")
    if not _number(dt) or not is_dt(dt):
        raise InputError(f"{title} dt must be seconds between 0 and {MOST_DT}, not {dt!r}")
    if not isinstance(layers, list) or len(layers) < 2:
        raise InputError(f"{title} layers must be a list of 2 layers or more, the last of which "
                         f"has the outputs, not {layers!r}")
    return Description(state_dict=path.parent / name, dt=float(dt), layers=tuple(
        _layer(layer, f"{title} layers[{k}]") for k, layer in enumerate(layers)))


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


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
