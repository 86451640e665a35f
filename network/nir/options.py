# SPDX-License-Identifier: Apache-2.0
"""Answers to what a NIR file does not say: time step, kind of reset, order of updates."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from spikewright.base.errors import InputError, did_you_mean, is_choice

from ..constants import MOST_DT, is_dt
from ..network import RESETS
from .graph import Node

__all__ = ["ANSWERS", "Asked", "DEFAULTS", "FRAMEWORKS", "READOUTS", "Options", "flag"]

# For each option of a node, the words that it may have. A number has none.
ANSWERS: dict[str, tuple[str, ...] | type] = {
    "decay": ("euler", "exp"),
    "gain": ("nir", "unit", "decay"),
    "syn_gain": ("nir", "unit", "decay"),
    "order": ("syn_first", "mem_first"),
    "reset": RESETS,
    "compare": (">", ">="),
    "v_reset": float,
    "v0": ("zero", "v_leak", "v_reset"),
    "back_delay": int,
    "source_delay": int,
}

# What NIR's own equations say, or what nearly every framework does. `Asked` notes each use. For
# ``reset``, the default only serves to find other faults first: the answer must be given.
DEFAULTS = {"decay": "euler", "gain": "nir", "syn_gain": "nir", "order": "syn_first",
            "reset": "zero_keep", "compare": ">", "v0": "zero", "back_delay": 1, "source_delay": 0}

# What leaves the network where neurons that spike feed an Output.
READOUTS = "spikes, membranes or counts:W with a window of W steps"

_EULER = {"decay": "euler", "order": "syn_first", "compare": ">", "v0": "zero", "back_delay": 1,
          "source_delay": 0, "gain": "nir", "syn_gain": "nir"}

# What each framework does, by type of node. "*" is any type. "Threshold" is also a leaky integrator
# with a Threshold behind it. A framework that has several kinds of reset, and writes none, has no
# answer here, and neither has one that has no step of its own.
FRAMEWORKS: dict[str, dict[str, dict]] = {
    "snntorch": {"*": {**_EULER, "gain": "unit", "syn_gain": "unit", "dt": 1e-4}},
    "norse": {"*": {**_EULER, "reset": "zero_keep", "v0": "v_leak", "syn_gain": "unit"},
              "IF": {"gain": "unit", "v0": "v_reset"}, "I": {"gain": "unit"}},
    "spikingjelly": {"*": {**_EULER, "reset": "zero_keep", "compare": ">=", "v0": "v_reset"}},
    "sinabs": {"*": {**_EULER, "decay": "exp", "compare": ">=", "dt": 1.0},
               "LI": {"gain": "unit"}, "IF": {"gain": "unit"}, "I": {"gain": "unit"}},
    "rockpool": {"*": {**_EULER, "decay": "exp", "compare": ">=", "gain": "unit",
                       "syn_gain": "decay", "reset": "subtract_same"},
                 "LI": {"gain": "decay"}},
    "spyx": {"*": {**_EULER, "gain": "unit", "syn_gain": "unit", "reset": "subtract_next",
                   "source_delay": 1, "back_delay": 0, "dt": 1.0},
             "CubaLIF": {"reset": "subtract_same"},
             "Threshold": {"source_delay": 0}},
}

# Parameters that the exporter of a framework leaves out, by type of node.
LOST = {"norse": {"LIF": ("v_reset",)}}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The answers of a user, for all nodes and for single nodes.

    Parameters
    ----------
    framework : str, optional
        The framework that wrote the file, one of ``FRAMEWORKS``.
    dt : float, optional
        Time per step, in the unit of the file.
    readout : str, optional
        What leaves the network where neurons that spike feed an Output, one of ``READOUTS``. By
        default ``spikes``, but ``membranes`` of neurons without a reset.
    inputs : tuple of str
        Names of the Input nodes in the order of the channels, if there are several.
    answers : dict of str to object
        Options of ``ANSWERS`` for every node.
    nodes : dict of str to dict
        Options of ``ANSWERS`` for one node, by its name. They come before all others.

    Raises
    ------
    InputError
        If an option does not exist, or has another value than it may have.
    """

    framework: str | None = None
    dt: float | None = None
    readout: str | None = None
    inputs: tuple[str, ...] = ()
    answers: Mapping[str, object] = field(default_factory=dict)
    nodes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.framework is not None and not is_choice(self.framework, FRAMEWORKS):
            raise InputError(f"Framework must be one of {', '.join(FRAMEWORKS)}, not "
                             f"{self.framework!r}{did_you_mean(self.framework, FRAMEWORKS)}")
        if self.dt is not None and not (_number(self.dt) and is_dt(self.dt)):
            raise InputError(f"Option dt must be a number between 0 and {MOST_DT}, not {self.dt!r}")
        if self.readout is not None and not re.fullmatch(
                "spikes|membranes|counts:[1-9][0-9]{0,3}", str(self.readout)):
            raise InputError(f"Option readout must be {READOUTS}, 1 to 9999, not "
                             f"{self.readout!r}")
        for name, answers in (("", self.answers), *self.nodes.items()):
            for key, value in answers.items():
                _check(f"Node {name} option" if name else "Option", key, value)

    def as_facts(self) -> dict:
        """The options that were given, in the form of a manifest."""
        given = {"from": self.framework, "dt": self.dt, "readout": self.readout,
                 "inputs": list(self.inputs), **self.answers,
                 "nodes": {name: dict(answers) for name, answers in self.nodes.items()}}
        return {key: value for key, value in given.items() if value not in (None, [], {})}


