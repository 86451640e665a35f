# SPDX-License-Identifier: Apache-2.0
"""Differences in behaviour between an integer model and its float network."""

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.network.graded.network import AnyNetwork
from spikewright.network.graded.run import run_float
from spikewright.network.recording import Recording
from spikewright.plan.config import CoreConfig

from .run import run_golden

__all__ = ["changed_behaviour"]

# A neuron that fired this often before rounding does not fall silent by chance.
FEW_SPIKES = 5


def changed_behaviour(model: IntegerModel, network: AnyNetwork, recording: Recording,
                      retrained: bool = False) -> list[str]:
    """Warnings about neurons that changed by rounding, and about saturated states, one line each.

    ``network`` and ``model`` both run over ``recording``. There is a warning about neurons that
    never fire in the model but had ``FEW_SPIKES`` spikes or more in the network. Another is about
    neurons that fire in every other step in the model but not in the network. No neuron with the
    reset ``zero_lose`` can fire more often, because its membrane is 0 in the step after a spike.
    Other neurons can, and are left out. If the model was ``retrained``, these neurons may have
    changed on purpose.
    """
    wanted = run_float(network, recording).spikes
    answer = run_golden(model, recording, CoreConfig())
    before, after = wanted.sum(axis=0), answer.spikes.sum(axis=0)
    silent = (before >= FEW_SPIKES) & (after == 0)
    limit = recording.steps // 2
    rests = np.zeros(len(after), bool)
    for name, columns in model.spike_columns.items():
        rests[columns] = model.index(name).reset == "zero_lose"
    restless = rests & (after >= limit) & (before < limit) & (limit >= FEW_SPIKES)
    told = (("in the network before", "the training changed them") if retrained else
            ("before rounding", "take more weight bits"))
    warnings = [
        f"neurons that {what} over {recording.name}, unlike {told[0]}: {_neurons(model, chosen)}; "
        f"{told[1]}"
        for chosen, what in ((silent, "never fire"), (restless, "fire in every other step"))
        if chosen.any()]
    if answer.saturated.any():
        warnings.append(f"a state saturated over {recording.name}, from step "
                        f"{int(np.argmax(answer.saturated))} on: take wider states")
    return warnings


def _neurons(model: IntegerModel, chosen: np.ndarray) -> str:
    names = [f"{p.name} {i}" + (f" of inner step {k}" if model.normalizes else "")
             for p in model.populations if p.name in model.spike_columns
             for k in range(model.inner_steps) for i in range(p.size)]
    some = [names[i] for i in np.flatnonzero(chosen)]
    return ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
