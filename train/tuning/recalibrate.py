# SPDX-License-Identifier: Apache-2.0
"""Recalibration: a model learns from a new day, and its shape and scales stay."""

from dataclasses import replace

from spikewright.model.artefact import model_hash
from spikewright.model.model import IntegerModel
from spikewright.network.network import Network
from spikewright.network.recording import Recording

from ..fitting.recipe import Tuning
from ..recording import target_velocity
from .diagnosis import Diagnosis, affine, corrected, decoded, diagnose
from .finetune import facts_of, masks_of, told_of, tune, unit_of

__all__ = ["fitted", "recalibrate"]


def recalibrate(model: IntegerModel, network: Network, facts: dict, recording: Recording,
                tuning: Tuning, *, readout_only: bool = False
                ) -> tuple[IntegerModel, dict, Diagnosis]:
    """Train the weights of ``model`` on ``recording``, after what has changed is put right.

    Rows, neurons, widths, scales, thresholds and decays stay, so that the core of ``model`` can
    load the result. Changed axes and another order of channels go into the readout matrix and the
    rows of the channels, which the host applies. Weights that are 0 in ``network`` stay 0.

    Parameters
    ----------
    model : IntegerModel
    network : Network
        The network that ``model`` was rounded from.
    facts : dict
        Further entries of the manifest of ``model``.
    recording : Recording
        With ``velocity``.
    tuning : Tuning
    readout_only : bool
        Only the weights of the outputs change.

    Returns
    -------
    model : IntegerModel
    facts : dict
        With one more entry, ``recalibrated``.
    diagnosis : Diagnosis

    Raises
    ------
    InputError
        As `diagnosis.diagnose`, and if the velocity does not change on each axis.
    """
    found = diagnose(model, recording)
    start = corrected(model, channels=found.channels, turn=found.turn)
    masks = [mask if not (readout_only and model.index(p.target).spiking) else None
             for p, mask in zip(model.projections, masks_of(model, network), strict=True)]
    tuned = tune(start, recording, tuning, masks, unit_of(start, recording))
    told  = {**told_of(model, tuned, recording, tuning), "model_hash": model_hash(model),
             "axes": found.axes, "order": found.order, "readout_only": readout_only}
    return tuned, {**facts_of(tuned, facts), "recalibrated": told}, found


def fitted(model: IntegerModel, recording: Recording) -> IntegerModel:
    """``model`` with the affine function of its outputs that decodes ``recording`` best."""
    turn, offset = affine(decoded(model, recording), target_velocity(recording))
    model = corrected(model, turn=turn)
    return replace(model, offset=model.offset + offset)
