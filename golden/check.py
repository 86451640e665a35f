# SPDX-License-Identifier: Apache-2.0
"""Differences in behaviour between an integer model and its float network."""

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.network.graded.network import AnyNetwork
from spikewright.network.graded.run import run_float
from spikewright.network.recording import Recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan

from .run import run_golden, stimulus_of

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
        warnings.append(_saturated(model, recording, int(np.argmax(answer.saturated))))
    return warnings


def _saturated(model: IntegerModel, recording: Recording, step: int) -> str:
    """What saturated in ``step``, and what helps: a full log of input events, or a state."""
    program = Plan(model=model, config=CoreConfig()).program
    begin = int(np.flatnonzero(recording.reset[:step + 1]).max(initial=0))
    steps = program.longest_look + 1 if program.window_room else 1
    events = np.diff(stimulus_of(model, recording).start)[begin:step + 1][-steps:]
    where = f"over {recording.name}, from step {step} on"
    room, found = program.window_room or program.log_room, int(events.sum())
    if 0 < room < found:
        told = f"{len(events)} step{'' if len(events) == 1 else 's'}"
        return (f"events were lost {where}: the input log has room for {room}, and {found} came in "
                f"{told}; take a network with fewer taps or "
                "channels, or limit the counts of a step")
    if model.graded:
        return (f"a value or a state was clamped {where}: calibrate with a recording that is as "
                "lively (--calibrate)")
    return f"a state saturated {where}: take wider states"


def _neurons(model: IntegerModel, chosen: np.ndarray) -> str:
    names = [f"{p.name} {i}" + (f" of inner step {k}" if model.normalizes else "")
             for p in model.populations if p.name in model.spike_columns
             for k in range(model.inner_steps) for i in range(p.size)]
    some = [names[i] for i in np.flatnonzero(chosen)]
    return ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
