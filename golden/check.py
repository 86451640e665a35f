# SPDX-License-Identifier: Apache-2.0
"""What an integer model does otherwise than the network that it was rounded from."""

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.network.network import Network
from spikewright.network.recording import Recording
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig

from .run import run_golden

__all__ = ["changed_behaviour"]

# Of a neuron: it spiked so often before that its silence is no chance.
FEW_SPIKES = 5


def changed_behaviour(model: IntegerModel, network: Network, recording: Recording) -> list[str]:
    """Warnings, one line each, of neurons that fell silent or never rest, and of saturated states.

    Both run over ``recording``: neurons without a spike that had ``FEW_SPIKES`` or more, and
    neurons that spike in every other step, as often as any can, where they did not before.
    """
    wanted = run_reference(network, recording).spikes
    answer = run_golden(model, recording, CoreConfig())
    before, after = wanted.sum(axis=0), answer.spikes.sum(axis=0)
    silent = (before >= FEW_SPIKES) & (after == 0)
    limit = recording.steps // 2
    restless = (after >= limit) & (before < limit) & (limit >= FEW_SPIKES)
    told = [f"neurons that {what} over {recording.name}, unlike before rounding: "
            f"{_neurons(model, chosen)}; take more weight bits"
            for chosen, what in ((silent, "never fire"), (restless, "fire in every other step"))
            if chosen.any()]
    if answer.saturated.any():
        told.append(f"a state saturated over {recording.name}, from step "
                    f"{int(np.argmax(answer.saturated))} on: take wider states")
    return told


def _neurons(model: IntegerModel, chosen: np.ndarray) -> str:
    names = [f"{p.name} {i}" for p in model.populations if p.spiking for i in range(p.size)]
    some = [names[i] for i in np.flatnonzero(chosen)]
    return ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
