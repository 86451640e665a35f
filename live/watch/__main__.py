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
    connection = socket.socket(fileno=descriptor)
    first = b""
    while not first.endswith(b"\n"):
        first += connection.recv(1)
    config = json.loads(first)
    if kind == "page":
        from .page import show
    else:
        from .terminal import show
    show(connection, config)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
