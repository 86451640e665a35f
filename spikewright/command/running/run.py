# SPDX-License-Identifier: Apache-2.0
"""``spikewright run``: decode a recording."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.base.errors import CoreFault

from ..options import (
    add_answer,
    add_build,
    add_core_options,
    add_recording,
    core_choices,
)
from ..parser import end_at_mismatches

__all__ = ["add", "run"]

BACKENDS = {"float": "the network before rounding", "golden": "the integer model",
            "rtl": "simulated core", "virtual": "simulated decoder with its serial line"}


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", type=Path, metavar="MODEL",
                        help="folder made by 'spikewright quantize', or for the backend float also "
                        "a network file")
    add_recording(parser)
    add_answer(parser)
    parser.add_argument("--backend", choices=BACKENDS, default="golden", help="; ".join(
        f"{name}: {title}" for name, title in BACKENDS.items()) + " (default: %(default)s)")
    add_core_options(parser)
    add_build(parser)


def run(arguments: Namespace) -> None:
    """Decode, write the result, print how long a step takes, and how well it decodes."""
    from spikewright import api
    from spikewright.network.recording import read_recording
    from spikewright.report.score import decodes
    path = arguments.model
    network = arguments.backend == "float" and not path.is_dir()
    model = api.read(path) if network else api.load(path)
    recording = read_recording(arguments.recording)
    try:
        result = api.run(model, recording, backend=arguments.backend,
                         preset=arguments.preset, cache=arguments.build, **core_choices(arguments))
    except CoreFault as fault:
        end_at_mismatches([str(fault)])
    result.save(arguments.output)
    told = [f"{len(result.velocity)} steps"]
    if result.spikes is not None and result.spikes.shape[1]:
        told.append(f"{int(result.spikes.sum())} spikes")
    if result.cycles is not None:
        told.append(f"{result.cycles.mean():.0f} cycles a step (most {result.cycles.max()})")
    print(f"{', '.join(told)} -> {arguments.output}")
    lead = model.integers.lead_steps if isinstance(model, api.Model) else model.lead_steps
    if text := decodes(result.velocity, recording, lead):
        print(f"decoding: {text}")
