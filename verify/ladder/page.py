# SPDX-License-Identifier: Apache-2.0
"""The ladder as a page in one file."""

from spikewright.report.html import render_page

from .table import accuracy, by_network, cost, title

__all__ = ["page"]


def page(ladder: dict, svg: str) -> str:
    """HTML of ``ladder`` with its picture ``svg``."""
    return render_page(
        "spikewright.verify.ladder", "ladder.html", pictures={"ladder": svg}, ladder=ladder,
        title=title(ladder),
        tables={"accuracy": accuracy(ladder), "cost": cost(ladder),
                "networks": by_network(ladder)})
