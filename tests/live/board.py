# SPDX-License-Identifier: Apache-2.0
"""A board behind a pseudo-terminal: the golden models of the core and of the link."""

from spikewright.golden.link import GoldenLink
from spikewright.golden.stepper import Stepper
from spikewright.golden.table import GoldenTable
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.sim.terminal import Terminal

__all__ = ["Board"]


class Board:
    """A board that runs ``model``; its port has the name ``place``. It is plugged in at first.

    It takes ``others``, and runs the model that it has until another one is whole.
    """

    now = 0.0               # its line takes no time

    def __init__(self, model, place, *others):
        self.model, self.place, self.others = model, place, others
        self.reset()
        self.plug()

    def reset(self):
        """What the button of a board does."""
        integers = self.model.integers
        self._answers = b""
        plans = [Plan(model=other.integers, config=CoreConfig(load="model"))
                 for other in (self.model, *self.others)]
        tables = {plan.loaded_bytes: plan.model for plan in plans}
        table = GoldenTable(
            words=len(plans[0].loaded), word_bytes=plans[0].word_bytes, lanes=4, staged=True,
            run=lambda words: Stepper(tables[words], CoreConfig()).step) if self.others else None
        self._link = GoldenLink(
            rows=integers.rows, outputs=integers.outputs, table=table,
            program_hash=bytes.fromhex(plans[0].program_hash)[:8],
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
