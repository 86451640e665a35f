# SPDX-License-Identifier: Apache-2.0
"""Checks whether existing outputs of make match the present settings."""

import dataclasses
from argparse import Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.version import maker
from spikewright.model.artefact import load_artefact, load_manifest
from spikewright.network.checkpoint import checkpoint_hash
from spikewright.plan.config import line_baud

from ..model.quantize import chosen_options
from ..options import chosen_nir, core_choices

__all__ = ["bitstream_is_fresh", "is_of_settings", "model_is_fresh"]


def model_is_fresh(folder: Path, arguments: Namespace) -> bool:
    """Return whether ``folder`` has the model that `quantize` would make with ``arguments``."""
    return is_of_settings(folder, arguments) and _by_us(load_manifest(folder).get("made_by"))


def is_of_settings(folder: Path, arguments: Namespace) -> bool:
    """Return whether any version of Spikewright made the model with ``arguments``."""
    from spikewright.api.models import default_name, quantize_options, read, reading_options
    try:
        model, manifest = load_artefact(folder)
    except InputError:
        return False
    if (manifest.get("options") != quantize_options(**chosen_options(arguments))
            or manifest.get("checkpoint", {}).get("sha256")
            != checkpoint_hash(arguments.checkpoint)):
        return False
    if model.name != (arguments.name or default_name(arguments.checkpoint)):
        return False
    network = read(arguments.checkpoint, **chosen_nir(arguments))
    return model.dt == network.dt and manifest.get("nir") == reading_options(network)


def bitstream_is_fresh(folder: Path, arguments: Namespace) -> bool:
    """Return whether ``folder`` has the bitstream that `build` would make with ``arguments``."""
    from spikewright.boards.board.platforms import find_board
    from spikewright.boards.flow.room import fitting_config
    from spikewright.report.report import Report
    board = find_board(arguments.board)
    try:
        report = Report.load(folder)
    except InputError:
        return False
    recording = arguments.recording
    model, manifest = load_artefact(arguments.model)
    config, _ = fitting_config(board, model, arguments.preset, core_choices(arguments))
    clock_hz, _ = board.clock(arguments.freq)
    wanted = (manifest["model_hash"], board.name, config, clock_hz / 1e6,
              line_baud(arguments.baud, clock_hz), arguments.seed,
              None if recording is None else checkpoint_hash(recording))
    made = (report.model_hash, report.board.name, report.config, report.clock_mhz, report.baud,
            report.seed, report.recording.sha256)
    return ((folder / report.board.bitstream).is_file() and made == wanted
            and _by_us(dataclasses.asdict(report.made_by)))


def _by_us(made_by: dict | None) -> bool:
    """Return whether this version made it. A changed checkout is never the same version."""
    us = maker()
    return made_by == us and not (us["commit"] or "").endswith("-dirty")
