# SPDX-License-Identifier: Apache-2.0
"""The settings of make, from its command line and the environment.

The file prints them if it is run by itself. It imports no package, because ``make help`` must work
before ``make install``.
"""

import difflib
import os
import re
import sys
from pathlib import PurePath

__all__ = ["SETTINGS", "Settings", "read_settings"]

DEFAULT = "data/default.safetensors"
DEFAULT_RECORDING = "data/default_recording.npz"

# Default and description of each setting.
SETTINGS = {
    "CHECKPOINT":    (DEFAULT, ".safetensors, .pth, .pt, .ckpt, .json or .nir: the network"),
    "NAME":          ("", "folder in build/; two checkpoints with one file name need two"),
    "RECORDING":     ("", ".npz: recording to measure on; needed for sim and demo"),
    "CALIBRATE":     ("", ".npz: recording whose spikes set the scale of currents and membranes"),
    "BITS":          ("", "bits of a weight"),
    "MODEL_OPTIONS": ("", "more options of 'spikewright quantize'"),
    "MODEL":         ("", "your own model folder, not changed; not for ladder"),
    "BOARD":         ("icebreaker", "name of a board, see 'spikewright boards'"),
    "FREQ":          ("", "clock in MHz"),
    "PRESET":        ("balanced", "core options: small, balanced or fast"),
    "LANES":         ("", "synapses per clock cycle"),
    "CORE_OPTIONS":  ("", ("more core options: --tables bitmap, --weight-memory large, --neurons "
                           "lanes, --multiplier serial")),
    "BOARD_OPTIONS": ("", "bitstream: more options, such as --seed 4 --baud 500000"),
    "SEEDS":         ("4", "explore: random seeds of place and route per configuration"),
    "GRID":          ("presets lanes=1,2,4,8", "explore: configurations"),
    "SCHEDULER":     ("", "explore: address of a Dask cluster, such as tcp://host:8786"),
    "SIM":           ("verilator", "sim: simulator, verilator or icarus"),
    "STEPS":         ("500", "sim: time steps of the recording"),
    "WAVES":         ("", "sim: file for the waves, .vcd, or .fst with icarus"),
}

# `make help` shows these for empty settings.
EMPTY = {"RECORDING": "simulated spikes", "CALIBRATE": "simulated spikes", "BITS": "8",
         "MODEL": "made from CHECKPOINT", "FREQ": "the board's", "LANES": "the preset's"}

# These decide what is built, and where. They are not read from the environment.
ONLY_COMMAND_LINE = ("MODEL", "BITS", "NAME")

# Settings of the Makefile itself.
OF_MAKE = ("PYTHON", "RUN", "SHELL", "MAKEFLAGS")


class Settings(dict):
    """Value of each of ``SETTINGS`` by its name; empty if there is none.

    ``states`` are options of 'spikewright quantize' for a board that needs narrow states.
    """

    states: tuple[str, ...] = ()

    @property
    def width(self) -> str:
        """Suffix of names for models with BITS, so that several can exist side by side."""
        return "" if self["MODEL"] or not self["BITS"] else f"-{self['BITS']}bit"

    @property
    def folder(self) -> str:
        """Folder of all outputs."""
        if self["MODEL"]:
            return os.path.dirname(self["MODEL"].rstrip("/")) or "."
        return f"build/{self['NAME']}"

    @property
    def model(self) -> str:
        """Folder of the model."""
        return self["MODEL"].rstrip("/") or (f"{self.folder}/model{self.width}"
                                              f"{'-narrow' if self.states else ''}")

    @property
    def variant(self) -> str:
        """Suffix of names for outputs that depend on the preset."""
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
        If the command line of make has an unknown setting, or NAME is no name of a folder.
    """
    given = _command_line(environment.get("MAKEFLAGS", ""))
    for name in given:
        if name not in SETTINGS and name not in OF_MAKE:
            near = difflib.get_close_matches(name.upper(), SETTINGS, 1)
            raise ValueError(f"Setting must be one that 'make help' lists, not {name!r}"
                             + (f": did you mean {near[0]}?" if near else ""))
    settings = Settings()
    for name, (default, _) in SETTINGS.items():
        held = name in given or name not in ONLY_COMMAND_LINE
        settings[name] = (environment.get(name, "").strip() if held else "") or default
    settings["NAME"] = settings["NAME"] or PurePath(settings["CHECKPOINT"]).stem
    if "/" in settings["NAME"] or settings["NAME"] in (".", ".."):
        raise ValueError(f"NAME must be the name of a folder in build/, not {settings['NAME']!r}")
    if not settings["RECORDING"] and not settings["MODEL"] and settings["CHECKPOINT"] == DEFAULT:
        settings["RECORDING"] = DEFAULT_RECORDING
    return settings


def _command_line(flags: str) -> list[str]:
    """Names of the variables on the command line of make: after `` -- `` in MAKEFLAGS."""
    _, found, words = f" {flags}".partition(" -- ")
    if not found:
        return []
    # A space in a value has a backslash before it.
    return [word.partition("=")[0].rstrip(":?+!")
            for word in re.split(r"(?<!\\)\s+", words.strip()) if "=" in word]


def _print_settings() -> None:
    print("Settings and their present values:")
    for name, value in read_settings(os.environ).items():
        print(f"  {name}={value or EMPTY.get(name, 'none')}  ({SETTINGS[name][1]})")


if __name__ == "__main__":
    try:
        _print_settings()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
