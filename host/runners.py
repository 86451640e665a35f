# SPDX-License-Identifier: Apache-2.0
"""What runs the steps of a `Decoder`: a device, or the integer model."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Union

import numpy as np

from spikewright.golden.stepper import Stepper
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import Capability

from .driver import Driver, NoAnswerError, OtherModelError, RestartedError
from .loading import load_model, table_for, weights_of
from .serial_port import PortError, SerialPort

if TYPE_CHECKING:
    from spikewright.sim.virtual import VirtualBoard

__all__ = ["Board", "Golden", "Port", "Runner"]

Port = Union[SerialPort, "VirtualBoard"]


class Runner(Protocol):
    """Runs the steps of a `Decoder`."""

    def step(self, rows: list[int], reset: bool) -> tuple[np.ndarray, int, bool]:
        """Outputs, cycles, and whether a state has saturated since the last reset."""

    def loading(self, model: Model, size: int) -> Iterator[None]:
        """Go on with another model, once all pieces of ``size`` bytes are loaded, with a reset.

        Steps may run between two pieces.
        """

    def counters(self) -> dict[str, int]:
        """Counters of the link, by name."""

    def close(self) -> None:
        """Close the port, or the virtual board."""


class Golden:
    """Steps of the integer model."""

    def __init__(self, model: IntegerModel, config: CoreConfig):
        self._config = config
        self.step = Stepper(model, config).step

    def loading(self, model: Model, size: int) -> Iterator[None]:
        self.step = Stepper(model.integers, self._config).step
        return iter(())

    def counters(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        pass


class Board:
    """Steps of a device, which is connected again after an error."""

    def __init__(self, opened: Callable[[], Port], model: Model, load: bool):
        self._opened, self._model, self._load = opened, model, load
        self._port: Port | None
        self._port, self._driver = self._connect()

    def step(self, rows: list[int], reset: bool) -> tuple[np.ndarray, int, bool]:
        if self._port is None:
            self._port, self._driver = self._connect()
        try:
            answer = self._driver.step(rows, reset=reset)
        except (NoAnswerError, OtherModelError, RestartedError, PortError):
            self.close()
            raise
        return np.array(answer.outputs, np.int64), answer.cycles, answer.saturated

    def loading(self, model: Model, size: int) -> Iterator[None]:
        if self._port is None:
            self._port, self._driver = self._connect()
        driver = self._driver
        table  = table_for(driver, model)
        staged = driver.info is not None and Capability.STAGED in driver.info.capability
        if staged:
            yield
        # From here on, a device with another model, or a part of one, gets the right one again.
        self._load = True
        for _ in driver.loading(table, model.hash, size):
            if staged:
                yield
        self._model = model

    def counters(self) -> dict[str, int]:
        info = self._driver.read_info()
        return {"sent again": self._driver.resent, "corrupt answers": self._driver.corrupt,
                **{f"{name} frames": getattr(info, name)
                   for name in ("corrupt", "repeated", "foreign", "overrun")},
                "dropped events": info.dropped}

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with suppress(OSError):     # it may be gone
                port.close()

    def _connect(self) -> tuple[Port, Driver]:
        port, integers = self._opened(), self._model.integers
        try:
            driver = Driver(port, self._model.hash, integers.outputs, weights=weights_of(integers))
            try:
                driver.connect()
            except OtherModelError:
                if not self._load:
                    raise
                load_model(driver, self._model)
        except BaseException:
            port.close()
            raise
        return port, driver
