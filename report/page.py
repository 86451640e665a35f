# SPDX-License-Identifier: Apache-2.0
"""The report of a build as a page in one file."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from spikewright.golden.run import Answer
from spikewright.network.metrics import published_time
from spikewright.network.recording import Recording

from . import chip, pictures
from .colours import BLOCK_COLOURS
from .html import render_page
from .names import BLOCKS
from .parts.board import Hop
from .report import Report
from .score import decoded, foreign
from .summary import late

__all__ = ["page"]


def page(report: Report, recording: Recording, reference: np.ndarray, answer: Answer) -> str:
    """The report as HTML. The page needs no other file and no network.

    Parameters
    ----------
    report : Report
    recording : Recording
        The recording that was scored.
    reference : ndarray of float64, shape (steps, outputs)
        Outputs of the network in fp32, on ``recording``.
    answer : Answer
        The answer of golden, for these steps at least.
    """
    accuracy = report.accuracy
    scale, integer = accuracy.unit_scale or 1.0, accuracy.integers.arithmetic
    curves = {name: scale * published_time(velocity, report.lead_steps, recording.reset)
              for name, velocity in (("fp32", reference),
                                     (integer, answer.velocity[:recording.steps]))}
    drawings = {
        "velocity": pictures.velocity(report, curves, recording.velocity, recording.reset),
        "cycles": pictures.cycles(report, answer.cycles),
        "latency": pictures.latency(report),
        "area": chip.area(report),
        "memory": chip.memory(report),
        "path": chip.critical_path(report),
    }
    return render_page("spikewright.report", "report.html", pictures=drawings, report=report,
                       colours=BLOCK_COLOURS, integer=integer, foreign=foreign(accuracy),
                       late=late(report.cycles),
                       decoded=decoded(accuracy.integers),
                       decoded_single=decoded(accuracy.single), taken=_taken(report),
                       hops=short_path(report.critical_path.hops))


def _taken(report: Report) -> dict[str, list]:
    """The cells of each block and of the chip, as text for each kind of cell."""
    kinds = [kind for kind in report.resources if kind != "spram"]

    def texts(counts: Iterable[int]) -> list[str]:
        return [f"{count:,}" if count else "" for count in counts]

    return {"titles": [chip.KINDS[kind] for kind in kinds],
            "blocks": [(block, title, texts(report.blocks[block][kind] for kind in kinds))
                       for _, block, title in BLOCKS],
            "used": texts(report.resources[kind].used for kind in kinds),
            "available": texts(report.resources[kind].available for kind in kinds)}


def short_path(hops: tuple[Hop, ...]) -> list[Hop]:
    """The critical path, with neighbouring hops of one signal joined, and without empty hops."""
    short: list[Hop] = []
    for hop in hops:
        signal = hop.signal.removeprefix("decoder.").removeprefix("core.")
        if signal.startswith("$"):
            signal = "carry"
        if short and short[-1].signal == signal:
            short[-1] = replace(short[-1], delay_ns=short[-1].delay_ns + hop.delay_ns)
        else:
            short.append(replace(hop, signal=signal))
    return [hop for hop in short if hop.delay_ns > 0]
