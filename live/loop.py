# SPDX-License-Identifier: Apache-2.0
"""The live loop: takes bins, decodes them, and gives the answers to the sinks."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from spikewright.base.errors import InputError
from spikewright.base.version import version
from spikewright.model.saved import Model
from spikewright.record.lines import FORMAT

from .affine import Affine
from .bins import Answer, Bin, Sink, Source
from .counters import Delays
from .engine import Engine

__all__ = ["Loop", "Totals"]

# A source without spikes for so many seconds is silent: the user is told.
SILENCE = 2.0


@dataclass
class Totals:
    """What a loop has counted.

    Parameters
    ----------
    steps, late, undecoded, paused, spikes : int
        Steps with an answer; those whose answer came more than a step after the bin was over; bins
        while the port was away; bins while the loop was paused; spikes that were decoded.
    from_spike : Delays
        From the last spike of a bin to the velocity.
    from_bin : Delays
        From the end of a bin to the velocity.
    """

    steps: int = 0
    late: int = 0
    undecoded: int = 0
    paused: int = 0
    spikes: int = 0
    from_spike: Delays = field(default_factory=Delays)
    from_bin: Delays = field(default_factory=Delays)


class Loop:
    """Runs until the source ends, or `stop` is called.

    Parameters
    ----------
    source : Source
    engine : Engine
    sinks : sequence of Sink
    affine : Affine, optional
        Applied to each velocity.
    notice : function
        Takes a line for the user.
    commands : function, optional
        Called before each step with the loop; it may call the methods of the loop.
    """

    def __init__(self, source: Source, engine: Engine, sinks: Sequence[Sink], *,
                 notice: Callable[[str], None], affine: Affine | None = None,
                 commands: Callable[["Loop"], None] | None = None):
        self.totals  = Totals()
        self.paused  = False
        self.source, self.engine, self.sinks = source, engine, sinks
        self._affine, self._notice, self._commands = affine, notice, commands
        self._stopped, self._reset = False, True
        self._loading: Iterator[None] | None = None
        self._wanted = engine.model         # the last one that a load was for
        self._epoch = time.time() - time.perf_counter()
        self._heard = 0.0
        self._silent = False

    def run(self, seconds: float | None = None) -> Totals:
        """Run the loop; ``seconds`` ends it after this time of steps.

        Raises
        ------
        InputError
            If the decoder does not come back.
        """
        self.note()
        steps = None if seconds is None else max(1, round(seconds / self.engine.model.dt))
        self._heard = time.perf_counter()
        taken = 0
        for spikes in self.source.bins():
            if self._commands:
                self._commands(self)
            self._listen(spikes)
            if spikes is not None:
                self._take(spikes)
                taken += 1
            if self._stopped or taken == steps:
                break
        return self.totals

    def note(self) -> None:
        """Give the facts about the session to the sinks."""
        model = self.engine.model
        axes = len(self._affine.matrix) if self._affine else model.integers.axes
        facts = {"format": FORMAT, "made_by": f"Spikewright {version()}",
                 "time": round(time.time(), 6), "model": model.name, "model_hash": model.hash,
                 "dt": model.dt, "channels": model.channels, "axes": axes,
                 "source": self.source.title}
        for sink in self.sinks:
            sink.note(facts)

    def stop(self) -> None:
        """End after this step."""
        self._stopped = True

    def pause(self, paused: bool) -> None:
        """Stop decoding, or go on from zero state. A paused loop gives no velocity."""
        self._reset |= self.paused and not paused
        self.paused = paused

    def reset(self) -> None:
        """Clear the state before the next step."""
        self._reset = True

    def load(self, model: Model) -> None:
        """Load another model between the steps, and go on with it from zero state.

        Raises
        ------
        InputError
            If the model does not fit. The loop then goes on with the old one.
        """
        if self._loading is not None:
            self._notice(f"load of {_told(self._wanted)} given up for {_told(model)}")
        self._loading, self._wanted = self.engine.loading(model), model
        self._load_piece()

    def counts(self) -> dict[str, int]:
        """What went wrong so far, by name, of the source, the decoder and the sinks."""
        counts = {"late": self.totals.late, "undecoded": self.totals.undecoded}
        for more in (self.source.counts, self.engine.counts, *(sink.counts for sink in self.sinks)):
            counts |= more
        return counts

    def _load_piece(self) -> None:
        """Load the next piece of a model. After the last one, the model runs."""
        if self._loading is None:
            return
        loading, self._loading = self._loading, None
        for _ in loading:
            self._loading = loading         # there are more pieces
            return
        model, self._reset = self.engine.model, True
        self.note()
        self._notice(f"{_told(model)} runs now")

    def _idle(self) -> None:
        """Use the time before the next step."""
        self.engine.ask()
        try:
            self._load_piece()
        except InputError as error:
            self._notice(f"not loaded: {error}")

    def _take(self, spikes: Bin) -> None:
        if self.paused:
            self.totals.paused += 1
            self._idle()
            return
        reset, self._reset = self._reset or spikes.reset, False
        velocity = self.engine.step(spikes.channels, reset)
        answered = time.perf_counter()
        if velocity is None:
            self.totals.undecoded += 1
            self._reset = True
            return
        if self._affine:
            velocity = self._affine(velocity)
        late = answered - spikes.due > self.engine.model.dt
        answer = Answer(step=self.totals.steps, bin=spikes, velocity=velocity, answered=answered,
                        epoch=self._epoch, late=late, reset=reset, cycles=self.engine.cycles,
                        saturated=self.engine.saturated)
        for sink in self.sinks:
            sink.send(answer)
        self._count(answer)
        if answer.delay < self.engine.model.dt / 2:     # there is time before the next step
            self._idle()

    def _count(self, answer: Answer) -> None:
        totals = self.totals
        totals.steps  += 1
        totals.late   += answer.late
        totals.spikes += len(answer.bin.channels)
        totals.from_bin.add(answer.delay)
        if answer.from_spike is not None:
            totals.from_spike.add(answer.from_spike)

    def _listen(self, spikes: Bin | None) -> None:
        """Say when the source falls silent, and when it is back."""
        now = time.perf_counter()
        if spikes is not None and spikes.channels:
            if self._silent:
                self._notice(f"{self.source.title} has spikes again after "
                             f"{now - self._heard:.1f} s")
            self._heard, self._silent = now, False
        elif not self._silent and now - self._heard > SILENCE:
            self._silent = True
            self._notice(f"{self.source.title} has had no spike for {SILENCE:g} s")


def _told(model: Model) -> str:
    return f"model {model.name} ({model.hash[:16]})"
