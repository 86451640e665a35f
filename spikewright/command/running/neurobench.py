# SPDX-License-Identifier: Apache-2.0
"""``spikewright neurobench``: the metrics of NeuroBench's own package."""

import json
from argparse import ArgumentParser, Namespace

from spikewright.base.cache import cache_folder
from spikewright.base.errors import CoreFault, InputError
from spikewright.base.files import check_output, signature, written_file

from ..options import add_build, add_core_options, add_model, add_recording, chosen_config
from ..parser import end_at_mismatches, output_file
from ..training.shared import check_torch

__all__ = ["add", "run"]

FIGURES = {"r2": "R2", "footprint_bytes": "footprint", "connection_sparsity": "zero weights",
           "activation_sparsity": "silent", "effective_acs": "ACs", "effective_macs": "MACs",
           "dense_operations": "dense"}


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Score a model with the package neurobench: its floating-point network, "
                          "its integers, and the simulated hardware. Operations are those of a "
                          "step.")
    add_model(parser)
    add_recording(parser)
    parser.add_argument("-o", "--output", type=output_file(".json"), metavar="SCORES.json",
                        help="file to write: the scores, .json (default: none)")
    add_core_options(parser)
    add_build(parser)


def run(arguments: Namespace) -> None:
    """Run all three, and print what the package counts."""
    check_torch()
    try:
        from neurobench import __version__
    except ModuleNotFoundError as error:
        raise InputError("Package neurobench must be installed for its metrics (pip install -e "
                         f"'.[neurobench]'), not missing: {error}") from None
    from spikewright.golden.run import run_golden
    from spikewright.model.saved import Model
    from spikewright.network.graded.network import spiking
    from spikewright.network.metrics import published_time, unit_scale
    from spikewright.network.recording import read_recording
    from spikewright.plan.plan import Plan
    from spikewright.report.score import number, outputs_of
    from spikewright.sim.compiled import run_compiled
    from spikewright.train.recording import target_velocity
    from spikewright.verify.neurobench import float_layers, integer_layers, neurobench_scores
    if arguments.output:
        check_output(arguments.output, (".json",))
    model   = Model.load(arguments.model)
    network = spiking(model.network)
    recording = read_recording(arguments.recording)
    recording.check_fits(network.channels, network.dt)
    truth = target_velocity(recording)
    plan  = Plan(model=model.integers, config=chosen_config(arguments, model.integers))
    bits  = "int" + "/".join(map(str, model.integers.weight_bits))
    answers = {"fp32": outputs_of(network, recording, ["fp32"])["fp32"]}
    try:
        for name, answer in ((bits, run_golden(model.integers, recording, plan.config)),
                             (f"{bits} RTL", run_compiled(plan, recording,
                                                          cache_folder(arguments.build)))):
            answers[name] = answer.velocity, answer.spikes
    except CoreFault as fault:
        end_at_mismatches([str(fault)])
    scale = unit_scale(truth, published_time(answers["fp32"][0], network.lead_steps,
                                             recording.reset))
    scores = {name: neurobench_scores(
        network, *(float_layers(network) if name == "fp32" else integer_layers(model.integers)),
        recording, scale * velocity, spikes) for name, (velocity, spikes) in answers.items()}
    for found in scores.values():
        found["r2"] = number(found["r2"])       # None where nothing moves
    print(f"neurobench {__version__} on {recording.name}, {recording.steps:,} steps")
    print(f"{'':10}" + "".join(f"{title:>14}" for title in FIGURES.values()))
    for name, found in scores.items():
        print(f"{name:10}" + "".join(f"{_said(key, found[key]):>14}" for key in FIGURES))
    if arguments.output:
        with written_file(arguments.output) as temporary:
            temporary.write_text(json.dumps(
                {"neurobench": __version__, "recording": recording.name, "steps": recording.steps,
                 "scores": scores, **signature()}, indent=2, allow_nan=False) + "\n",
                encoding="utf-8")


def _said(key: str, figure: float | None) -> str:
    """A figure of the table; a dash for None."""
    return "-" if figure is None else format(figure, "," if key == "footprint_bytes" else ",.4g")
