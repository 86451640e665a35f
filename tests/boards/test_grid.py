# SPDX-License-Identifier: Apache-2.0
"""Which configurations an exploration has, what they are called, and which of them none beats."""

import pytest

from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.explore.explore import read_grid
from spikewright.boards.explore.pareto import front
from spikewright.plan.config import PRESETS, CoreConfig
from spikewright.report.names import title
from tests.networks import refused

BOARD = BOARDS["icebreaker"]


def _point(lc, ebr, fmax, cycles):
    return {"best": {"used": {"lc": lc, "ebr": ebr}, "fmax_mhz": fmax}, "cycles": {"mean": cycles}}


def test_front():
    points = [_point(100, 5, 50.0, 900), _point(200, 5, 50.0, 900), _point(200, 5, 50.1, 900),
              _point(300, 9, 40.0, 100), _point(300, 9, 40.0, 100), {"reason": "too large"}]
    assert front(points) == [0, 2, 3, 4]


def test_grid():
    base = CoreConfig(lanes=3)
    assert read_grid(base, BOARD, []) == [base]
    assert read_grid(base, BOARD, ["lanes=4,1,4"]) == [CoreConfig(lanes=1), CoreConfig(lanes=4)]
    # A bitmap needs a power of two: that combination is none.
    assert read_grid(base, BOARD, ["lanes=2,3", "tables=dense,bitmap"]) == [
        CoreConfig(lanes=2, tables="bitmap"), CoreConfig(lanes=2), CoreConfig(lanes=3)]
    assert set(read_grid(base, BOARD, ["presets"])) == set(PRESETS.values())
    assert len(read_grid(base, BOARD, ["presets", "lanes=4,5"])) == len(PRESETS) + 1
    # Presets are those of the board: here there is neither a large RAM nor a multiplier.
    assert CoreConfig(lanes=8, multiplier="serial") in read_grid(
        base, BOARDS["ice40_hx8k_b_evn"], ["presets"])


def test_title():
    assert title(CoreConfig(lanes=1)) == "1 lane"
    assert title(PRESETS["fast"]) == "8 lanes, weights in large RAM, neurons in lanes"
    assert title(CoreConfig(tables="bitmap", multiplier="serial")) == (
        "4 lanes, bitmap tables, serial multiplier")


@pytest.mark.parametrize("words, text", [
    (["lane=1"], ("Grid must be made of 'presets' and NAME=VALUE,VALUE.. with a name of lanes, "
                  "tables, weight_memory, neurons, multiplier, load, staging, not 'lane=1'")),
    (["lanes=0"], "Grid 'lanes=0' cannot be used: Core lanes must be between 1 and 64, not 0"),
    (["tables=dens"], ("Grid 'tables=dens' cannot be used: Core tables must be one of dense, "
                       "bitmap, rows, smallest, not 'dens'")),
    (["lanes=3,5", "tables=bitmap"],
     ("Grid must have a combination that a core can have, not only such as: Core lanes must be a "
      "power of two with bitmap tables, not 5")),
])
def test_wrong_grid(words, text):
    with refused(text):
        read_grid(CoreConfig(), BOARD, words)
