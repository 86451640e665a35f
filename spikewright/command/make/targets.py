# SPDX-License-Identifier: Apache-2.0
"""The commands that each target runs. All settings are checked before the first command."""

import contextlib
import fcntl
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from spikewright.base.errors import InputError, did_you_mean
from spikewright.base.files import check_folder

from ..commands import parser, run_words
from ..model.quantize import write_model
from ..options import chosen_config
from .fresh import bitstream_is_fresh, is_of_settings, model_is_fresh
from .settings import Settings

__all__ = ["TARGETS", "make_target"]


def _model(settings: Settings) -> None:
    _with_model(settings, [])
    if settings["MODEL"]:
        print(f"-> {settings.model}, not changed")


def _bitstream(settings: Settings) -> None:
    words = ["build", settings.model, "--board", settings["BOARD"], "-o", settings.output,
             *_core(settings), *_given("--freq", settings["FREQ"]),
             *_words(settings, "BOARD_OPTIONS"), *_given("--recording", settings["RECORDING"])]
    check_folder(Path(settings.output), "report.json")
    _with_model(settings, words)
    if bitstream_is_fresh(Path(settings.output), parser(words).parse_args(words)):
        print(f"-> {settings.output}: up to date")
    else:
        run_words(words)


def _narrow(settings: Settings) -> None:
    """Give the model narrow states if the board is small and the user has not chosen any."""
    from spikewright.boards.board.board import NARROW
    from spikewright.boards.board.platforms import find_board
    options = _words(settings, "MODEL_OPTIONS")
    if (find_board(settings["BOARD"]).small and not settings["MODEL"]
            and not any(word.startswith(("--current", "--membrane", "--states"))
                        for word in options)):
        settings.states = NARROW
        print(f"note: {settings['BOARD']} has little logic, so the model gets {' '.join(NARROW)}",
              file=sys.stderr)


def _explore(settings: Settings) -> None:
    words = ["explore", settings.model, "--board", settings["BOARD"], *_core(settings),
             *_given("--freq", settings["FREQ"]), "--grid", *_words(settings, "GRID"),
             "--seeds", settings["SEEDS"],
             "-o", f"{settings.folder}/explore-{settings['BOARD']}{settings.width}",
             *_given("--recording", settings["RECORDING"]),
             *_given("--scheduler", settings["SCHEDULER"])]
    _with_model(settings, words)
    run_words(words)


def _report(settings: Settings) -> None:
    _check_model_settings(settings)
    if not Path(settings.output, "report.json").is_file():
        raise InputError(f"Report must be in {settings.output}, not missing: run make bitstream "
                         "with the same settings")
    run_words(["show", settings.output])


def _sim(settings: Settings) -> None:
    words = ["bench", settings.model, _recording(settings), "--simulator", settings["SIM"],
             "--steps", settings["STEPS"], *_core(settings),
             *_given("--waves", settings["WAVES"])]
    _with_model(settings, words)
    run_words(words)


def _demo(settings: Settings) -> None:
    out = f"{settings.folder}/demo{settings.width}"
    words = ["decode", settings.model, _recording(settings), "--port", "virtual",
             *_core(settings), *_given("--freq", settings["FREQ"]), "-o", f"{out}.npz",
             "--picture", f"{out}.png"]
    _with_model(settings, words)
    run_words(words)


def _ladder(settings: Settings) -> None:
    for name in ("MODEL", "BITS", "MODEL_OPTIONS"):
        if settings[name]:
            raise InputError(f"{name} must be left out with ladder, which measures CHECKPOINT")
    output = f"build/{settings['NAME']}/ladder"
    words = ["ladder", settings["CHECKPOINT"], "-o", output, *_core(settings),
             *_given("--recording", settings["RECORDING"]),
             *_given("--calibrate", settings["CALIBRATE"])]
    check_folder(Path(output), "ladder.json")
    _check_files(settings)
    _checked(settings, words)
    run_words(words)


def _export(settings: Settings) -> None:
    _write_files(settings, "export", f"{settings.folder}/rom{settings.variant}", "rom.json")


def _verilog(settings: Settings) -> None:
    _write_files(settings, "verilog", f"{settings.folder}/verilog{settings.variant}",
                 "verilog.json")


def _write_files(settings: Settings, command: str, output: str, index: str) -> None:
    """Run a command that writes files of the model to the folder ``output``."""
    words = [command, settings.model, "-o", output, *_core(settings)]
    check_folder(Path(output), index)
    _with_model(settings, words)
    run_words(words)


TARGETS = {"model": _model, "bitstream": _bitstream, "explore": _explore, "report": _report,
           "sim": _sim, "demo": _demo, "ladder": _ladder, "export": _export, "verilog": _verilog}


