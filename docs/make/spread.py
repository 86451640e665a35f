# SPDX-License-Identifier: Apache-2.0
"""A recording in shorter steps: its spikes at random times within their old steps.

``python -m docs.make.spread RECORDING.npz -o SHORTER.npz --dt 0.004 --seconds 80``
"""

from pathlib import Path

import numpy as np

from spikewright.base.files import written_file
from spikewright.command.parser import CommandParser, run_command
from spikewright.network.recording import Recording, read_recording

__all__ = ["spread"]


def spread(recording: Recording, dt: float, seconds: float) -> dict[str, np.ndarray]:
    """Arrays of the file of a recording with steps of ``dt``, over the first ``seconds``.

    A channel has at most one spike in a step. The spike times are the same in every call.
    """
    old = np.repeat(np.arange(recording.steps), np.diff(recording.start))
    times = (old + np.random.default_rng(0).random(len(old))) * recording.dt
    steps = round(min(seconds, recording.steps * recording.dt) / dt)
    places = np.floor(times / dt).astype(np.int64) * recording.channels + recording.channel
    places = np.unique(places[places < steps * recording.channels])
    return {"bin": places // recording.channels, "channel": places % recording.channels,
            "n_bins": np.array(steps), "n_channels": np.array(recording.channels),
            "dt": np.array(dt), "source": np.array(recording.source),
            "licence": np.array(recording.licence),
            "note": np.array(f"{recording.name}, spread at random into shorter steps")}


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.spread", description="Make a recording with "
                           "shorter steps: its spikes at random times within their old steps.")
    parser.add_argument("recording", type=Path, metavar="RECORDING.npz")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SHORTER.npz")
    parser.add_argument("--dt", type=float, default=4e-3, metavar="SECONDS",
                        help="length of a step (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=80.0, metavar="SECONDS",
                        help="how much of the recording (default: %(default)s)")
    arguments = parser.parse_args()
    arrays = spread(read_recording(arguments.recording), arguments.dt, arguments.seconds)
    with written_file(arguments.output) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


if __name__ == "__main__":
    run_command(_main)
