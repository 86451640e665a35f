# SPDX-License-Identifier: Apache-2.0
"""Inputs of several commands."""

from pathlib import Path

from spikewright.model.artefact import load_artefact
from spikewright.model.model import IntegerModel
from spikewright.network.recording import Recording, read_recording

__all__ = ["read_inputs"]


def read_inputs(model: Path, recording: Path) -> tuple[IntegerModel, Recording]:
    """Read a model and a recording, and check that they fit."""
    integers, _ = load_artefact(model)
    spikes = read_recording(recording)
    spikes.check_fits(integers.channels, integers.dt)
    return integers, spikes
