# SPDX-License-Identifier: Apache-2.0
"""The golden model, one step per call."""

from collections.abc import Sequence

import numpy as np

from spikewright.model.model import IntegerModel
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.plan.timing import step_timing

from .arrays import Stimulus
from .core import run_steps
from .run import constants_of, empty_trace, zero_state

__all__ = ["Stepper"]


class Stepper:
    """Run ``model`` step by step, from zero state.

    Parameters
    ----------
    model : IntegerModel
    config : CoreConfig
        It changes the cycles of a step, and no other value.

    Members
    -------
    spikes : ndarray of bool, shape (neurons,)
        Spikes of the last step, in the columns of an answer.
    """

    def __init__(self, model: IntegerModel, config: CoreConfig):
        self._plan = Plan(model=model, config=config)
        self._constants, self._state = constants_of(self._plan), zero_state(self._plan)
        self.spikes = np.zeros(model.hidden, bool)

    def step(self, rows: Sequence[int], reset: bool) -> tuple[np.ndarray, int, bool]:
        """Run one step.

        Parameters
        ----------
        rows : sequence of int
            Input row of each event.
        reset : bool
            Whether to clear the state before the step.

        Returns
        -------
        outputs : ndarray of int64, shape (outputs,)
            In LSB of m.
        cycles : int
        saturated : bool
            Whether a state has saturated since the last reset.
        """
        trace = empty_trace(self._plan, 1)
        run_steps(self._constants, self._state, Stimulus(
            row=np.array(rows, np.int64), start=np.array([0, len(rows)]),
            reset=np.array([reset])), trace)
        # The next call has step number 0 again, so the spikes of this step move to step -1.
        for log in (self._state.spikes, self._state.values, self._state.log, self._state.logged,
                    self._state.begins):
            log[:] = np.roll(log, -1, axis=0)
        self.spikes = self._plan.layout.spread_spikes(trace.fired)[0]
        cycles, _ = step_timing(self._plan, trace.events)
        return (trace.membrane[0, self._plan.layout.is_output], int(cycles[0]),
                bool(trace.saturated[0]))
