# SPDX-License-Identifier: Apache-2.0
"""The golden model of the link: frames in, answers out, as the hardware gives them."""

from dataclasses import dataclass, field

import numpy as np
from cobs import cobs

from spikewright.plan.frames import (
    ANSWER,
    CODED_MAX,
    FRAMES_IN_FLIGHT,
    INFO_FIELDS,
    PART_FIELDS,
    STEP_FIELDS,
    VERSION,
    Answered,
    Capability,
    FrameType,
    Load,
    Step,
    Version,
    row_bytes,
)
from spikewright.plan.framing import crc_of, pack_fields, pack_frame

from .table import GoldenTable, StepFunction

__all__ = ["GoldenLink"]

COUNTERS = "corrupt", "repeated", "foreign", "overrun", "dropped"


@dataclass(kw_only=True)
class GoldenLink:
    """A device as its host sees it, without time: each frame is answered before the next comes.

    So no frame is an overrun.

    Parameters
    ----------
    rows, outputs : int
        Of the core.
    model_hash, program_hash : bytes
        First 8 bytes of each.
    clock_hz : int
    step : function
        Runs one step, as `golden.stepper.Stepper.step` does.
    table : GoldenTable, optional
        What another model is loaded into. Without one, the device takes no LOAD.
    """

    rows: int
    outputs: int
    model_hash: bytes
    program_hash: bytes
    clock_hz: int
    step: StepFunction
    table: GoldenTable | None = None
    counts: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = dict.fromkeys(("steps", "longest_cycles", *COUNTERS), 0)
        self._coded = b""
        self._last: tuple[bytes, bytes] | None = None   # begin of a STEP or LOAD, and its answer
        self._waits = False                             # a result that is not counted yet
        self._events: list[int] = []
        self._reset = False

    def feed(self, data: bytes) -> bytes:
        """What the device sends while ``data`` comes."""
        *pieces, rest = data.split(b"\0")
        answers = []
        for piece in pieces:
            coded, self._coded = self._coded + piece, b""
            if coded:
                answers.append(self._take(coded))
        self._coded = (self._coded + rest)[:CODED_MAX + 1]
        return b"".join(pack_frame(answer) for answer in answers if answer)

    def _take(self, coded: bytes) -> bytes:
        """Answer to a frame; empty if there is none."""
        content = _content(coded)
        if not content:
            return self._count("corrupt")
        kind, body = content[0], content[2:]
        if kind == FrameType.INFO and len(content) == 2:
            self._finish()
            self._last = None
            return self._info(content[1])
        if not body or not (kind == FrameType.LOAD and self.table or kind == FrameType.STEP
                            and (self.table is None or self.table.whole)):
            return self._count("foreign")
        if self._last is not None and self._last[0] == content[:2]:
            self._count("repeated")
            return self._last[1]
        self._finish()
        answer = bytes([kind | ANSWER, content[1]]) + (
            self._load(self.table, Load(body[0] & 3), body[1:])
            if self.table and kind == FrameType.LOAD else self._step(Step(body[0] & 3), body[1:]))
        self._last = content[:2], answer
        return answer

    def _load(self, table: GoldenTable, flags: Load, data: bytes) -> bytes:
        step = table.take(flags, data)
        if step:
            self.step, self.model_hash = step, table.new_hash(data, self.model_hash)
            self._events, self._reset = [], False
        return table.answer()

    def _finish(self) -> None:
        """Count a step whose result is taken now."""
        self.counts["steps"] += self._waits
        self._waits = False

    def _step(self, flags: Step, events: bytes) -> bytes:
        if Step.RESET in flags:
            self._reset, self._events = True, []
        lost = Answered(0)
        size = row_bytes(self.rows)
        for at in range(0, len(events), size):
            row = int.from_bytes(events[at:at + size], "little")
            if at + size > len(events) or row >= self.rows:
                self._count("dropped")
                lost = Answered.DROPPED
            else:
                self._events.append(row)
        if Step.MORE in flags:
            return pack_fields(PART_FIELDS, {"flags": lost})
        outputs, cycles, saturated = self.step(self._events, self._reset)
        step = self.counts["steps"]
        self.counts["longest_cycles"] = max(self.counts["longest_cycles"], cycles)
        self._waits, self._events, self._reset = True, [], False
        return pack_fields(STEP_FIELDS, {"flags": lost | Answered.SATURATED * bool(saturated),
                                         "step": step, "cycles": cycles}) \
            + np.asarray(outputs, "<i4").tobytes()

    def _info(self, seq: int) -> bytes:
        version, capability = VERSION, Capability(0)
        if self.table:
            version |= Version.LOADABLE | Version.LOADED * self.table.whole
            capability = Capability.MODEL | Capability.STAGED * self.table.staged
        values: dict[str, int | bytes] = {
            "version": version, **self.counts, "rows": self.rows, "model_hash": self.model_hash,
            "clock_khz": self.clock_hz // 1000, "outputs": self.outputs,
            "capability": capability, "frames": FRAMES_IN_FLIGHT, "frame_bytes": CODED_MAX,
            "program_hash": self.program_hash}
        return bytes([FrameType.INFO | ANSWER, seq]) + pack_fields(INFO_FIELDS, values)

    def _count(self, name: str) -> bytes:
        """Count in two bytes: the lower one wraps, the higher one stops at 255."""
        high, low = divmod(self.counts[name], 256)
        self.counts[name] = min(high + (low == 255), 255) << 8 | (low + 1) % 256
        return b""


def _content(coded: bytes) -> bytes:
    """Content of a frame; empty if its coding, its length or its CRC is wrong."""
    if not 4 <= len(coded) <= CODED_MAX:
        return b""
    try:
        frame = cobs.decode(coded)
    except cobs.DecodeError:
        return b""
    content, crc = frame[:-2], frame[-2:]
    return content if crc == crc_of(content) else b""
