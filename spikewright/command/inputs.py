# SPDX-License-Identifier: Apache-2.0
"""What several commands read before they begin."""

from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.model.artefact import load_artefact
from spikewright.model.model import IntegerModel
from spikewright.network.recording import Recording, read_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan

__all__ = ["plan_of", "read_inputs"]


def read_inputs(model: Path, recording: Path) -> tuple[IntegerModel, Recording]:
    """A model and a recording, which must go together."""
    integers, _ = load_artefact(model)
    spikes = read_recording(recording)
    spikes.check_fits(integers.channels, integers.dt)
    return integers, spikes


def plan_of(model: IntegerModel, config: CoreConfig) -> Plan:
    """The plan of ``model`` on a core of ``config``; one that cannot be is refused."""
    try:
        return Plan(model=model, config=config)
    except ValueError as error:
        raise InputError(str(error)) from error
