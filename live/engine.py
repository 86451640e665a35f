# SPDX-License-Identifier: Apache-2.0
"""The decoder of a live loop, which goes on when its port was away."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from spikewright.base.errors import InputError
from spikewright.host.decoder import Decoder
from spikewright.model.saved import Model

__all__ = ["Engine", "check_shape"]

# Seconds between two tries to connect again, and for all of them.
RETRY, PATIENCE = 0.5, 30.0

# Seconds between two questions for the counters of the link.
ASK = 2.0

# Share of a step for which the line is busy with a piece of a model.
SHARE = 0.25


def check_shape(model: Model, running: Model) -> None:
    """Refuse a model that cannot follow the ``running`` one in a session; InputError."""
    if (model.channels, model.dt, model.integers.axes) != (
            running.channels, running.dt, running.integers.axes):
        raise InputError(f"Model {model.name} must have {running.channels} channels, "
                         f"{running.integers.axes} axes and a dt of {running.dt} s, as the running "
                         f"one has, not {model.channels}, {model.integers.axes} and {model.dt}")


class Engine:
    """A decoder that survives a pulled cable, and a reset of the board.

    Parameters
    ----------
    model : Model
    decoder : Decoder
        It runs ``model``.
    notice : function
        Takes a line for the user.
    patience : float
        Seconds that a port may be away.

    Raises
    ------
    InputError
        If the decoder does not answer the first step.
    """

    def __init__(self, model: Model, decoder: Decoder, notice: Callable[[str], None],
                 patience: float = PATIENCE):
        self.model  = model
        self.counts = {"port lost": 0}
        self._decoder, self._notice, self._patience = decoder, notice, patience
        self._lost: float | None = None     # since when the port is away
        self._next = self._asked = 0.0
        try:
            decoder.step([])                # the first step of a process may take a second
        except (OSError, ValueError) as error:
            raise InputError(str(error)) from error
        decoder.reset()

    @property
    def cycles(self) -> int:
        """Clock cycles of the last step."""
        return self._decoder.cycles

    @property
    def saturated(self) -> bool:
        """Whether a state has saturated since the last reset."""
        return self._decoder.saturated

    def step(self, channels: list[int], reset: bool) -> np.ndarray | None:
        """The velocity of a step; None if the port is away.

        Raises
        ------
        InputError
            If the port has been away for too long.
        """
        if self._lost is not None and time.perf_counter() < self._next:
            return None
        if reset:
            self._decoder.reset()
        try:
            velocity = self._decoder.step(channels)
        except (OSError, ValueError) as error:
            self._lose(error)
            return None
        if self._lost is not None:
            away, self._lost = time.perf_counter() - self._lost, None
            self._notice(f"the decoder answers again after {away:.1f} s, from zero state")
        return velocity

    def loading(self, model: Model) -> Iterator[None]:
        """Go on with another model, from zero state, once all of its pieces are loaded.

        Steps may run between two pieces. If a piece fails, the old model stays.

        Raises
        ------
        InputError
            If the model does not fit, or the device does not take it.
        """
        check_shape(model, self.model)
        try:
            yield from self._decoder.loading(model, SHARE * model.dt)
        except (OSError, ValueError) as error:
            raise InputError(str(error)) from error
        self.model = model

    def ask(self) -> None:
        """Ask the device for the counters of its link, if it was not asked lately."""
        now = time.perf_counter()
        if self._lost is None and now - self._asked > ASK:
            self._asked = now
            try:
                self.counts |= self._decoder.counters()
            except (OSError, ValueError):
                pass                        # the next step meets the same fault

    def _lose(self, error: Exception) -> None:
        now = time.perf_counter()
        if self._lost is None:
            self._lost = self._next = now
            self.counts["port lost"] += 1
            self._notice(f"{error}: trying again for {self._patience:g} s")
        elif now - self._lost > self._patience:
            raise InputError(f"Decoder must answer again within {self._patience:g} s, not "
                             f"fail: {error}") from error
        else:
            self._next = now + RETRY
