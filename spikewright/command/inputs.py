# SPDX-License-Identifier: Apache-2.0
"""What several commands read before they begin."""

from pathlib import Path

from spikewright.model.artefact import load_artefact
from spikewright.model.model import IntegerModel
from spikewright.network.recording import Recording, read_recording

__all__ = ["read_inputs"]


def read_inputs(model: Path, recording: Path) -> tuple[IntegerModel, Recording]:
    """A model and a recording, which must go together."""
    integers, _ = load_artefact(model)
    spikes = read_recording(recording)
    spikes.check_fits(integers.channels, integers.dt)
    return integers, spikes
