# SPDX-License-Identifier: Apache-2.0
"""What fits is known before synthesis: by the kept builds, and for networks that are larger."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow import room
from spikewright.boards.flow.room import block_rams, check_room, fitting_config
from spikewright.model.integers import Widths
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from tests.designs import ROOT, plan_of
from tests.networks import make_network, nearest_model, refused
from tests.units import graded_model, mixed_model

ICEBREAKER, ICESTICK = BOARDS["icebreaker"], BOARDS["icestick"]
KEPT = sorted((ROOT / "docs" / "reports").glob("*.json"))


def model_of(channels=96, hidden=64, bits=8):
    """A model of the published form without a weight that is zero."""
    network = make_network(1, {"hidden": hidden, "out": 2},
                           [("hidden", "hidden", 3), ("input", "hidden", 0), ("hidden", "out", 0)],
                           channels=channels)
    for projection in network.projections:
        projection.weights[projection.weights == 0] = 0.5
    return nearest_model(network, Widths(weight=bits), "full")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_estimate_of_the_kept_builds(path):
    """Never above what synthesis found, and at most one block RAM below it."""
    if not path.stem.startswith(("default", "indy", "loco")):
        pytest.skip("the network has another form")
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    channels = 192 if path.stem.startswith("loco") else 96
    bits = 4 if "4bit" in path.stem else 8
    config = CoreConfig(**report["config"])
    if config.tables != "dense":
        pytest.skip("the packed tables of a full network are larger than those of this one")
    taken = block_rams(Plan(model=model_of(channels, bits=bits), config=config),
                       BOARDS[report["board"]["name"]])
    found = {name: cells["ebr"] for name, cells in report["blocks"].items() if cells["ebr"]}
    assert sum(found.values()) - 1 <= sum(taken.values()) <= sum(found.values()), (taken, found)


@pytest.mark.parametrize("board, hidden, choices, found", [
    ("icebreaker", 64, {}, 30), ("icebreaker", 64, {"lanes": 1}, 26),
    ("icebreaker", 24, {"lanes": 2, "staging": "block"}, 24),
    ("icebreaker", 64, {"weight_memory": "large", "staging": "large"}, 8),
    ("icebreaker", 40, {"tables": "bitmap"}, 24),
    ("ice40_hx8k_b_evn", 64, {"multiplier": "serial"}, 30)])
def test_estimate_where_a_model_can_be_loaded(board, hidden, choices, found):
    """As Yosys found: an iCE40 has no other RAM for the rest of a table that a host writes."""
    plan = plan_of(model_of(hidden=hidden), **{"load": "model"} | choices)
    assert sum(block_rams(plan, BOARDS[board]).values()) == found


def test_what_fits_stays_as_it_is():
    assert fitting_config(ICEBREAKER, model_of(), "balanced", {}) == (CoreConfig(), "")
    assert fitting_config(ICEBREAKER, model_of(), "small", {"tables": "rows"}) == (
        CoreConfig(lanes=1, tables="rows"), "")


def test_large_network_goes_into_large_memory():
    config, told = fitting_config(ICEBREAKER, model_of(hidden=256), "balanced", {})
    assert config == CoreConfig(weight_memory="large")
    assert told == ("with the preset balanced the design needs at least 192 of the 30 block RAMs "
                    "of icebreaker, so it is built with --weight-memory large")


def test_every_change_is_told(monkeypatch):
    """A preset with large memory gets block RAM if it takes packed tables."""
    monkeypatch.setattr(room, "_taken", lambda board, model, config: 99 if config.weight_memory ==
                        "large" else 9)
    config, told = fitting_config(ICEBREAKER, model_of(), "fast", {})
    assert config == CoreConfig(lanes=8, neurons="lanes", tables="smallest")
    assert told == ("with the preset fast the design needs at least 99 of the 30 block RAMs of "
                    "icebreaker, so it is built with --weight-memory block --tables smallest")


def test_what_a_user_gives_is_not_changed():
    config, told = fitting_config(ICEBREAKER, model_of(hidden=256), "balanced", {"lanes": 1})
    assert (config, told) == (CoreConfig(lanes=1), "")
    config, told = fitting_config(ICEBREAKER, model_of(hidden=256), "balanced",
                                  {"weight_memory": "block"})
    assert (config, told) == (CoreConfig(), "")


def test_small_chip_gets_one_lane():
    config, told = fitting_config(ICESTICK, model_of(bits=4), "balanced", {})
    assert (config, told) == (CoreConfig(lanes=1, multiplier="serial"), "")
    check_room(ICESTICK, Plan(model=model_of(bits=4), config=config))


@pytest.mark.parametrize("board, preset, model, config", [
    ("icebreaker", "fast", graded_model(2), {"lanes": 8, "weight_memory": "large"}),
    ("ice40_hx8k_b_evn", "fast", graded_model(2), {"lanes": 8, "multiplier": "serial"}),
    ("icestick", "balanced", graded_model(2), {"lanes": 1, "multiplier": "serial"}),
    ("ice40_hx8k_b_evn", "balanced", mixed_model(1), {})])
def test_presets_suit_graded_models(board, preset, model, config):
    """A user is never told of an option that the preset or the board has chosen."""
    found, told = fitting_config(BOARDS[board], model, preset, {})
    assert (found, told) == (CoreConfig(**config), "")
    check_room(BOARDS[board], Plan(model=model, config=found))
    with refused("Core neurons must be shared for a model with graded values, not lanes"):
        Plan(model=model, config=fitting_config(ICEBREAKER, model, preset, {"neurons": "lanes"})[0])


def test_what_cannot_fit_is_refused_before_synthesis():
    with pytest.raises(ValueError, match=r"^Design must fit the Lattice iCE40HX1K of icestick, not "
                       r"take 2\d of 16 block RAMs \(EBR\): build the model with about 4 bits a "
                       r"weight \(spikewright quantize --weight-bits 4, or make BITS=4\), or "):
        check_room(ICESTICK, plan_of(model_of(), lanes=1, multiplier="serial"))


@pytest.mark.parametrize("board, channels, hidden, preset", [
    ("ice40_hx8k_b_evn", 96, 128, "fast"), ("ice40_hx8k_b_evn", 192, 256, "balanced"),
    ("icestick", 96, 64, "balanced")])
def test_what_a_refusal_recommends_fits(board, channels, hidden, preset):
    """Fewer bits, and each board that it names."""
    def fits(name, bits, **given):
        model = model_of(channels, hidden, bits)
        config, _ = fitting_config(BOARDS[name], model, preset, given)
        check_room(BOARDS[name], Plan(model=model, config=config))

    with pytest.raises(ValueError, match="^Design must fit ") as caught:
        fits(board, 8)
    text = str(caught.value)
    bits = re.search(r"--weight-bits (\d+)", text)
    if bits:
        fits(board, int(bits[1]), **({"lanes": 1} if "take one lane" in text else {}))
    _, _, named = text.partition("has room for it: ")
    block, _, large = named.partition("with --weight-memory large ")
    for names, given in ((block, {}), (large, {"weight_memory": "large", "tables": "dense"})):
        found = [name for name in re.findall(r"\w+", names) if name in BOARDS]
        for name in found:
            fits(name, 8, **given)
    assert bits or found or block


def test_refusal_names_the_boards_that_hold_bitmaps():
    """If dense tables fit no board, but bitmaps do."""
    model = nearest_model(_sparse(make_network(
        1, {"hidden": 900, "out": 2}, [("hidden", "hidden", 3), ("input", "hidden", 0),
                                       ("hidden", "out", 0)], channels=96)),
        Widths(weight=4), "sparse")
    with refused("Design must fit the Lattice LFE5U-25F of ulx3s_25f, not take 226 of 56 block "
                 "RAMs (EBR): take a board that by these counts has room for it: with --tables "
                 "bitmap ulx3s_85f, ecpix5 (only memory was counted, no logic and no multipliers)"):
        check_room(BOARDS["ulx3s_25f"], Plan(model=model, config=CoreConfig()))


def _sparse(network):
    """``network`` with two thirds of its weights set to 0."""
    for projection in network.projections:
        projection.weights[:, :] *= np.random.default_rng(1).random(projection.weights.shape) < 1/3
    return network


WAITS = ("a model that is loaded waits in {} RAMs of {} until it is whole, and the old one answers "
         "meanwhile")
NO_ROOM = ("{} has no room for a second model: a load replaces the old one word by word, and the "
           "board executes no step before the last word")


@pytest.mark.parametrize("board, given, staging, told", [
    ("icebreaker", {}, "large", WAITS.format("2 of the 4 large", "icebreaker")),
    ("icebreaker", {"weight_memory": "large"}, "large",
     WAITS.format("2 of the 4 large", "icebreaker")),
    ("ulx3s_25f", {}, "block", WAITS.format("6 of the 56 block", "ulx3s_25f")),
    ("ice40_hx8k_b_evn", {}, "none", NO_ROOM.format("ice40_hx8k_b_evn")),
    ("ulx3s_25f", {"staging": "none"}, "none", ""),
])
def test_model_that_is_loaded_waits_where_there_is_room(board, given, staging, told):
    config, note = fitting_config(BOARDS[board], model_of(), "balanced", {"load": "model", **given})
    assert (config.staging, note) == (staging, told)


def test_both_changes_are_told():
    """Weights of 8 lanes take all large RAMs."""
    _, told = fitting_config(ICEBREAKER, model_of(hidden=256), "balanced",
                             {"load": "model", "lanes": 8})
    assert told == ("with the preset balanced the design needs at least 198 of the 30 block RAMs "
                    "of icebreaker, so it is built with --weight-memory large; "
                    + NO_ROOM.format("icebreaker"))


def test_staging_in_block_ram_that_cannot_fit_is_refused():
    plan = plan_of(model_of(), load="model", staging="block")
    with refused("Core staging must be large on icebreaker, not block: the design would need at "
                 "least 54 of its 30 block RAMs"):
        check_room(ICEBREAKER, plan)


def test_large_rams_hold_weights_and_a_model_that_is_loaded():
    with refused("Large RAMs must be at most 4, not 4 for weights and 4 for a model that is "
                 "loaded: take --staging block or none"):
        plan_of(model_of(), 8, weight_memory="large", load="model", staging="large")
