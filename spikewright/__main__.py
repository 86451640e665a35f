# SPDX-License-Identifier: Apache-2.0
"""``python -m spikewright`` is the command `spikewright`."""

from .command import main

main()
