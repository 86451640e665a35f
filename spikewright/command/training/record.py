# SPDX-License-Identifier: Apache-2.0
"""``spikewright record import``: a recording from the file of another program."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.network.constants import DT, MOST_DT, is_dt

from ..parser import output_file

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    told = "make a recording from the file of another program"
    sub = actions.add_parser("import", help=told, description=f"{told[0].upper()}{told[1:]}.")
    sub.add_argument("session", type=Path, metavar="FILE", help="counts (steps, channels) as .npy "
                     "or .csv; a MATLAB file of version 7.3 with spikes and t, as the public "
                     "reaching sessions; an .nwb file; a .jsonl of 'spikewright live'; or what Neo "
                     "reads, such as .nev and .plx")
    sub.add_argument("-o", "--output", type=output_file(".npz"), required=True, metavar="REC",
                     help="recording to write, .npz")
    sub.add_argument("--dt", type=float, metavar="SECONDS",
                     help=f"length of a step (default: {DT} s)")
    sub.add_argument("--series", metavar="NAME", help="what the subject did: cursor_pos or "
                     "finger_pos of a .mat file, or a series of an .nwb file")
    sub.add_argument("--velocity", type=Path, metavar="FILE",
                     help="velocity (steps, axes) beside counts, .npy or .csv")
    sub.add_argument("--unit", default="", help="unit of the velocity, such as cm/s")


def run(arguments: Namespace) -> None:
    """Import, write, and say what the recording holds."""
    from spikewright.base.arrays import write_arrays
    from spikewright.base.errors import InputError
    from spikewright.network.recording import recording_of_arrays
    from spikewright.record.dense import SUFFIXES
    from spikewright.record.importer import import_recording

    from ..arrays import recording_rows
    dt = DT if arguments.dt is None else arguments.dt
    if not is_dt(dt):
        raise InputError(f"Step --dt must be seconds between 0 and {MOST_DT}, not {dt:g}")
    arrays = import_recording(arguments.session, dt, series=arguments.series,
                              velocity=arguments.velocity, unit=arguments.unit)
    recording = recording_of_arrays(arrays, arguments.output)
    write_arrays(arguments.output, arrays)
    print("\n".join(recording_rows(recording)))
    print(f"-> {arguments.output}")
    if arguments.dt is None and arguments.session.suffix in SUFFIXES:
        print(f"warning: counts have no time. A step is taken as {1e3 * dt:g} ms: give --dt if it "
              "is longer or shorter", file=sys.stderr)
    if recording.steps < recording.channels:
        print(f"warning: {recording.steps} steps of {recording.channels} channels are few. Counts "
              "must have a row for each step, and a column for each channel: transpose them if "
              "they have a row for each channel", file=sys.stderr)
