# SPDX-License-Identifier: Apache-2.0
"""Decode a whole recording, step by step, through a driver."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from spikewright.golden.run import stimulus_of
from spikewright.model.model import IntegerModel
from spikewright.network.recording import Recording

from .driver import Driver

__all__ = ["Decoded", "decode"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """Answers of a device to a recording.

    Parameters
    ----------
    velocity_int : ndarray of int64, shape (steps, outputs)
    velocity : ndarray of float64, shape (steps, axes)
        In the unit of the network.
    cycles : ndarray of int64, shape (steps,)
        Clock cycles of each step, as the device counts them.
    saturated : ndarray of bool, shape (steps,)
        A state had saturated between the last reset and the end of the step.
    dropped : ndarray of bool, shape (steps,)
        The device dropped an event of the step, because it does not have the row.
    round_trip : ndarray of float64, shape (steps,)
        Seconds from the first byte of the request to the answer, by this machine's clock.
    delay : ndarray of float64, shape (steps,)
        Seconds from the time when the step was due to its answer. It is more than ``round_trip``
        if the answer before came late. Without ``live``, a step is due when it is sent.
    """

    velocity_int: np.ndarray
    velocity: np.ndarray
    cycles: np.ndarray
    saturated: np.ndarray
    dropped: np.ndarray
    round_trip: np.ndarray
    delay: np.ndarray


def decode(decoder: Driver, model: IntegerModel, recording: Recording, *,
           live: bool = False, before: Callable[[int], None] | None = None) -> Decoded:
    """Send every step of ``recording`` and gather the answers.

    With ``live``, a step is sent when its bin is over, as in an experiment: one every ``dt``
    seconds. A step that is late is sent as soon as the step before is answered, and so are those
    that are due meanwhile, until the device has caught up. No step is skipped, because the state
    of the network depends on all of them. Without ``live``, each step is sent as soon as the step
    before is answered. ``before`` is called with the number of each step before it is sent.

    Raises
    ------
    InputError
        If the recording does not fit the model.
    NoAnswerError, ValueError
        As `Driver.step`.
    """
    recording.check_fits(model.channels, model.dt)
    stimulus = stimulus_of(model, recording)
    steps = recording.steps
    velocity = np.zeros((steps, model.outputs), np.int64)
    cycles, saturated, dropped = np.zeros(steps, np.int64), *np.zeros((2, steps), bool)
    round_trip, delay = np.zeros(steps), np.zeros(steps)
    began = time.perf_counter()
    for t in tqdm(range(steps), desc="decoding", unit="step", disable=None, leave=False):
        rows = stimulus.row[stimulus.start[t]:stimulus.start[t + 1]].tolist()
        # The state of the device is unknown before the first step.
        reset = t == 0 or bool(stimulus.reset[t])
        due = began + (t + 1) * recording.dt
        if live:
            time.sleep(max(0.0, due - time.perf_counter()))
        if before:
            before(t)
        sent = time.perf_counter()
        answer = decoder.step(rows, reset=reset)
        answered = time.perf_counter()
        round_trip[t] = answered - sent
        delay[t] = answered - (due if live else sent)
        velocity[t], cycles[t] = answer.outputs, answer.cycles
        saturated[t], dropped[t] = answer.saturated, answer.dropped
    return Decoded(velocity_int=velocity, velocity=model.velocity(velocity), cycles=cycles,
                   saturated=saturated, dropped=dropped, round_trip=round_trip, delay=delay)
