# SPDX-License-Identifier: Apache-2.0
"""``spikewright quantize``: round a network to integers."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.quantize.rules import MOST_TERMS, STATES, Rules

from ..options import NETWORKS, add_nir_options, add_width_options, chosen_bits, chosen_nir
from ..parser import whole_number

__all__ = ["add", "chosen_options", "run", "write_model"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT",
                        help=f"trained network, {NETWORKS}")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL",
                        help="folder to write: the model")
    parser.add_argument("--name", help="name of the model (default: that of the checkpoint, "
                        "or of its folder if it is called final)")
    parser.add_argument("--calibrate", type=Path, metavar="RECORDING.npz",
                        help="recording whose spikes set the scale of the currents and membrane "
                        "potentials (default: simulated spikes)")
    add_width_options(parser)
    parser.add_argument("--states", choices=STATES, default=Rules.states, help="bits of "
                        "currents and membrane potentials: calibrated uses --current-bits and "
                        "--membrane-bits; proven uses as many as are needed so that no input "
                        "saturates them (default: %(default)s)")
    parser.add_argument("--events-per-channel", type=whole_number(1, 255), metavar="N",
                        default=Rules.events_per_channel,
                        help="most spikes of one channel in one time step that the proof "
                        "assumes, 1 to 255 (default: %(default)s)")
    parser.add_argument("--decay-terms", type=whole_number(1, MOST_TERMS), metavar="N",
                        help="make each decay factor a sum of at most N signed powers of two, 1 "
                        "to 4, for hardware without a multiplier (default: no limit)")
    parser.add_argument("--no-retime", dest="retime", action="store_false",
                        help="outputs come at the time of the network file (default: as early as "
                        "the delays of the network allow)")
    add_nir_options(parser)


def chosen_options(arguments: Namespace) -> dict:
    """Return the options of the model's numbers, as arguments of `api.quantize`."""
    return {"calibrate": arguments.calibrate, "states": arguments.states,
            "events_per_channel": arguments.events_per_channel,
            "decay_terms": arguments.decay_terms, "retime": arguments.retime,
            **chosen_bits(arguments)}


def run(arguments: Namespace) -> None:
    """Quantize, write the model folder, and print its contents."""
    write_model(arguments)


def write_model(arguments: Namespace, facts: dict | None = None) -> None:
    """Do the same as `run`, with further ``facts`` in the manifest."""
    from spikewright import api
    from spikewright.base.files import check_folder
    from spikewright.model.summary import summary

    from ..costs import cost_rows
    check_folder(arguments.output, "manifest.json")
    network = api.read(arguments.checkpoint, **chosen_nir(arguments))
    model = api.quantize(network, name=arguments.name,
                         **chosen_options(arguments))
    model.facts.update(facts or {})
    manifest = model.save(arguments.output)
    print(summary({**manifest, "warnings": []}, cost_rows(model.integers)))
    print(f"-> {arguments.output}")
    for warning in model.warnings:
        print(f"warning: {warning}", file=sys.stderr)
