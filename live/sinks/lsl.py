# SPDX-License-Identifier: Apache-2.0
"""Velocities to the Lab Streaming Layer (LSL)."""

from ..bins import Answer
from ..sources.lsl import liblsl

__all__ = ["LslSink"]


class LslSink:
    """A stream of velocities, a sample for each step.

    Parameters
    ----------
    name : str
        Name of the stream.
    axes : int
    identity : str
        By which a receiver finds the stream again, if this program is started anew.
    """

    def __init__(self, name: str, axes: int, identity: str):
        lsl = liblsl()
        self.title = f"lsl:{name}"
        self.counts: dict[str, int] = {}
        self._clock = lsl.local_clock
        info = lsl.StreamInfo(name, "Velocity", axes, lsl.IRREGULAR_RATE, lsl.cf_double64,
                              f"spikewright-{identity}")
        self._outlet = lsl.StreamOutlet(info)

    def send(self, answer: Answer) -> None:
        """Send an answer, with the stamp of this moment."""
        self._outlet.push_sample(answer.velocity.tolist(), self._clock())

    def note(self, facts: dict) -> None:
        """Send nothing: a sample is a velocity."""

    def close(self) -> None:
        """End the stream."""
        del self._outlet
