# SPDX-License-Identifier: Apache-2.0
"""The command `spikewright`: one file per subcommand."""

import sys

__all__ = ["main"]


def main(argv: list[str] | None = None) -> None:
    """Run the command, see `commands.main`. Ctrl-C while it is imported ends it, too."""
    try:
        from .commands import main as command
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    command(argv)
