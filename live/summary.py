# SPDX-License-Identifier: Apache-2.0
"""What a live loop has done, in lines, and what it has cost."""

import resource
import sys
import time

from .loop import Loop

__all__ = ["Usage", "summary"]


class Usage:
    """Time and memory of this process, from when it is made."""

    def __init__(self) -> None:
        self._began, self._cpu, self._memory = time.perf_counter(), time.process_time(), memory()

    def line(self) -> str:
        """What was used since, as text."""
        seconds, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        return (f"{seconds:.1f} s, of which this process computed {cpu:.1f} s; "
                f"memory {self._memory:.1f} MB at the start, {memory():.1f} MB at the most")


def memory() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform == "linux" else 1 << 20)


def summary(loop: Loop, usage: Usage) -> list[str]:
    """Lines about a loop that has ended."""
    totals = loop.totals
    share = 100 * totals.late / max(totals.steps, 1)
    lines = [(f"{totals.steps} steps, {totals.spikes} spikes; {totals.late} steps ({share:.3f} %) "
             f"answered more than {1e3 * loop.engine.model.dt:g} ms after their end")]
    if totals.from_spike.number:
        lines.append(f"last spike to velocity: {totals.from_spike.milliseconds()}")
    if totals.from_bin.number:
        lines.append(f"end of bin to velocity: {totals.from_bin.milliseconds()}")
    wrong = [f"{name} {count}" for name, count in loop.counts().items() if count and name != "late"]
    lines.append(f"counters: {', '.join(wrong) or 'nothing lost, nothing refused'}")
    lines.append(usage.line())
    if titles := [sink.title for sink in loop.sinks if sink.title]:
        lines.append(f"-> {', '.join(titles)}")
    return lines
