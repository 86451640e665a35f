# SPDX-License-Identifier: Apache-2.0
"""What goes into the core: the tokens of a recording."""

from typing import Any

import numpy as np

from spikewright.golden.run import stimulus_of
from spikewright.network.recording import Recording
from spikewright.plan.plan import Plan

from .layouts import TokenKind

__all__ = ["recording_tokens", "resets_of"]

# Any: mypy takes the members of Amaranth's enumerations for integers.
KIND: Any = TokenKind
EVENT, STEP, RESET = KIND.EVENT.value, KIND.STEP.value, KIND.RESET.value


def resets_of(plan: Plan, recording: Recording) -> np.ndarray:
    """Steps of a recording that a RESET comes before, bool (steps,).

    With large weight memory, the first step is one in any case. The core has begun it before the
    weights were there, and may have added rows of neurons that fire without input.
    """
    reset = recording.reset.copy()
    reset[:1] |= plan.large
    return reset


def recording_tokens(plan: Plan, recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of a recording: of each step its events, then STEP; RESET before its step.

    Returns
    -------
    kind : ndarray of uint8, shape (tokens,)
        ``hw.layouts.TokenKind``.
    row : ndarray of int32, shape (tokens,)
        Input row of an EVENT; 0 elsewhere.
    """
    stimulus, reset = stimulus_of(plan.model, recording), resets_of(plan, recording)
    events = np.diff(stimulus.start)
    length = events + 1 + reset
    end = np.cumsum(length)
    kind = np.full(int(end[-1]), EVENT, np.uint8)
    kind[end - 1] = STEP
    kind[(end - length)[reset]] = RESET
    row = np.zeros(len(kind), np.int32)
    row[kind == EVENT] = stimulus.row
    return kind, row
