# SPDX-License-Identifier: Apache-2.0
"""The golden model of LOAD: the words of a model until they are whole."""

import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from spikewright.plan.frames import LAST_FIELDS, LOAD_FIELDS, VERSION, Load, Version
from spikewright.plan.framing import pack_fields

__all__ = ["GoldenTable", "StepFunction"]

# Outputs, cycles, and whether a state has saturated, of the step with these events.
StepFunction = Callable[[Sequence[int], bool], tuple[Sequence[int], int, bool]]


@dataclass(kw_only=True)
class GoldenTable:
    """What a device with a model takes by LOAD.

    Parameters
    ----------
    words, word_bytes, lanes : int
        Of the plan, see `plan.loads.LoadMap`.
    staged : bool
        The words wait in a memory of their own until they are whole.
    run : function
        Runs a step of the model that has the bytes of these words, from zero state on.
    whole : bool
        The device has a whole model.
    """

    words: int
    word_bytes: int
    lanes: int
    staged: bool
    run: Callable[[bytes], StepFunction]
    whole: bool = True
    _loaded: bool = field(default=True, init=False)
    _image: bytes = field(default=b"", init=False)      # bytes of the words
    _all: bytes = field(default=b"", init=False)        # those, and what came in last frames

    def take(self, flags: Load, data: bytes) -> StepFunction | None:
        """Take the body of a LOAD. Return the function of a new model if it is whole now."""
        if Load.RESTART in flags:
            self._image = self._all = b""
        self._all += data
        if Load.LAST not in flags:
            self._image += data
        if Load.RESTART in flags or data:
            self._loaded = False
        if Load.LAST in flags:
            self._loaded = (len(self._image) == self.words * self.word_bytes
                            and binascii.crc_hqx(self._all, 0xffff) == 0)
        if self._loaded or not self.staged:
            self.whole = self._loaded
        return self.run(self._image) if Load.LAST in flags and self._loaded else None

    @staticmethod
    def new_hash(data: bytes, before: bytes) -> bytes:
        """Hash of a model that is whole with ``data``; a part that is missing stays as before."""
        first = LAST_FIELDS["zeros"]
        brought = data[first:first + LAST_FIELDS["model_hash"]]
        return brought + before[len(brought):]

    def answer(self) -> bytes:
        """Body of the answer to a LOAD."""
        words = min(len(self._image) // self.word_bytes, self.words + 1)
        version = VERSION | Version.LOADABLE | Version.LOADED * self._loaded
        return pack_fields(LOAD_FIELDS, {"version": version, "words": words, "lanes": self.lanes,
                                         "word_bytes": self.word_bytes})
