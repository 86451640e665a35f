# SPDX-License-Identifier: Apache-2.0
"""The command `spikewright`: one file per subcommand."""

from .commands import main, run_words

__all__ = ["main", "run_words"]