def make_target(name: str, settings: Settings) -> None:
    """Make a target. All that use a model of CHECKPOINT use the same for one BOARD."""
    if name not in ("report", "ladder"):
        _narrow(settings)
    TARGETS[name](settings)


def _with_model(settings: Settings, words: list[str]) -> None:
    """Check the command ``words`` and all files, then make its model if it is not up to date."""
    _check_model_settings(settings)
    _check_files(settings)
    if words:
        _checked(settings, words)
    if settings["MODEL"]:
        return
    folder = Path(settings.model)
    quantize = ["quantize", settings["CHECKPOINT"], "-o", str(folder),
                *_given("--weight-bits", settings["BITS"]),
                *_given("--calibrate", settings["CALIBRATE"]), *settings.states,
                *_words(settings, "MODEL_OPTIONS")]
    arguments = parser(quantize).parse_args(quantize)
    # A relative path, so that a moved project keeps its models.
    checkpoint = os.path.relpath(settings["CHECKPOINT"])
    with _alone():
        _make_model(folder, arguments, checkpoint)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one make at a time into the block: a second one then finds the model of the first."""
    place = os.open(".", os.O_RDONLY)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("note: waiting for the model of another make", file=sys.stderr)
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _make_model(folder: Path, arguments: Namespace, checkpoint: str) -> None:
    _check_owner(folder, checkpoint)
    if model_is_fresh(folder, arguments):
        print(f"-> {folder}: up to date")
        return
    if (folder / "manifest.json").is_file() and not is_of_settings(folder, arguments):
        print(f"note: {folder} is made again with other settings: earlier builds have the old "
              "model", file=sys.stderr)
    write_model(arguments, {"make": {"checkpoint": checkpoint}})


def _check_owner(folder: Path, checkpoint: str) -> None:
    """Refuse to replace a model that make did not make from ``checkpoint``."""
    from spikewright.model.artefact import load_manifest
    check_folder(folder, "manifest.json")
    if not (folder / "manifest.json").is_file():
        return
    made = load_manifest(folder).get("make")
    if made is None:
        raise InputError(f"{folder} must be made by make to be replaced: use it with "
                         f"MODEL={folder}, choose another NAME, or remove it")
    if made["checkpoint"] != checkpoint:
        raise InputError(f"{folder} must be made from {checkpoint}, not from "
                         f"{made['checkpoint']}: choose another NAME, or remove it")


def _check_model_settings(settings: Settings) -> None:
    if settings["MODEL"] and (settings["BITS"] or settings["CALIBRATE"]
                              or settings["MODEL_OPTIONS"]):
        raise InputError("BITS, CALIBRATE and MODEL_OPTIONS must be left out with MODEL, which is "
                         "not changed")


def _check_files(settings: Settings) -> None:
    if settings["MODEL"]:
        from spikewright.model.artefact import load_manifest
        load_manifest(Path(settings["MODEL"]))
    for name in ("CHECKPOINT", "RECORDING", "CALIBRATE"):
        path = settings[name]
        if path and not Path(path).is_file() and not (name == "CHECKPOINT" and settings["MODEL"]):
            raise InputError(f"{name} must be a file, not {path!r}: there is none")


def _checked(settings: Settings, words: list[str]) -> Namespace:
    """Parse ``words``, and check the options of the hardware in them."""
    from spikewright.boards.board.platforms import find_board
    from spikewright.plan.config import PRESETS
    if settings["PRESET"] not in PRESETS:
        raise InputError(f"PRESET must be one of {', '.join(PRESETS)}, not {settings['PRESET']!r}"
                         f"{did_you_mean(settings['PRESET'], PRESETS)}")
    arguments = parser(words).parse_args(words)
    board = find_board(settings["BOARD"])
    on_board = words[0] in ("build", "explore")
    chosen_config(arguments, None, **(board.instead if on_board else {}))
    if on_board:
        board.clock(arguments.freq if settings["FREQ"] else None)
    return arguments


def _recording(settings: Settings) -> str:
    if not settings["RECORDING"]:
        raise InputError("RECORDING must be given for your own network")
    return settings["RECORDING"]


def _core(settings: Settings) -> list[str]:
    return ["--preset", settings["PRESET"], *_given("--lanes", settings["LANES"]),
            *_words(settings, "CORE_OPTIONS")]


def _words(settings: Settings, name: str) -> list[str]:
    """Words of a setting, split as a shell does."""
    try:
        return shlex.split(settings[name])
    except ValueError as error:
        raise InputError(f"{name} must be words as in a shell, not {settings[name]!r}: "
                         f"{error}") from error


def _given(option: str, value: str) -> list[str]:
    return [option, value] if value else []
