# SPDX-License-Identifier: Apache-2.0
"""The driver: sends one step after another over any port."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from tqdm import tqdm

from spikewright.plan.frames import (
    INFO_FIELDS,
    LOAD_FIELDS,
    LOAD_MAX,
    PART_FIELDS,
    VERSION,
    Capability,
    answer_bytes,
    step_answer_bytes,
)
from spikewright.plan.framing import FrameError, FrameReader
from spikewright.plan.images import load_bytes

from . import codec
from .codec import InfoAnswer, LoadAnswer, PartAnswer, StepAnswer
from .numbers import whole_numbers

__all__ = ["Driver", "NoAnswerError", "OtherModelError", "Port", "RestartedError"]

Answer = TypeVar("Answer", InfoAnswer, LoadAnswer, PartAnswer, StepAnswer)
Shown = TypeVar("Shown")

# After so many bytes without an answer, a request counts as lost.
PATIENCE = 4096


class Port(Protocol):
    """Interface of a serial port, the virtual board, or a similar line to a device."""

    def write(self, data: bytes) -> object:
        """Send ``data``."""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; fewer, or none, if the timeout of the port is over."""


class NoAnswerError(TimeoutError):
    """The device did not answer any try."""


class RestartedError(ValueError):
    """The device has restarted, or has answered another program: its state is lost."""


class OtherModelError(ValueError):
    """The device has another model, or none."""


