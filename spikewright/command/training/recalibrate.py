# SPDX-License-Identifier: Apache-2.0
"""``spikewright recalibrate``: train a model on a new day, for the board that runs it."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.train.fitting.recipe import Tuning

from .shared import add_recording, add_settings, add_target, check_torch, scored, settings

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Train the integers of a model on a recording of a new day, and score "
                          "them on its last 20 %. The new model has the shape and the scales of "
                          "the old one, so that the same core runs it. See "
                          "docs/howto/recalibrate.md.")
    parser.add_argument("model", type=Path, metavar="MODEL", help="folder of a model; it stays")
    add_recording(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL",
                        help="folder to write: the new model")
    parser.add_argument("--seconds", type=float, metavar="N",
                        help="seconds of the recording to learn from (default: the first 80 %%)")
    parser.add_argument("--readout-only", action="store_true",
                        help="change only the weights of the outputs")
    add_target(parser)
    add_settings(parser, Tuning, "epochs", "seed")


def run(arguments: Namespace) -> None:
    """Diagnose, train, write the model folder, and print the scores."""
    check_torch()
    from spikewright.api.models import checked
    from spikewright.base.errors import InputError
    from spikewright.base.files import check_folder
    from spikewright.model.saved import Model
    from spikewright.network.graded.network import spiking
    from spikewright.network.recording import read_recording
    from spikewright.train.recording import held_out, target_velocity
    from spikewright.train.tuning.finetune import integer_score, unit_of
    from spikewright.train.tuning.recalibrate import fitted, recalibrate
    check_folder(arguments.output, "manifest.json")
    old = Model.load(arguments.model)
    network = spiking(old.network)
    recording = read_recording(arguments.recording, arguments.target)
    target_velocity(recording)
    recording.check_fits(old.channels, old.dt)
    seen, unseen = held_out(recording)
    if arguments.seconds is not None:
        most = seen.steps * recording.dt
        if not recording.dt <= arguments.seconds <= most:
            raise InputError(f"Option --seconds must be between {recording.dt:g} and {most:g}, the "
                             f"first 80 % of the recording, not {arguments.seconds:g}")
        seen = seen.head(round(arguments.seconds / recording.dt))
    integers, facts, found = recalibrate(
        old.integers, network, old.facts, seen, settings(Tuning, arguments),
        readout_only=arguments.readout_only)
    model = checked(Model(integers=integers, network=network,
                          facts={**facts, "warnings": []}), seen, retrained=True)
    model.save(arguments.output)
    unit = unit_of(integers, seen)
    before, after = (integer_score(each, unseen, unit) for each in (old.integers, integers))
    print(f"learnt from {seen.steps * seen.dt:g} s, {seen.steps} steps: "
          f"{facts['recalibrated']['changed']} weights changed")
    print(f"channels: {found.order or 'in the order of the model'}"
          f"{_silent(found.silent)}")
    print(f"axes: {found.axes or 'as the model has them'}")
    print(f"held out, {unseen.steps} steps: {scored(after)}")
    print(f"before: {scored(before)}")
    print(f"before, with the best affine function of the outputs: "
          f"{scored(integer_score(fitted(old.integers, seen), unseen))}")
    print(f"-> {arguments.output}")
    for warning in [*_warnings(found), *model.warnings, *(
            ["the old model decodes the held-out part better"]
            if after.mean() < before.mean() else [])]:
        print(f"warning: {warning}", file=sys.stderr)


def _silent(channels: list[int]) -> str:
    if not channels:
        return ""
    return f"; {len(channels)} of those with weights silent: {', '.join(map(str, channels))}"


def _warnings(found) -> list[str]:
    warnings = []
    if not found.recognised:
        warnings.append("the channels do not carry what the model expects: their order may be "
                        "another, or the units have changed. Train a new network if the score is "
                        "low")
    for title, told in (("axes", found.axes), ("channels", found.order)):
        if told:
            warnings.append(f"the {title} of the recording are {told}, against the model. The new "
                            "model follows the recording: check which of them is right")
    return warnings
