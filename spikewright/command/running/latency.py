# SPDX-License-Identifier: Apache-2.0
"""``spikewright latency``: from the last spike of a step to its velocity, on a board."""

from argparse import ArgumentParser, Namespace

from spikewright.plan.config import CLOCK_MHZ

from ..options import add_baud, add_core_options, add_freq, add_model, chosen_config
from ..parser import whole_number

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Send simulated spikes to a board, a step every dt seconds, and print "
                          "how long each step takes from its last spike to its velocity: on this "
                          "computer, on the serial line, and on the board. On the virtual board "
                          "the share of this computer is that of the simulation.")
    add_model(parser)
    parser.add_argument("--port", default="virtual",
                        help="serial port of the board, or 'virtual' (default: %(default)s)")
    parser.add_argument("--steps", type=whole_number(1, 1 << 20), default=1000, metavar="N",
                        help="time steps (default: %(default)s)")
    add_baud(parser)
    add_freq(parser, "clock of the virtual board", CLOCK_MHZ)
    add_core_options(parser)


def run(arguments: Namespace) -> None:
    """Decode, and print the percentiles."""
    import numpy as np

    from spikewright.golden.run import stimulus_of
    from spikewright.host.decode import decode
    from spikewright.host.decoder import connected
    from spikewright.host.latency import check_events, latency_of, lines_of
    from spikewright.model.saved import Model
    from spikewright.network.source import read_source
    from spikewright.plan.config import line_baud
    model = Model.load(arguments.model)
    integers = model.integers
    recording = read_source(None, model.network).recording.head(arguments.steps)
    events = np.diff(stimulus_of(integers, recording).start)
    check_events(events, integers.rows)
    with connected(arguments.port, model, chosen_config(arguments, integers),
                   baud=arguments.baud, megahertz=arguments.freq) as driver:
        answer = decode(driver, integers, recording, live=True)
        info = driver.read_info()
    baud = line_baud(arguments.baud, info.clock_hz if arguments.port == "virtual" else None)
    latency = latency_of(answer, events, rows=info.rows, outputs=info.outputs,
                         baud=baud, clock_hz=info.clock_hz)
    print(f"{recording.steps} steps, {events.mean():.1f} events a step, {baud:,} baud, "
          f"{info.clock_hz / 1e6:g} MHz")
    print("\n".join(lines_of(latency)))