class Driver:
    """A decoder behind a port. Its steps take input rows, not channels.

    If no answer comes, the request is sent again with the same sequence number. The device then
    executes each step only once, even if frames are lost.

    Parameters
    ----------
    port : Port
        Line to the device.
    expected_hash : str
        Hash of the model in hex, from the manifest. The device knows its first 8 bytes.
    outputs : int
        Outputs of the model.
    tries : int
        How often a request is sent before it counts as unanswered.
    weights : function of int to list of int, optional
        Words of the dense weight table for a number of lanes, see `plan.images.loaded_words`; only
        a device that keeps its weights in large memory asks for them.
    """

    def __init__(self, port: Port, expected_hash: str, outputs: int,
                 tries: int = 4, weights: Callable[[int], list[int]] | None = None):
        if tries < 1:
            raise ValueError(f"Tries must be 1 or more, not {tries!r}")
        try:
            self._hash = bytes.fromhex(expected_hash)[:8]
        except ValueError:
            self._hash = b""
        if len(self._hash) != 8:
            raise ValueError(f"Model hash must be 8 bytes or more in hex, not {expected_hash!r}")
        self.outputs = outputs
        self.tries   = tries
        self.resent  = 0
        self.info: InfoAnswer | None = None
        self._weights = weights
        self._port   = port
        self._reader = FrameReader()
        # Random: if a program before used the same number last, the device would repeat its answer.
        self._seq    = secrets.randbelow(256)
        self._next_step = 0

    @property
    def corrupt(self) -> int:
        """Corrupt frames from the device."""
        return self._reader.corrupt

    def connect(self) -> InfoAnswer:
        """Ask the device for its identity, refuse one with another model, and load its weights.

        Weights are loaded only if the device has large memory that is not loaded yet. The state
        of the device is unknown after connecting, so the next step should reset.

        Raises
        ------
        NoAnswerError
            If no device answers.
        OtherModelError
            If the device runs another model, or part of one.
        ValueError
            If the device speaks another version, or refuses the weights.
        """
        info = self.read_info()
        if info.version != VERSION:
            raise ValueError(f"Version of the device's link must be {VERSION}, not "
                             f"{info.version}")
        if Capability.MODEL in info.capability and not info.loaded:
            raise OtherModelError("Device must have a whole model, not a part of one: load it "
                                  "again")
        if info.model_hash != self._hash:
            raise OtherModelError(f"Model on the device must be {self._hash.hex()}, not "
                                  f"{info.model_hash.hex()}")
        if info.outputs != self.outputs:
            raise ValueError(f"Outputs of the device must be {self.outputs}, as the model has, "
                             f"not {info.outputs}")
        if info.loadable and not info.loaded:
            self._load_weights()
            info = self.read_info()
        self.info, self._next_step = info, info.steps
        return info

    def _load_weights(self) -> None:
        if self._weights is None:
            raise ValueError("Weights must be given for a device that has none of its own")
        form = self._ask_load(b"", restart=True)
        table = load_bytes(self._weights(form.lanes), form.word_bytes)
        *_, last = _shown(self._frames(table, form, LOAD_MAX), table)
        if not last.loaded:
            raise ValueError("Weights must be those that the device was built for: it finds "
                             "another length or checksum")

    def load_form(self) -> LoadAnswer:
        """Format of the words that the device takes."""
        return self._ask_load(b"")

    def load(self, table: bytes, model_hash: str) -> None:
        """Load another model, whose hash the device must have from then on: all of `loading`."""
        for _ in _shown(self.loading(table, model_hash), table):
            pass

    def loading(self, table: bytes, model_hash: str, size: int = LOAD_MAX) -> Iterator[None]:
        """Load another model, frame by frame. Each ``next`` sends a frame.

        The state of the device is zero once the model is whole. A device with
        ``Capability.STAGED`` executes steps between two frames, with the old model. Any other
        executes none until the model is whole.

        Parameters
        ----------
        table : bytes
            Of a plan with the same program hash as the device, see `plan.plan.Plan.loaded_bytes`.
        model_hash : str
            In hex.
        size : int
            Bytes of the table in a frame, at most.

        Raises
        ------
        NoAnswerError
            If the device does not answer.
        ValueError
            If the device does not have the whole model. It then has the old one, or without
            ``Capability.STAGED`` none.

        After an error, the driver still expects the model before.
        """
        new = bytes.fromhex(model_hash)[:8]
        if self.info and Capability.STAGED not in self.info.capability:
            self.info = None
        form = self._ask_load(b"", restart=True)
        yield
        for _ in self._frames(table, form, size):
            yield
        self.info = None        # whether the device has the new model is not known until it answers
        if not self._ask_load(codec.load_tail(table, new), last=True).loaded:
            raise ValueError("Device must have the whole model, not one of another length or "
                             "checksum: load it again")
        before, self._hash = self._hash, new
        try:
            self.connect()
        except (OSError, ValueError):
            self._hash = before
            raise

    def _frames(self, table: bytes, form: LoadAnswer, size: int) -> Iterator[LoadAnswer]:
        """Load ``table`` after a restart, whose answer is ``form``. Give each answer."""
        for first in range(0, len(table), size):
            part = table[first:first + size]
            answer = self._ask_load(part)
            words = (first + len(part)) // form.word_bytes
            if answer.words != words:
                raise ValueError(f"Device must have {words} words by now, not {answer.words}: it "
                                 "has restarted, or holds a shorter table")
            yield answer

    def _ask_load(self, data: bytes, **flags: bool) -> LoadAnswer:
        return self._ask(codec.encode_load(self._next_seq(), data, **flags), LoadAnswer,
                         answer_bytes(LOAD_FIELDS))

    def read_info(self) -> InfoAnswer:
        """Identity and counters of the device."""
        return self._ask(codec.encode_info(self._next_seq()), InfoAnswer, answer_bytes(INFO_FIELDS))

    def step(self, rows: Sequence[int], reset: bool = False) -> StepAnswer:
        """Decode one step with one event per entry of ``rows``.

        More events than a frame carries go in several frames.

        Parameters
        ----------
        rows : sequence of int
            Input row of each event; a row may come more than once.
        reset : bool
            Clear the state first.

        Raises
        ------
        NoAnswerError
            If the device does not answer.
        TypeError
            If a row is not a whole number.
        RestartedError
            If the device has restarted, or has answered another program.
        ValueError
            If the device does not have a row.
        """
        if self.info is None:
            self.connect()
        assert self.info is not None
        events  = whole_numbers(rows, "Row of event", self.info.rows)
        outputs, dropped = self.info.outputs, False
        try:
            for request, more in codec.step_frames(self._next_seq, events, reset, self.info.rows):
                if more:
                    dropped |= self._ask(request, PartAnswer, answer_bytes(PART_FIELDS)).dropped
                else:
                    answer = self._ask(request, StepAnswer, step_answer_bytes(outputs))
        except NoAnswerError:
            if self.info.loadable and not self.read_info().loaded:
                raise NoAnswerError("Device must keep the weights that were loaded, not restart "
                                    "without them: connect again") from None
            raise
        if len(answer.outputs) != outputs:
            raise FrameError(f"Answer must have {outputs} outputs, not {len(answer.outputs)}")
        if answer.step != self._next_step:
            self.info = None        # it may have another model, too: the next step connects again
            raise RestartedError(f"Device must answer with step {self._next_step}, not "
                                 f"{answer.step}: it has restarted, or another program uses it; "
                                 "its state is lost")
        self._next_step = (answer.step + 1) % (1 << 32)
        return replace(answer, dropped=True) if dropped else answer

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq

    def _ask(self, request: bytes, kind: type[Answer], size: int) -> Answer:
        """Send ``request`` until its answer comes; the answer has ``size`` bytes on the line."""
        for attempt in range(self.tries):
            self.resent += attempt > 0
            # A delimiter ends whatever was sent before.
            self._port.write(b"\0" + request if attempt or kind is InfoAnswer else request)
            answer = self._listen(kind, size)
            if answer is not None:
                return answer
        raise NoAnswerError(f"Device must answer within {self.tries} tries: check that it is "
                            f"connected, programmed, and built for the port's baud rate")

    def _listen(self, kind: type[Answer], size: int) -> Answer | None:
        """Return the answer of ``kind`` to the last request; None after the timeout of the port."""
        for _ in range(PATIENCE // size + 1):
            data = self._port.read(size)
            for content in self._reader.feed(data):
                try:
                    answer = codec.decode_answer(content)
                except FrameError:
                    continue
                # Answers to earlier requests are ignored.
                if isinstance(answer, kind) and answer.seq == self._seq:
                    return answer
            if not data:
                return None
        return None


def _shown(frames: Iterator[Shown], table: bytes) -> Iterator[Shown]:
    """``frames``, with a bar of their progress on a terminal if they take long."""
    return iter(tqdm(frames, total=-(-len(table) // LOAD_MAX), desc="loading", unit="frame",
                     delay=1, disable=None, leave=False))
