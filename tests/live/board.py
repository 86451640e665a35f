# SPDX-License-Identifier: Apache-2.0
"""A board behind a pseudo-terminal: the golden models of the core and of the link."""

from spikewright.golden.link import GoldenLink
from spikewright.golden.stepper import Stepper
from spikewright.plan.config import CoreConfig
from spikewright.sim.terminal import Terminal

__all__ = ["Board"]


class Board:
    """A board that runs ``model``; its port has the name ``place``. It is plugged in at first."""

    now = 0.0               # its line takes no time

    def __init__(self, model, place):
        self.model, self.place = model, place
        self.reset()
        self.plug()

    def reset(self):
        """What the button of a board does."""
        integers = self.model.integers
        self._answers = b""
        self._link = GoldenLink(
            rows=integers.rows, outputs=integers.outputs, program_hash=bytes(8),
            model_hash=bytes.fromhex(self.model.hash)[:8], clock_hz=24_000_000,
            step=Stepper(integers, CoreConfig()).step)

    def plug(self):
        """Put the cable in."""
        self._terminal = Terminal(self, link=self.place)

    def pull(self):
        """Pull the cable."""
        self._terminal.close()

    def write(self, data):
        """Called by the terminal."""
        self._answers += self._link.feed(data)

    def settle(self):
        """Called by the terminal."""
        answers, self._answers = self._answers, b""
        return answers
