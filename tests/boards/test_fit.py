# SPDX-License-Identifier: Apache-2.0
"""What does not fit a board, or is too slow for it, and the advice."""

import dataclasses

import pytest

from spikewright.boards.board.family import ECP5, ICE40
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.fit import Weights, check_area, check_timing, holders, weights_of
from tests.boards.boards_bench import cells_of
from tests.designs import plan_of
from tests.networks import deep_model, refused

ICEBREAKER = BOARDS["icebreaker"]
ADVICE = ("build the model with about {0} bits a weight (spikewright quantize --weight-bits {0}, "
          "or make BITS={0})")
NARROW = "narrow its states (spikewright quantize --current-bits 12 --membrane-bits 16)"
ROOM = "take a board that by these counts has room for it: {}"
LARGE = "keep the weights in large RAMs (--weight-memory large)"
ECP5_BOARDS = "ulx3s_25f, ulx3s_85f, orangecrab, colorlight_5a75b, ecpix5"
HX8K = "ice40_hx8k_b_evn, tinyfpga_bx"
UP5K = "icebreaker_bitsy, icesugar, upduino_v3, upduino_v3_osc, fomu_pvt, ice40_up5k_b_evn"


def dense(table_bits, lanes=4):
    """Dense tables of 8-bit weights."""
    return Weights(bits=8, lanes=lanes, table_bits=table_bits,
                   dense_words=table_bits // (8 * lanes))


def test_boards_that_hold_a_design():
    """One kind after the other is more than what an ULX3S 25F, or an iCEBreaker, has."""
    up5k = ["icebreaker", "icebreaker_bitsy", "icesugar", "upduino_v3", "upduino_v3_osc",
            "fomu_pvt", "ice40_up5k_b_evn"]
    hx8k = ["ice40_hx8k_b_evn", "tinyfpga_bx"]
    every_ecp5 = ECP5_BOARDS.split(", ")
    needed = {"lut": 4000, "ff": 1000, "ebr": 6, "dsp": 3}

    def held(table_bits=10_000, tables=0, **changed):
        """Of a core on the ULX3S 25F, of whose block RAMs ``tables`` hold weights."""
        blocks = cells_of(ECP5, core=needed | changed, weights={"ebr": tables})
        return holders(BOARDS["ulx3s_25f"], blocks, dense(table_bits))

    assert held() == ([*up5k, *hx8k, *every_ecp5], [])
    assert held(ebr=7) == ([*hx8k, *every_ecp5], [])
    assert held(ebr=8) == (every_ecp5, [])
    assert held(ebr=6, tables=2) == (every_ecp5, up5k)
    assert held(ebr=6, tables=2, table_bits=32 << 15) == (every_ecp5, up5k)
    assert held(ebr=6, tables=2, table_bits=33 << 15) == (every_ecp5, [])
    assert held(dsp=8) == ([*up5k, *hx8k, *every_ecp5], [])
    assert held(dsp=9) == ([*hx8k, *every_ecp5], [])
    assert held(dsp=12) == (every_ecp5, [])
    assert held(lut=5281) == ([*hx8k, *every_ecp5], [])
    for more in ({"lut": 24_289}, {"ebr": 57}, {"dsp": 29}):
        assert held(**more) == (["ulx3s_85f", "ecpix5"], [])
    # Weights that lie in large RAMs here are in block RAM elsewhere.
    blocks = cells_of(ICE40, weights={"spram": 1}, core={"lc": 1000, "ebr": 10, "dsp": 2})
    for table_bits, names in ((20 << 12, [*up5k, *hx8k, *every_ecp5]),
                               (22 << 12, [*hx8k, *every_ecp5]), (23 << 12, every_ecp5)):
        assert holders(ICEBREAKER, blocks, dense(table_bits)) == (
            names, up5k if names[0] != "icebreaker" else [])


def test_large_rams_do_not_hold_weights_of_several_widths():
    blocks = cells_of(ICE40, weights={"ebr": 40}, core={"lc": 1000})
    alike = dense(1 << 17)
    assert holders(ICEBREAKER, blocks, alike)[1]
    assert not holders(ICEBREAKER, blocks, dataclasses.replace(alike, mixed=True))[1]


def test_large_rams_hold_dense_tables_only():
    """What counts is what the tables take there, whatever they take as they are."""
    blocks = cells_of(ICE40, weights={"ebr": 40}, core={"lc": 1000})
    bitmap = dataclasses.replace(dense(1 << 17), dense=False, dense_words=1 << 14)
    assert holders(ICEBREAKER, blocks, bitmap)[1]
    longer = dataclasses.replace(bitmap, dense_words=(1 << 15) + 1)
    assert not holders(ICEBREAKER, blocks, longer)[1]
    with refused("Design must fit the Lattice iCE40UP5K of icebreaker, not take 1,000 of 5,280 "
                 "logic cells (LC), 40 of 30 block RAMs (EBR): " + ", or ".join([
                     ADVICE.format(6), f"{LARGE[:-1]} --tables dense)", ROOM.format(
                         f"{ECP5_BOARDS}; with --weight-memory large --tables dense {UP5K}")])):
        check_area(ICEBREAKER, blocks, bitmap)


@pytest.mark.parametrize("tables", ["dense", "bitmap", "rows", "smallest"])
def test_weights_of_a_core(tables):
    plan = plan_of(deep_model(1), tables=tables)
    weights = weights_of(plan)
    assert weights.dense_words == len(plan_of(plan.model, weight_memory="large").loaded) == 45
    assert weights.dense == (tables == "dense")


def test_area_that_fits():
    check_area(ICEBREAKER, cells_of(ICE40, weights={"ebr": 30, "lc": 5000}, link={"lc": 280}),
               dense(1))


@pytest.mark.parametrize("blocks, lanes, taken, advice", [
    ({"weights": {"ebr": 32, "lc": 100}, "currents": {"ebr": 4}, "link": {"ebr": 4}}, 4,
     "100 of 5,280 logic cells (LC), 40 of 30 block RAMs (EBR)",
     [ADVICE.format(5), LARGE, ROOM.format(f"{ECP5_BOARDS}; with --weight-memory large {UP5K}")]),
    ({"weights": {"ebr": 28}, "currents": {"ebr": 4}}, 4, "32 of 30 block RAMs (EBR)",
     [ADVICE.format(7), LARGE, "take fewer lanes than 4 (--lanes)",
      ROOM.format(f"{HX8K}, {ECP5_BOARDS}; with --weight-memory large {UP5K}")]),
    ({"weights": {"ebr": 20}, "currents": {"ebr": 32}}, 32, "52 of 30 block RAMs (EBR)",
     ["take fewer lanes than 32 (--lanes)", ROOM.format(ECP5_BOARDS)]),
    ({"weights": {"ebr": 32}, "currents": {"ebr": 32}}, 32, "64 of 30 block RAMs (EBR)",
     [f"take one lane (--lanes 1) and {ADVICE.format(7)}", ROOM.format(ECP5_BOARDS)]),
    ({"weights": {"ebr": 200}}, 1, "200 of 30 block RAMs (EBR)", [ROOM.format(ECP5_BOARDS)]),
    ({"weights": {"ebr": 1200}}, 1, "1,200 of 30 block RAMs (EBR)",
     [("prune the network: by these counts no board of 'spikewright boards' has room for it")]),
    ({"core": {"lc": 5281}}, 1, "5,281 of 5,280 logic cells (LC)",
     [NARROW, ROOM.format(f"{HX8K}, {ECP5_BOARDS}")]),
    ({"rows": {"lc": 6000, "dsp": 9}}, 64,
     "6,000 of 5,280 logic cells (LC), 9 of 8 multipliers (DSP)",
     [NARROW, "take fewer lanes than 64 (--lanes)", ROOM.format(ECP5_BOARDS)]),
])
def test_area_that_does_not_fit(blocks, lanes, taken, advice):
    weights = dense(blocks.get("weights", {"ebr": 0})["ebr"] << 12, lanes)
    with refused(f"Design must fit the Lattice iCE40UP5K of icebreaker, not take {taken}: "
                 f"{', or '.join(advice)}"):
        check_area(ICEBREAKER, cells_of(ICE40, **blocks), weights)


@pytest.mark.parametrize("clock, fmax, text", [
    (30, 29.9, "at most 29.9 MHz, as placed with seed 3, not 30: take --freq 29.625, or another"),
    (24, 13.0, "at most 13.0 MHz, as placed with seed 3, not 24: take --freq 12, or another"),
    (12, 9.0, "at most 9.0 MHz, as placed with seed 3, not 12: take --freq 6, or another"),
    (1, 0.9, "at most 0.9 MHz, as placed with seed 3, not 1: take another"),
])
def test_timing_that_is_not_met(clock, fmax, text):
    check_timing(ICEBREAKER, round(clock * 1e6), clock * 1e6, 3)
    with refused(f"Clock must be {text} --seed or fewer --lanes"):
        check_timing(ICEBREAKER, round(clock * 1e6), fmax * 1e6, 3)
