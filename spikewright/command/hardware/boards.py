# SPDX-License-Identifier: Apache-2.0
"""``spikewright boards``: list the supported boards."""

from argparse import ArgumentParser, Namespace

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add no options."""


def run(arguments: Namespace) -> None:
    """Print the boards, with chip, memory, clock, link and programmer of each."""
    from spikewright.boards.board.platforms import BOARDS
    for board in BOARDS.values():
        print(f"{board.name:17} {board.title}, {board.device}: {board.sizes}; "
              f"{board.clock_hz / 1e6:g} MHz")
        print(f"{'':17} link: {board.link}; load with '{board.program}'")
        if board.lacks:
            print(f"{'':17} lacks {'; '.join(board.lacks)}")
