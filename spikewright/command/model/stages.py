# SPDX-License-Identifier: Apache-2.0
"""Lines about the stages of a graded network."""

import numpy as np

from spikewright.network.graded.convolution import Convolution, Line, Pool
from spikewright.network.graded.layers import Dense, Normalize, Rectify
from spikewright.network.graded.leaky import InnerSteps, Leaky
from spikewright.network.graded.network import GradedNetwork, Stage
from spikewright.network.graded.window import Sum, Window

__all__ = ["stage_rows"]


def stage_rows(network: GradedNetwork) -> list[tuple[str, str]]:
    """Title and text of a line: the kind, and each stage."""
    rows = [("kind", network.kind)]
    for stage in network.stages:
        rows.append((stage.name, _told(stage)))
        if isinstance(stage, InnerSteps):
            rows += [(f"  {layer.name}", _told(layer)) for layer in stage.layers]
    return [*rows, ("outputs", f"{len(network.readout)} axes")]


def _told(stage: Stage) -> str:
    """What a stage does, in a few words."""
    match stage:
        case Sum():
            return f"sum of the last {stage.width} steps of each channel"
        case Window():
            return (f"{stage.parts} sums of {stage.width} steps of each channel, up to the step "
                    "before")
        case Dense():
            return _matrix(stage.weights)
        case Rectify():
            return f"{stage.outputs} units, negative values are 0, then gain and offset"
        case Normalize():
            return f"{stage.outputs} values, less their mean and over their deviation"
        case Convolution():
            return f"{stage.taps} taps, {_matrix(stage.weights)}"
        case Pool():
            return f"largest of {stage.width} values, phase {stage.phase}"
        case Line():
            return f"line of {stage.steps} steps between keypoints"
        case InnerSteps():
            return f"{stage.steps} inner steps"
        case Leaky():
            kind = f"spiking, reset {stage.reset}" if stage.spikes else "output"
            own = ("" if stage.recurrent is None
                   else f", recurrent, {_matrix(stage.recurrent)}")
            return f"{stage.outputs} neurons, {kind}, {_matrix(stage.weights)}{own}"
    raise TypeError(f"Stage must be of a known kind, not {type(stage).__name__}")


def _matrix(weights: np.ndarray) -> str:
    *_, targets, sources = weights.shape
    return f"{sources} x {targets}, {np.count_nonzero(weights)} weights not 0"
