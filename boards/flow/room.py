# SPDX-License-Identifier: Apache-2.0
"""Block RAMs of a design before its synthesis: refuse what cannot fit, and find what can.

Synthesis of a design that is too large takes minutes, and the weight tables say it at once.
"""

from dataclasses import replace
from typing import Any

from spikewright.base.errors import InputError
from spikewright.hw.memories.weights import DEPTHS, LARGE, bank_depths
from spikewright.model.model import IntegerModel
from spikewright.plan.config import CoreConfig, chosen
from spikewright.plan.plan import Plan, suited

from ..board.board import Board
from ..board.family import ICE40
from ..board.platforms import BOARDS
from .fit import refuse_area, weights_of

__all__ = ["block_rams", "check_room", "fitting_config", "staged"]

# Yosys makes shallower memories from logic where that is smaller.
SHALLOW = 256
LINK, SPIKES = 1, 1

# The packed formats have several memories, each of which may begin another block RAM.
SPARE = 1

# What takes the place of choices of the preset where its tables do not fit, in this order: packed
# tables are in the bitstream; large RAMs are filled by the host; one lane is slow.
CANDIDATES: tuple[dict, ...] = (
    {"tables": "smallest"},
    {"tables": "bitmap", "lanes": 2},
    {"weight_memory": "large"},
    {"weight_memory": "large", "lanes": 8},
    {"lanes": 1},
    {"lanes": 1, "tables": "rows"},
    {"lanes": 1, "tables": "bitmap"},
)


