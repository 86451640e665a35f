# SPDX-License-Identifier: Apache-2.0
"""The process of a view: ``python -m spikewright.live.watch KIND FD``, which `View` starts."""

import json
import signal
import socket
import sys


def main(kind: str, descriptor: int) -> None:
    """Show a session until its socket ends."""
    # Ctrl-C ends the loop, and the loop ends the view.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        first = b""
        while not first.endswith(b"\n"):
            byte = connection.recv(1)
            if not byte:                # the loop has ended before its first line
                return
            first += byte
        config = json.loads(first)
        if kind == "page":
            from .page import show
        else:
            from .terminal import show
        show(connection, config)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
