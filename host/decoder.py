# SPDX-License-Identifier: Apache-2.0
"""The decoder for experiments: channel numbers in, physical units out."""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikewright.base.cache import cache_folder
from spikewright.base.errors import InputError, refused_files
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model, check_model
from spikewright.plan.config import (
    BAUD,
    CLOCK_MHZ,
    CoreConfig,
    check_clock,
    chosen,
    line_baud,
)
from spikewright.plan.frames import FRAMING, LOAD_FIELDS, LOAD_MAX, answer_bytes
from spikewright.plan.plan import Plan, suited

from .driver import Driver, NoAnswerError
from .loading import weights_of
from .numbers import whole_numbers
from .runners import Board, Golden, Port, Runner
from .serial_port import LINE_BITS, SerialPort

if TYPE_CHECKING:
    from spikewright.hw.link import LinkParams
    from spikewright.sim.virtual import VirtualBoard

# Bytes on the line of a LOAD and its answer, beside the bytes that are loaded.
LOAD_EXTRA = 3 + FRAMING + answer_bytes(LOAD_FIELDS)

__all__ = ["Decoder", "connected", "open_port", "piece_bytes", "virtual_board",
           "virtual_params"]


class Decoder:
    """A decoder on a board, on the virtual board, or in the golden model; a context manager.

    Open one with `Decoder.open`. The first step resets the state.

    A step raises an error if its answer does not come: the cable was pulled, or the board has
    restarted. The next step connects again, and resets the state. `steps` counts the steps that
    were answered, and `lost` those that were not.
    """

    def __init__(self, model: IntegerModel, runner: Runner, baud: int = BAUD):
        self._model, self._runner, self._baud = model, runner, baud
        self._reset = True
        self._cycles, self._saturated = 0, False
        self._thread: ThreadPoolExecutor | None = None
        self.steps = self.lost = 0

    @classmethod
    @refused_files()
    def open(cls, where: str, model: Model, *, baud: int | None = None, preset: str = "balanced",
             megahertz: float = CLOCK_MHZ, cache: str | Path | None = None,
             load: bool = False, **core) -> "Decoder":
        """Open the decoder that ``where`` names; it runs ``model``.

        Parameters
        ----------
        where : str
            ``serial:`` and the name of a port, such as ``serial:/dev/ttyUSB1``, for a board.
            ``virtual:`` for the simulated decoder with its serial line. ``golden:`` for the
            integer model.
        model : Model
        baud : int, optional
            Bits per second on the serial line, as the board was built. By default, 1,000,000, or
            for the virtual board an eighth of its clock where that is less.
        preset : str
        **core
            As in `spikewright.run`, for the virtual board and the golden model. A board has the
            core of its bitstream.
        megahertz : float
            Clock of the virtual board, in MHz.
        cache : path, optional
            Folder that keeps the compiled virtual board. By default, it is in the user's cache
            folder.
        load : bool
            Load ``model`` into a board that has another one, see `load`. Otherwise such a board is
            refused.

        Raises
        ------
        InputError
            If ``where`` has another form, no device answers, or the device runs another model.
        """
        check_model(model)
        check_clock(megahertz)
        line_baud(baud)
        if type(load) is not bool:
            raise InputError(f"Option load must be True or False, not {load!r}")
        integers = model.integers
        kind, colon, port = str(where).partition(":")
        if not colon or kind not in ("serial", "virtual", "golden") or \
                (kind == "serial") != bool(port):
            raise InputError("Decoder must be 'serial:' and a port, 'virtual:' or 'golden:', "
                             f"not {where!r}")
        try:
            config = chosen(preset, core, suited(integers))
            if kind == "golden":
                return cls(integers, Golden(integers, config))

            def opened() -> Port:
                return open_port(port or "virtual", model, config, baud=baud, megahertz=megahertz,
                                 cache=cache)

            return cls(integers, Board(opened, model, load),
                       line_baud(baud, round(1e6 * megahertz) if kind == "virtual" else None))
        except (NoAnswerError, ValueError) as error:
            raise InputError(str(error)) from error

    def step(self, channels: Iterable[int]) -> np.ndarray:
        """Decode one step.

        Parameters
        ----------
        channels : iterable of int
            Channel of each spike of the step: a channel with three spikes comes three times.
            Channels whose weights are all zero change nothing.

        Returns
        -------
        ndarray of float64, shape (axes,)
            Decoded velocity, in the unit of the network.

        Raises
        ------
        InputError
            If a channel is not a whole number, or the model does not have it.
        NoAnswerError
            If the device does not answer.
        RestartedError
            If the device has restarted, or has answered another program.
        OtherModelError
            If the device has another model after it was connected again.
        PortError
            If the serial port goes away, or is not there yet.
        """
        try:
            numbers = whole_numbers(channels, "Channel of spike", self._model.channels)
        except (TypeError, ValueError) as error:
            raise InputError(str(error)) from error
        rows = self._model.channel_row[np.array(numbers, np.int64)]
        # The state is unknown after a step that fails: the next one resets.
        reset, self._reset = self._reset, True
        self.lost += 1
        outputs, self._cycles, self._saturated = self._runner.step(rows[rows >= 0].tolist(), reset)
        self.lost -= 1
        self.steps += 1
        self._reset = False
        return self._model.velocity(outputs[np.newaxis])[0]

    async def step_async(self, channels: Iterable[int]) -> np.ndarray:
        """`step`, awaited. Steps run one after the other, in the order in which they are called."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "decoder")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.step, channels)

    def load(self, model: Model) -> None:
        """Go on with another model: all of `loading`, at once."""
        for _ in self.loading(model):
            pass

    def loading(self, model: Model, seconds: float = 1.0) -> Iterator[None]:
        """Go on with another model once all of it is loaded; then the state is zero.

        A board must have been built with ``--load model``, and the model must have the form of the
        one that it was built for. Each ``next`` loads a piece. A board that stages a model runs
        steps between two pieces, with the old model. With another board, the first ``next`` loads
        all.

        Parameters
        ----------
        model : Model
        seconds : float
            Time of the serial line for a piece, at most.

        Raises
        ------
        InputError
            If the board takes no model, or the model has another form. The old model goes on.
        NoAnswerError, PortError, ValueError
            If the board does not have the whole model. One that stages a model has the old one.
            With another board, the next step raises an error, and the one after it loads the old
            model again.
        """
        check_model(model)
        if not isinstance(seconds, Real) or not seconds > 0:
            raise InputError(f"Time of a piece must be seconds above 0, not {seconds!r}")
        yield from self._runner.loading(model, piece_bytes(seconds, self._baud))
        self._model, self._reset = model.integers, True

    def counters(self) -> dict[str, int]:
        """Counters of the link since it was connected, by name; none of the golden model.

        The device is asked for its own, which takes the time of a short step.
        """
        return self._runner.counters()

    def reset(self) -> None:
        """Clear the state before the next step, for example at the start of a trial."""
        self._reset = True

    @property
    def cycles(self) -> int:
        """Clock cycles of the last step."""
        return self._cycles

    @property
    def saturated(self) -> bool:
        """Whether a current or membrane potential has saturated since the last reset."""
        return self._saturated

    def close(self) -> None:
        """Close the port, or the virtual board."""
        if self._thread is not None:
            self._thread.shutdown()
        self._runner.close()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def piece_bytes(seconds: float, baud: int) -> int:
    """Bytes of a model in a LOAD that takes so many seconds of the line, with its answer."""
    return min(max(int(seconds * baud / LINE_BITS) - LOAD_EXTRA, 1), LOAD_MAX)


def open_port(port: str, model: Model, config: CoreConfig, *, baud: int | None,
              megahertz: float, cache: str | Path | None = None) -> Port:
    """Open the serial port ``port``, or the virtual board of ``model`` if it is ``virtual``.

    If the USB serial chip is slow, a line on standard error says how to make it faster.

    Raises
    ------
    InputError
        If a number is wrong, the port does not open, or the virtual board cannot be built.
    """
    if port != "virtual":
        opened = SerialPort(port, line_baud(baud))
        if opened.slow:
            print(f"warning: {opened.slow}", file=sys.stderr)
        return opened
    return virtual_board(model, config, baud=baud, megahertz=megahertz, cache=cache)


def virtual_board(model: Model, config: CoreConfig, *, baud: int | None, megahertz: float,
                  cache: str | Path | None = None, waves: bool = False) -> "VirtualBoard":
    """The virtual board of ``model``; ``waves`` says whether it can record waves.

    Raises
    ------
    InputError
        If a number is wrong, or the board cannot be built.
    """
    from spikewright.sim.virtual import VirtualBoard
    plan, link = virtual_params(model, config, baud=baud, megahertz=megahertz)
    return VirtualBoard(plan, link, cache_folder(cache), waves=waves)


def virtual_params(model: Model, config: CoreConfig, *, baud: int | None,
                   megahertz: float) -> "tuple[Plan, LinkParams]":
    """What `virtual_board` is made from, without the work of making it.

    Raises
    ------
    InputError
        If a number is wrong, or no board has this form.
    """
    check_clock(megahertz)
    # Imported here, because the golden model and boards do not need it.
    from spikewright.hw.params import link_params
    clock_hz = round(1e6 * megahertz)
    baud = line_baud(baud, clock_hz)
    try:
        plan = Plan(model=model.integers, config=config)
        link = link_params(plan, model_hash=model.hash, clock_hz=clock_hz, baud=baud)
    except ValueError as error:
        raise InputError(str(error)) from error
    return plan, link


@contextmanager
def connected(port: str, model: Model, config: CoreConfig, *, baud: int | None, megahertz: float,
              cache: str | Path | None = None) -> Iterator[Driver]:
    """Connect to the device at ``port`` (see `open_port`), which must run ``model``.

    Raises
    ------
    InputError
        If the device does not answer, now or within the block, or it runs another model.
    """
    with driven(open_port(port, model, config, baud=baud, megahertz=megahertz, cache=cache),
                model) as driver:
        yield driver


@contextmanager
def driven(port: Port, model: Model) -> Iterator[Driver]:
    """Connect to the device at ``port``, which must run ``model``, and close the port at the end.

    Raises
    ------
    InputError
        As `connected`.
    """
    try:
        driver = Driver(port, model.hash, model.integers.outputs,
                        weights=weights_of(model.integers))
        driver.connect()
        yield driver
    except (NoAnswerError, ValueError) as error:
        raise InputError(str(error)) from error
    finally:
        port.close()