class Asked:
    """What was looked up for a graph: defaults that were taken, and answers that are missing.

    ``said`` has the options in the file of the graph, if this program wrote it. Those of the user
    come before them.
    """

    def __init__(self, options: Options, said: Mapping) -> None:
        self.options, self.said = options, said
        self.assumed: dict[str, object] = {}
        self.missing: dict[str, list[str]] = {}

    def __call__(self, key: str, node: Node):
        """The answer for ``node``. It is noted if nobody gave it."""
        value, default = self.look(key, node)
        if default and key == "reset":
            self.missing.setdefault(key, []).append(node.name)
        elif default and value is not None:
            self.assumed[key] = value
        return value

    def look(self, key: str, node: Node) -> tuple:
        """The answer for ``node``, and whether it is only a default. Nothing is noted.

        A missing ``v_reset`` is None: the file's is used.
        """
        preset = FRAMEWORKS.get(self.options.framework or "", {})
        nodes, said = self.options.nodes, self.said
        for answers in (nodes.get(node.name, {}), nodes.get(node.joined, {}),
                        self.options.answers, said.get("nodes", {}).get(node.name, {}),
                        said.get("answers", {}), preset.get(node.preset or node.kind, {}),
                        preset.get("*", {})):
            if key in answers:
                return answers[key], False
        return DEFAULTS.get(key), True

    def by_name(self, key: str, node: Node) -> bool:
        """Whether there is an answer for ``node`` alone."""
        return any(key in nodes.get(name, {}) for name in (node.name, node.joined)
                   for nodes in (self.options.nodes, self.said.get("nodes", {})))

    def is_lost(self, key: str, node: Node) -> bool:
        """Whether the exporter leaves out a parameter of ``node``."""
        return key in LOST.get(self.options.framework or "", {}).get(node.kind, ())

    @property
    def step(self) -> float | None:
        """The time step: of the user, of the file or of the framework."""
        preset = FRAMEWORKS.get(self.options.framework or "", {"*": {}})["*"]
        dt = self._given_step if self._given_step is not None else preset.get("dt")
        return None if dt is None else float(dt)

    @property
    def has_own_step(self) -> bool:
        """Whether the user or the file gave the time step. A framework has the same for all."""
        return self._given_step is not None

    @property
    def _given_step(self):
        return self.options.dt if self.options.dt is not None else self.said.get("dt")

    @property
    def readout(self) -> str | None:
        """What leaves the network: of the user or of the file."""
        return self.options.readout or self.said.get("readout")


def flag(key: str) -> str:
    """The option ``key`` as it is typed."""
    return f"--{key.replace('_', '-')}"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check(title: str, key: str, value: object) -> None:
    allowed = ANSWERS.get(key)
    if allowed is None:
        raise InputError(f"{title} must be one of {', '.join(ANSWERS)}, not {key!r}"
                         f"{did_you_mean(key, ANSWERS)}")
    if allowed is float:
        if not _number(value):
            raise InputError(f"{title} {key} must be a number, not {value!r}")
    elif allowed is int:
        if not (type(value) is int and 0 <= value <= 999):
            raise InputError(f"{title} {key} must be a whole number of steps from 0 to 999, not "
                             f"{value!r}")
    elif isinstance(allowed, tuple) and not is_choice(value, allowed):
        raise InputError(f"{title} {key} must be one of {', '.join(allowed)}, not {value!r}"
                         f"{did_you_mean(value, allowed)}")