def block_rams(plan: Plan, board: Board) -> dict[str, int]:
    """Block RAMs that each block of a design takes at least, by the name of the block."""
    family, layout, config = board.family, plan.layout, plan.config
    bits, widths = family.cells["ebr"].bits, plan.model.widths
    # Synthesis makes small banks of logic, but on an iCE40 only if no host writes them.
    written = config.load == "model" and family is ICE40
    weights = 0
    for weight_bits, name in () if plan.large else layout.memories:
        images = layout.images[weight_bits]
        if name == "dense" or written:
            weights += sum(_bank(max(depth, SHALLOW), width, bits)
                           for words, width in images.memories(name).values()
                           for depth in bank_depths(len(words)) if written or depth >= SHALLOW)
        else:
            weights += images.bits // bits
    # Two words of up to 32 bits for each neuron, or for each word in every lane and its number.
    shared = _bank(max(SHALLOW, 1 << (2 * layout.neurons - 1).bit_length()), 32, bits)
    neurons = 2 * config.lanes + 1 if config.neurons == "lanes" else shared
    # An ECP5 has small RAMs made of logic, too.
    currents = (config.lanes * -(-layout.words * widths.current // bits) if family is ICE40 else 0)
    staging = 0
    if config.staging == "block":
        staging = min(-(-len(plan.loaded) // depth) * -(-8 * plan.word_bytes // (bits // depth))
                      for depth in (DEPTHS if family is ICE40 else LARGE))
    return {"weights": weights, "neurons": neurons, "currents": currents,
            "spikes": SPIKES, "link": LINK, "core": staging}


def check_room(board: Board, plan: Plan) -> None:
    """Refuse a design whose memories cannot fit ``board``.

    Raises
    ------
    InputError
        The message says what the design needs, what the chip has, and what to change.
    """
    taken = block_rams(plan, board)
    total, most = sum(taken.values()), board.resources["ebr"]
    if total - taken["core"] <= most < total:
        other = "large" if board.resources.get("spram") else "none"
        raise InputError(f"Core staging must be {other} on {board.name}, not block: the design "
                         f"would need at least {total} of its {most} block RAMs")
    if total > most:
        none = dict.fromkeys(board.family.cells, 0)
        blocks = {name: none | {"ebr": count} for name, count in taken.items()}
        held = _holding(plan)
        large = _holding(plan, weight_memory="large", tables="dense")
        refuse_area(board, blocks, ["ebr"], weights_of(plan),
                    held=(held, [name for name in large if name not in held]),
                    packed=_holding(plan, weight_memory="block", tables="bitmap"),
                    only_memory=True)


def _holding(plan: Plan, **choices: Any) -> list[str]:
    """Names of the boards whose memories hold ``plan`` with other choices."""
    try:
        other = Plan(model=plan.model, config=replace(plan.config, **choices))
    except ValueError:      # choices that do not go together
        return []
    spare = 0 if other.config.tables == "dense" else SPARE
    return [name for name, board in BOARDS.items()
            if sum(block_rams(other, board).values()) + spare <= board.resources["ebr"]
            and sum(other.large_rams.values()) <= board.resources.get("spram", 0)]


def fitting_config(board: Board, model: IntegerModel, preset: str,
                   given: dict) -> tuple[CoreConfig, str]:
    """The configuration ``preset`` with the choices ``given``, changed so that its memories fit.

    Only what a user has not given is changed, and only where the memories do not fit otherwise.

    Returns
    -------
    config : CoreConfig
    told : str
        What was changed, and why; empty where nothing was.

    Raises
    ------
    InputError
        If the choices do not go together.
    """
    config, told = _fitting(board, model, preset, given)
    if config.load != "model" or "staging" in given:
        return config, told
    config, waits = staged(board, model, config)
    return config, f"{told}; {waits}" if told else waits


def staged(board: Board, model: IntegerModel, config: CoreConfig) -> tuple[CoreConfig, str]:
    """``config`` with the first memory in which a model that is loaded can wait, and a note."""
    for kind, ram in (("large", "spram"), ("block", "ebr")):
        if not board.resources.get(ram):
            continue
        waiting = replace(config, staging=kind)
        taken = _taken(board, model, waiting)
        if taken is not None and taken <= board.resources["ebr"]:
            plan = Plan(model=model, config=waiting)
            count = plan.large_rams["staging"] or block_rams(plan, board)["core"]
            return waiting, (f"a model that is loaded waits in {count} of the "
                             f"{board.resources[ram]} {kind} RAMs of {board.name} until it is "
                             "whole, and the old one answers meanwhile")
    return config, (f"{board.name} has no room for a second model: a load replaces the old one "
                    "word by word, and the board executes no step before the last word")


def _fitting(board: Board, model: IntegerModel, preset: str,
             given: dict) -> tuple[CoreConfig, str]:
    config = chosen(preset, given, {"staging": "none", **board.instead, **suited(model)})
    first = _taken(board, model, config)
    if first is None or first <= board.resources["ebr"]:
        return config, ""
    # Large RAMs hold dense tables only, so a preset that takes them gives them up for packed ones.
    base = {} if "weight_memory" in given else {"weight_memory": "block"}
    for candidate in CANDIDATES:
        if candidate.keys() & given.keys():
            continue
        if candidate.get("weight_memory") == "large" and not board.resources.get("spram"):
            continue
        try:
            other = replace(config, **(choices := base | candidate))
        except ValueError:
            continue
        taken = _taken(board, model, other)
        spare = 0 if other.tables == "dense" else SPARE
        if taken is not None and taken + spare <= board.resources["ebr"]:
            changed = " ".join(f"--{name.replace('_', '-')} {value}"
                               for name, value in choices.items()
                               if getattr(config, name) != value)
            return other, (f"with the preset {preset} the design needs at least {first} of the "
                           f"{board.resources['ebr']} block RAMs of {board.name}, so it is built "
                           f"with {changed}")
    return config, ""


def _taken(board: Board, model: IntegerModel, config: CoreConfig) -> int | None:
    """Block RAMs of ``model`` with ``config``, or None where a core cannot have this form."""
    try:
        return sum(block_rams(Plan(model=model, config=config), board).values())
    except InputError:
        return None


def _bank(depth: int, width: int, bits: int) -> int:
    """Block RAMs of a memory with ``depth`` words of ``width`` bits, at least."""
    return -(-width // (bits // depth)) if depth <= bits else -(-depth * width // bits)
