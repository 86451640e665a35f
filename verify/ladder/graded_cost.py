# SPDX-License-Identifier: Apache-2.0
"""The cost of a graded network: memory, and operations per step.

Operations are those of `network.graded.operations`, of the published code. States are what this
code keeps from step to step: the rows of a window, the inputs of a convolution, membranes and
keypoints.
Those of integers are the sums, the values and the log of the windows.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from spikewright.model.graded import GradedPopulation
from spikewright.model.model import IntegerModel
from spikewright.network.graded.convolution import Convolution, Line
from spikewright.network.graded.layers import Dense
from spikewright.network.graded.leaky import InnerSteps, Leaky
from spikewright.network.graded.network import GradedNetwork
from spikewright.network.graded.operations import count_operations, weights_used
from spikewright.network.graded.window import Sum, Window
from spikewright.network.network import CONSTANT, INPUT
from spikewright.network.recording import Recording

__all__ = ["graded_float_cost", "graded_integer_cost", "rounded_away"]


def graded_float_cost(network: GradedNetwork, dtype: type, recording: Recording,
                      spikes: np.ndarray) -> dict:
    """Cost of ``network`` in a floating-point format, with its ``spikes`` over ``recording``."""
    bits = 8 * np.dtype(dtype).itemsize
    parameters = sum(_parameters(stage) for stage in network.stages)
    return {"table_bits": bits * _weights(network),
            "state_bits": bits * sum(_state(stage) for stage in network.stages),
            "footprint_bytes": bits * parameters // 8,
            **_activity(network, network, recording, spikes)}


def graded_integer_cost(model: IntegerModel, table_bits: int, network: GradedNetwork,
                        recording: Recording, spikes: np.ndarray) -> dict:
    """Cost of ``model``, whose weight tables have ``table_bits``, on golden's ``spikes``.

    The model was rounded from ``network``.
    """
    graded = [p for p in model.populations if isinstance(p, GradedPopulation)]
    constants = sum(p.size * (model.widths.current + (0 if p.output else 20)) for p in graded)
    log = model.window_room * max(model.rows - 1, 1).bit_length()
    return {"table_bits": table_bits,
            "state_bits": log + sum(p.size * (model.widths.current + p.bits) for p in graded),
            "footprint_bytes": -(-(table_bits + constants) // 8),
            **_activity(network, rounded_away(network, model), recording, spikes)}


def rounded_away(network: GradedNetwork, model: IntegerModel) -> GradedNetwork:
    """``network`` with 0 for each weight that is 0 in ``model``.

    A weight of the first layer of inner steps is 0 if it is 0 in all of them.
    """
    names = [stage.name for stage in network.stages]
    return replace(network, stages=tuple(
        _rounded(stage, after, model)
        for stage, after in zip(network.stages, [*names[1:], ""], strict=True)))


def _rounded(stage: Any, after: str, model: IntegerModel) -> Any:
    """``stage`` with its zeros. ``after`` is the name of the next stage."""
    if isinstance(stage, InnerSteps):
        first, *rest = stage.layers
        used = np.any([p.weights for p in model.projections if p.source == INPUT], axis=0)
        return replace(stage, layers=(_masked(first, weights=used.T),
                                      *(_rounded(layer, "", model) for layer in rest)))
    if isinstance(stage, Convolution):      # with its pool, it is one population
        taps = [p for p in model.projections if p.target == after]
        return _masked(stage, weights=np.array(
            [p.weights.T for p in sorted(taps, key=lambda p: -p.delay)]))
    if not isinstance(stage, Dense | Leaky):
        return stage
    into = [p for p in model.projections if p.target == stage.name and p.source != CONSTANT]
    rows = np.vstack([p.weights for p in into if p.source != stage.name])
    # A line adds the rows of a layer more than once.
    stage = _masked(stage, weights=rows[:stage.weights.shape[1]].T)
    own = [p.weights.T for p in into if p.source == stage.name]
    return _masked(stage, recurrent=own[0]) if own else stage


def _masked(stage: Any, **integers: np.ndarray) -> Any:
    """``stage`` with 0 in its matrices where these ``integers`` are 0."""
    return replace(stage, **{name: np.where(array == 0, 0, getattr(stage, name))
                             for name, array in integers.items()})


def _activity(network: GradedNetwork, used: GradedNetwork, recording: Recording,
              spikes: np.ndarray) -> dict:
    operations = count_operations(used, recording)
    return {"decay_multiplies": 0, "effective_macs": operations.macs,
            "synaptic_operations": operations.acs, "dense_operations": operations.dense,
            "connection_sparsity": 1 - weights_used(used) / _weights(network),
            "activation_sparsity": 1 - float(spikes.mean()) if spikes.size else None}


def _weights(network: GradedNetwork) -> int:
    """All weights, zeros too."""
    return sum(array.size for stage in network.stages for name, array in _arrays(stage)
               if name in ("weights", "recurrent"))


def _parameters(stage: Any) -> int:
    return sum(array.size for _, array in _arrays(stage))


def _arrays(stage: Any) -> list[tuple[str, np.ndarray]]:
    if isinstance(stage, InnerSteps):
        return [pair for layer in stage.layers for pair in _arrays(layer)]
    named = [(entry.name, getattr(stage, entry.name)) for entry in fields(stage)]
    return [(name, value) for name, value in named if isinstance(value, np.ndarray)]


def _state(stage: Any) -> int:
    """Values that a stage keeps from step to step."""
    match stage:
        case Sum():
            return stage.width * stage.channels
        case Window():
            return stage.rows * stage.channels
        case Convolution():
            return stage.taps * stage.inputs
        case Leaky():
            return stage.outputs
        case Line():
            return 2 * stage.size
    return 0
