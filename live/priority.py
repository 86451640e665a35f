# SPDX-License-Identifier: Apache-2.0
"""How the live loop gets the processor when a step is due."""

import gc
import os
import sys

from spikewright.base.errors import InputError

__all__ = ["hurry", "settle"]

# Above all usual programs, and below what the kernel itself needs.
PRIORITY = 10

# A thread that computes gives way to the loop after so many seconds; Python's default is 5 ms.
GIVE_WAY = 2e-4


def hurry() -> None:
    """Run this process, and threads that it starts from now on, before all usual programs.

    Raises
    ------
    InputError
        If the system has no such way, or the user has no right to it.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except AttributeError:
        raise InputError("--realtime must be on Linux, not on another system") from None
    except PermissionError:
        raise InputError("--realtime must be allowed to this user, not refused: a line 'USER - "
                         f"rtprio {PRIORITY}' in /etc/security/limits.conf allows it") from None


def settle() -> None:
    """Keep pauses of Python short, before the loop begins."""
    sys.setswitchinterval(GIVE_WAY)
    gc.collect()
    gc.freeze()
