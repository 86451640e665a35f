# SPDX-License-Identifier: Apache-2.0
"""The ladder as a page in one file."""

from spikewright.report.html import render_page
from spikewright.report.style import Picture

from .table import accuracy, by_network, cost, title

__all__ = ["page"]


def page(ladder: dict, picture: Picture) -> str:
    """HTML of ``ladder`` with its picture."""
    return render_page(
        "spikewright.verify.ladder", "ladder.html", pictures={"ladder": picture}, ladder=ladder,
        title=title(ladder),
        tables={"accuracy": accuracy(ladder), "cost": cost(ladder),
                "networks": by_network(ladder)})
