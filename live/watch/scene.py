# SPDX-License-Identifier: Apache-2.0
"""What a view shows: the last seconds of a session, put together from its lines."""

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spikewright.golden.stepper import Stepper
from spikewright.model.saved import Model
from spikewright.network.metrics import unit_scale
from spikewright.plan.config import CoreConfig

from ..affine import Affine

__all__ = ["EDGES", "Scene", "Shown"]

# Seconds that a view remembers.
SECONDS = 10.0

# Steps from which the unit of the truth is found.
FEWEST_STEPS = 250

# Edges of the histogram of delays, in ms: 36 cells, each 1.25 times as long as the one before.
EDGES = [round(0.02 * 1.25 ** k, 4) for k in range(37)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """A step as a view shows it.

    Parameters
    ----------
    number : int
        Steps that the view had before.
    channels, hidden : list of int
        Channel of each spike, and the hidden neurons that fired.
    velocity : list of float
    truth : list, optional
        Numbers, or None where they are not known.
    reset : bool
    """

    number: int
    channels: list[int]
    hidden: list[int]
    velocity: list[float]
    truth: list[float | None] | None
    reset: bool


@dataclass
class Scene:
    """The last seconds of a session.

    The link does not carry the spikes of hidden neurons. The integer model therefore runs beside
    the decoder, on the same spikes, and its velocities are compared with those of the decoder.

    Parameters
    ----------
    models : list of Model
        Those that can be loaded; the first one runs.
    affine : Affine, optional
        Applied to each velocity.
    """

    models: list[Model]
    affine: Affine | None = None
    facts: dict = field(default_factory=dict)
    status: dict = field(default_factory=dict)
    steps: deque[Shown] = field(default_factory=deque)
    delays: np.ndarray = field(default_factory=lambda: np.zeros(len(EDGES) - 1, np.int64))
    compared: int = 0
    differing: int = 0
    scale: float = 1.0
    ended: bool = False

    def __post_init__(self) -> None:
        self._number = 0
        #: Of the models; folders where names are equal.
        self.names = [model.name for model in self.models]
        self._follow(self.models[0])
        self._stepper.step([], True)        # the first step of a process may take a second

    @classmethod
    def opened(cls, config: dict) -> "Scene":
        """The scene of a session, from the first line that `watch.view.View` sends."""
        affine = config["affine"]
        folders = [Path(folder) for folder in config["models"]]
        scene = cls([Model.load(folder) for folder in folders],
                    affine and Affine(np.array(affine["matrix"]), np.array(affine["offset"])))
        names = scene.names
        scene.names = ["/".join(folder.parts[-2:]) if names.count(name) > 1 else name
                       for name, folder in zip(names, folders, strict=True)]
        return scene

    def take(self, line: bytes) -> None:
        """Take a line of the session."""
        found = json.loads(line)
        if "facts" in found:
            self.facts = found["facts"]
            self._follow(next(model for model in self.models
                              if model.hash == self.facts["model_hash"]))
        elif "status" in found:
            self.status = found["status"]
            self._find_scale()
        else:
            self._show(found)

    @property
    def agreement(self) -> str:
        """How the decoder and the integer model agree, in words."""
        if not self.compared:
            return "no step is compared before the next reset"
        if self.differing:
            return f"{self.differing} of {self.compared} steps differ"
        return f"all {self.compared} steps are equal"

    def _follow(self, model: Model) -> None:
        self.model = model
        self._stepper = Stepper(model.integers, CoreConfig())
        self._known = False     # whether the state of the integer model is that of the decoder
        self._next = -1
        self.steps = deque(self.steps, maxlen=max(round(SECONDS / model.dt), 1))

    def _show(self, found: dict) -> None:
        reset = found.get("reset", False)
        # After an answer that was not shown, the state of the decoder is not known.
        self._known = reset or self._known and found["step"] == self._next
        self._next = found["step"] + 1
        hidden: list[int] = []
        if self._known:
            hidden = self._run(found, reset)
        self.delays[np.clip(np.searchsorted(EDGES, found["delay_ms"]) - 1, 0,
                            len(self.delays) - 1)] += 1
        self.steps.append(Shown(
            number=self._number, channels=found["spikes"], hidden=hidden,
            velocity=found["velocity"], truth=found.get("truth"), reset=reset))
        self._number += 1

    def _run(self, found: dict, reset: bool) -> list[int]:
        integers = self.model.integers
        rows = integers.channel_row[np.array(found["spikes"], np.int64)]
        outputs, _, _ = self._stepper.step(rows[rows >= 0].tolist(), reset)
        velocity = integers.velocity(outputs[np.newaxis])[0]
        if self.affine:
            velocity = self.affine(velocity)
        self.compared  += 1
        self.differing += velocity.tolist() != found["velocity"]
        return np.flatnonzero(self._stepper.spikes).tolist()

    def _find_scale(self) -> None:
        """The power of ten between the unit of the truth and that of the network."""
        known = [step for step in self.steps
                 if step.truth and len(step.truth) == len(step.velocity)]
        if len(known) >= FEWEST_STEPS:
            truth = np.array([step.truth for step in known], np.float64)
            self.scale = unit_scale(truth, np.array([step.velocity for step in known]))
