# SPDX-License-Identifier: Apache-2.0
"""A graded network as JSON and arrays, and back: how a file keeps it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from .convolution import Convolution, Line, Pool
from .layers import Dense, Normalize, Rectify
from .leaky import InnerSteps, Leaky
from .network import GradedNetwork, Stage
from .window import Sum, Window

__all__ = ["from_form", "to_form"]

KINDS: dict[str, Any] = {
    "sum": Sum, "window": Window, "dense": Dense, "rectify": Rectify, "normalize": Normalize,
    "leaky": Leaky, "inner_steps": InnerSteps, "convolution": Convolution, "pool": Pool,
    "line": Line}


def to_form(network: GradedNetwork) -> tuple[dict, dict[str, np.ndarray]]:
    """The network as a JSON object, and its arrays.

    An entry of ``stages`` has the ``kind`` of the stage, and the parameters that are no arrays. The
    array that is parameter ``weights`` of the stage ``fc1`` has the key ``fc1.weights``. The arrays
    ``readout`` and ``offset`` are those of the network.
    """
    arrays = {"readout": network.readout, "offset": network.offset}
    return {"kind": network.kind, "channels": network.channels, "dt": network.dt,
            "stages": [_entry(stage, arrays) for stage in network.stages]}, arrays


def from_form(form: Mapping, arrays: Mapping[str, np.ndarray]) -> GradedNetwork:
    """The network of a form of `to_form`.

    Raises
    ------
    ValueError
        If an entry or an array is missing, unknown, or of another kind.
    """
    try:
        return GradedNetwork(
            kind=str(form["kind"]), channels=form["channels"], dt=form["dt"],
            stages=tuple(_stage(entry, arrays) for entry in form["stages"]),
            readout=arrays["readout"], offset=arrays["offset"])
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"Graded network must be in the form that this version writes, not in "
                         f"another: {type(error).__name__} {error}") from error


def _entry(stage: Stage, arrays: dict[str, np.ndarray]) -> dict:
    entry: dict[str, Any] = {"kind": next(kind for kind, of in KINDS.items()
                                          if type(stage) is of)}
    for parameter in fields(stage):     # type: ignore[arg-type]  # a stage is a dataclass
        value = getattr(stage, parameter.name)
        if isinstance(value, np.ndarray):
            arrays[f"{stage.name}.{parameter.name}"] = value
        elif isinstance(value, tuple):
            entry[parameter.name] = [_entry(part, arrays) for part in value]
        elif value is not None:
            entry[parameter.name] = value
    return entry


def _stage(entry: Mapping, arrays: Mapping[str, np.ndarray]) -> Any:
    values = {key: tuple(_stage(part, arrays) for part in value) if isinstance(value, list)
              else value for key, value in entry.items() if key != "kind"}
    stage = KINDS[entry["kind"]]
    own = {parameter.name: arrays[key] for parameter in fields(stage)
           if (key := f"{entry['name']}.{parameter.name}") in arrays}
    return stage(**values, **own)
