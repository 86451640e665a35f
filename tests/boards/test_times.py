# SPDX-License-Identifier: Apache-2.0
"""The estimates of a build: they grow with the design, and follow the logs of the tools."""

import pytest

from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.times import usual_placement, usual_synthesis
from tests.designs import plan_of
from tests.networks import deep_model

TEMPLATE = "Using template $paramod$1f${} for cells of type ${}.\n"


def _design(cells):
    return "\n  cell \\$add $1" * cells


@pytest.mark.parametrize("board, ram, seconds", [
    ("icebreaker", "__ICE40_RAM4K_", 4.5 + 4 * 0.75), ("ulx3s_25f", "__DP16KD_", 4.5 + 4 * 0.3)])
def test_synthesis(board, ram, seconds):
    """Each block RAM with contents takes the same time, by the number of templates in the log."""
    plan = plan_of(deep_model(0), 2)
    usual = usual_synthesis(BOARDS[board], plan, _design(1000))
    assert usual.seconds == pytest.approx(seconds)
    assert usual_synthesis(BOARDS[board], plan, _design(3000)).seconds == pytest.approx(
        seconds + 9)
    logic, rams = 4.5 / seconds, 1 - 4.5 / seconds
    log = "1. Executing RTLIL frontend.\n"
    assert usual.share(log) == 0
    log += "2.34. Executing MEMORY_LIBMAP pass (mapping memories to cells).\n"
    assert usual.share(log) == pytest.approx(0.35 * logic)
    log += TEMPLATE.format(ram, ram)
    assert usual.share(log) == pytest.approx(0.35 * logic + rams / 4)
    for most in (log + 20 * TEMPLATE.format(ram, ram), log + "2.38. Executing MEMORY_MAP pass\n"):
        assert usual.share(most) == pytest.approx(0.35 * logic + rams)


LOG = """\
Info: Creating initial analytic placement for 1312 cells, random placement wirelen = 41614.
Info: Running simulated annealing placer for refinement.
Info: Routing..
Info: Routing 5800 arcs.
Info:            |   (re-)routed arcs  |   delta    | remaining|       time spent     |
Info:    IterCnt |  w/ripup   wo/ripup |  w/r  wo/r |      arcs| batch(sec) total(sec)|
Info:       1000 |       37        962 |   37   962 |      4350|       0.95       0.95|
Info:       9000 |     2815       6012 |  345   625 |       580|       0.31       3.90|
Info: Routing complete.
Info: Program finished normally.
""".splitlines(keepends=True)


def test_placement():
    """The share never falls; the table of the router says how many arcs are left."""
    usual = usual_placement(1300)
    assert usual.seconds == 11
    assert usual_placement(5200).seconds == 88
    shares = [usual.share("".join(LOG[:lines])) for lines in range(len(LOG) + 1)]
    assert shares == pytest.approx([0, 0.07, 0.26, 0.52, 0.52, 0.52, 0.52, 0.52 + 0.43 * 0.25,
                                    0.52 + 0.43 * 0.9, 0.95, 0.95])
