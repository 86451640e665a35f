# SPDX-License-Identifier: Apache-2.0
"""The settings of make, as its command line and the environment give them.

Run as a file, it prints them, and needs no package for it: ``make help`` comes before ``make
install``.
"""

import difflib
import os
import re
from pathlib import PurePath

__all__ = ["SETTINGS", "Settings", "read_settings"]

DEFAULT = "data/default.safetensors"
DEFAULT_RECORDING = "data/default_recording.npz"

# What holds where nobody gives another, and what `make help` says.
SETTINGS = {
    "CHECKPOINT":    (DEFAULT, ".safetensors or .pth, tinyRSNN layout"),
    "NAME":          ("", ("folder in build/: another for each of several checkpoints of one file "
                           "name")),
    "RECORDING":     ("", ".npz: what reports measure on; sim and demo must have one"),
    "CALIBRATE":     ("", ".npz: what states are scaled by"),
    "BITS":          ("", "of a weight"),
    "MODEL_OPTIONS": ("", "more of 'spikewright quantize'"),
    "MODEL":         ("", "a model folder of yours, taken as it is; not of ladder"),
    "BOARD":         ("icebreaker", "or another of 'spikewright boards'"),
    "FREQ":          ("", "MHz"),
    "PRESET":        ("balanced", "or small, fast"),
    "LANES":         ("", "synapses a cycle"),
    "CORE_OPTIONS":  ("", ("as --tables bitmap, --weight-memory large, --neurons lanes, "
                           "--multiplier serial")),
    "BOARD_OPTIONS": ("", "of bitstream, as --seed 4, --baud 500000"),
    "SEEDS":         ("4", "of explore: placements of each configuration"),
    "GRID":          ("presets lanes=1,2,4,8", "of explore: configurations"),
    "SCHEDULER":     ("", "of explore: a Dask cluster, as tcp://host:8786"),
    "SIM":           ("verilator", "of sim: or icarus"),
    "STEPS":         ("500", "of sim: steps of the recording"),
    "WAVES":         ("", "of sim: a file for the waves, .vcd; .fst with icarus"),
}

# What `make help` shows where a setting is empty.
EMPTY = {"RECORDING": "simulated spikes", "CALIBRATE": "simulated spikes", "BITS": "8",
         "MODEL": "what these make", "FREQ": "the board's", "LANES": "the preset's"}

# These decide what is built, and where: the environment does not give them.
ONLY_COMMAND_LINE = ("MODEL", "BITS", "NAME")

# Settings of the Makefile itself.
OF_MAKE = ("PYTHON", "RUN", "SHELL", "MAKEFLAGS")


class Settings(dict):
    """Value of each of ``SETTINGS``, by its name; empty where there is none."""

    @property
    def width(self) -> str:
        """End of the names of what has other weights: these lie side by side."""
        return "" if self["MODEL"] or not self["BITS"] else f"-{self['BITS']}bit"

    @property
    def folder(self) -> str:
        """Where outputs go."""
        if self["MODEL"]:
            return os.path.dirname(self["MODEL"].rstrip("/")) or "."
        return f"build/{self['NAME']}"

    @property
    def model(self) -> str:
        """Folder of the model."""
        return self["MODEL"].rstrip("/") or f"{self.folder}/model{self.width}"

    @property
    def variant(self) -> str:
        """End of the names of what depends on the preset."""
        return ("" if self["PRESET"] == "balanced" else f"-{self['PRESET']}") + self.width

    @property
    def output(self) -> str:
        """Folder of the bitstream."""
        return f"{self.folder}/{self['BOARD']}{self.variant}"


def read_settings(environment) -> Settings:
    """The settings that make's recipes see in ``environment``.

    Raises
    ------
    ValueError
        If make's command line has a setting that there is not.
    """
    given = _command_line(environment.get("MAKEFLAGS", ""))
    for name in given:
        if name not in SETTINGS and name not in OF_MAKE:
            near = difflib.get_close_matches(name.upper(), SETTINGS, 1)
            raise ValueError(f"Setting must be one of 'make help', not {name!r}"
                             + (f": did you mean {near[0]}?" if near else ""))
    settings = Settings()
    for name, (default, _) in SETTINGS.items():
        held = name in given or name not in ONLY_COMMAND_LINE
        settings[name] = (environment.get(name, "").strip() if held else "") or default
    settings["NAME"] = settings["NAME"] or PurePath(settings["CHECKPOINT"]).stem
    if not settings["RECORDING"] and not settings["MODEL"] and settings["CHECKPOINT"] == DEFAULT:
        settings["RECORDING"] = DEFAULT_RECORDING
    return settings


def _command_line(flags: str) -> list[str]:
    """Names of the variables that make's command line defines: behind `` -- `` in MAKEFLAGS."""
    _, found, words = f" {flags}".partition(" -- ")
    if not found:
        return []
    # A blank of a value has a backslash before it.
    return [word.partition("=")[0].rstrip(":?+!")
            for word in re.split(r"(?<!\\)\s+", words.strip()) if "=" in word]


def _print_settings() -> None:
    print("Settings, with what they are now:")
    for name, value in read_settings(os.environ).items():
        print(f"  {name}={value or EMPTY.get(name, 'none')}  ({SETTINGS[name][1]})")


if __name__ == "__main__":
    try:
        _print_settings()
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
