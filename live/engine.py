# SPDX-License-Identifier: Apache-2.0
"""The decoder of a live loop, which is opened again when its port goes away."""

import time
from collections.abc import Callable

import numpy as np

from spikewright.base.errors import InputError
from spikewright.host.decoder import Decoder
from spikewright.model.saved import Model

__all__ = ["Engine"]

# Seconds between two tries to open a port again, and for all of them.
RETRY, PATIENCE = 0.5, 30.0


class Engine:
    """A decoder that survives a pulled cable.

    Parameters
    ----------
    model : Model
    opened : function
        Opens the decoder of a model.
    notice : function
        Takes a line for the user.
    patience : float
        Seconds that a port may be away.
    """

    def __init__(self, model: Model, opened: Callable[[Model], Decoder],
                 notice: Callable[[str], None], patience: float = PATIENCE):
        self.model  = model
        self.counts = {"port lost": 0}
        self._opened, self._notice, self._patience = opened, notice, patience
        self._decoder: Decoder | None = self._ready(model)
        self._lost = self._next = 0.0

    @property
    def cycles(self) -> int:
        """Clock cycles of the last step."""
        return self._decoder.cycles if self._decoder else 0

    @property
    def saturated(self) -> bool:
        """Whether a state has saturated since the last reset."""
        return bool(self._decoder and self._decoder.saturated)

    def step(self, channels: list[int], reset: bool) -> np.ndarray | None:
        """The velocity of a step; None if the port is away.

        Raises
        ------
        InputError
            If the port has been away for too long.
        """
        if self._decoder is None and not self._open_again():
            return None
        assert self._decoder is not None
        if reset:
            self._decoder.reset()
        try:
            return self._decoder.step(channels)
        except (OSError, ValueError) as error:
            self._lose(error)
            return None

    def load(self, model: Model) -> None:
        """Go on with another model, from zero state. If that fails, the old one stays.

        Raises
        ------
        InputError
            If the device refuses the model.
        """
        if (model.channels, model.dt) != (self.model.channels, self.model.dt) or \
                model.integers.axes != self.model.integers.axes:
            raise InputError(f"Model {model.name} must have {self.model.channels} channels, "
                             f"{self.model.integers.axes} axes and a dt of {self.model.dt} s, as "
                             f"the running one has, not {model.channels}, {model.integers.axes} "
                             f"and {model.dt}")
        self.close()
        try:
            self._decoder = self._ready(model)
        except InputError:
            self._decoder = self._ready(self.model)
            raise
        self.model = model

    def close(self) -> None:
        """Close the decoder."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.close()

    def _ready(self, model: Model) -> Decoder:
        """Open a decoder, and run a step: the first one of a process may take a second."""
        decoder = self._opened(model)
        try:
            decoder.step([])
        except (OSError, ValueError) as error:
            decoder.close()
            raise InputError(str(error)) from error
        decoder.reset()
        return decoder

    def _lose(self, error: Exception) -> None:
        self.counts["port lost"] += 1
        self._notice(f"{error}: trying again for {self._patience:g} s")
        self._lost = self._next = time.perf_counter()
        try:
            self.close()
        except OSError:
            pass                # it is gone

    def _open_again(self) -> bool:
        now = time.perf_counter()
        if now < self._next:
            return False
        try:
            self._decoder = self._ready(self.model)
        except InputError as error:
            if now - self._lost > self._patience:
                raise InputError(f"Decoder must answer again within {self._patience:g} s, but: "
                                 f"{error}") from None
            self._next = time.perf_counter() + RETRY
            return False
        self._notice(f"the decoder answers again after {now - self._lost:.1f} s, from zero state")
        return True
