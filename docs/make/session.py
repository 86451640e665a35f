# SPDX-License-Identifier: Apache-2.0
"""The session on which the default network was trained, as a recording.

``python -m docs.make.session SECONDS -o FILE.npz`` writes its first seconds.
"""

from pathlib import Path

from spikewright.base.files import check_output
from spikewright.command.parser import CommandParser, output_file, run_command, whole_number
from spikewright.train.reaches import default_sessions, save_session

__all__ = ["write_session"]


def write_session(path: Path, seconds: int) -> None:
    """Write the first ``seconds`` of the session to an .npz file."""
    session, _ = default_sessions()
    save_session(path, session.head(round(seconds / session.dt)))


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.session", description="Write the first "
                           "seconds of the session on which the default network was trained.")
    parser.add_argument("seconds", type=whole_number(1, 600), metavar="SECONDS", help="1 to 600")
    parser.add_argument("-o", "--output", type=output_file(".npz"), required=True,
                        metavar="FILE.npz", help="file to write")
    arguments = parser.parse_args()
    check_output(arguments.output, (".npz",), simulated=True)
    write_session(arguments.output, arguments.seconds)


if __name__ == "__main__":
    run_command(_main)
