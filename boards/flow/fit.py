# SPDX-License-Identifier: Apache-2.0
"""Refusals: a design that is too large or too slow for a board, and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from spikewright.base.errors import InputError
from spikewright.plan.layout import Layout
from spikewright.plan.plan import MOST_BITS, Plan, most_words

from ..board.board import NARROW, Board
from ..board.platforms import BOARDS

__all__ = ["Weights", "check_area", "check_timing", "holders", "refuse_area", "weights_of"]

# Logic of a multiplier on a chip without multipliers, measured on an HX8K.
MULTIPLIER_LOGIC = 310

ONLY_MEMORY = " (only memory was counted, no logic and no multipliers)"

Blocks = dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The weight tables of a design in a few numbers: plain data that can go to other machines.

    Parameters
    ----------
    bits : int
        Bits of a weight.
    lanes : int
        Weights side by side in a word.
    table_bits : int
        Bits of all tables.
    dense_words : int
        Words of the tables in the dense format, the only one for large RAMs.
    dense : bool
        Whether the tables are dense.
    mixed : bool
        Whether projections have different bits; large RAMs cannot hold such tables.
    """

    bits: int
    lanes: int
    table_bits: int
    dense_words: int
    dense: bool = True
    mixed: bool = False


def weights_of(plan: Plan) -> Weights:
    """The weight tables of a design."""
    dense = Layout(model=plan.model, lanes=plan.config.lanes)
    return Weights(bits=plan.model.widths.weight, lanes=plan.config.lanes,
                   table_bits=plan.layout.table_bits,
                   dense_words=sum(table.words for table in dense.tables),
                   dense=plan.config.tables == "dense", mixed=len(plan.model.weight_bits) > 1)


def check_area(board: Board, blocks: Blocks, weights: Weights) -> None:
    """Refuse a design that needs more than ``board`` has.

    Parameters
    ----------
    board : Board
    blocks : dict
        Cells of each kind in each block, see `boards.flow.netlist`.
    weights : Weights
        Weight tables of the design.

    Raises
    ------
    InputError
        The message says what the design needs, what the chip has, and what to change.
    """
    cells = board.family.cells
    needed = _sums(board, blocks)
    over = [kind for kind in cells if needed[kind] > board.resources[kind]]
    if over:
        refuse_area(board, blocks, over, weights)


def refuse_area(board: Board, blocks: Blocks, over: list[str], weights: Weights,
                held: tuple[list[str], list[str]] | None = None, packed: Sequence[str] = (),
                only_memory: bool = False) -> NoReturn:
    """Raise the InputError of a design that needs more cells of the kinds ``over``.

    ``held`` has the names of boards with room for the design. By default they are estimated, see
    `holders`. ``packed`` has those with room for it if its tables are bitmaps. With ``only_memory``
    the message says that no logic was counted.
    """
    needed, cells = _sums(board, blocks), board.family.cells
    told = ", ".join(f"{needed[kind]:,} of {board.resources[kind]:,} {cell.title}"
                     for kind, cell in cells.items() if needed[kind])
    raise InputError(f"Design must fit the {board.device} of {board.name}, not take {told}: "
                     f"{_advice(board, blocks, over, weights, held, packed)}"
                     f"{ONLY_MEMORY if only_memory else ''}")


def _sums(board: Board, blocks: Blocks) -> dict[str, int]:
    return {kind: sum(block[kind] for block in blocks.values()) for kind in board.family.cells}


def _advice(board: Board, blocks: Blocks, over: list[str], weights: Weights,
            held: tuple[list[str], list[str]] | None, packed: Sequence[str]) -> str:
    block, large = held or holders(board, blocks, weights)
    spared = max(blocks["currents"]["ebr"] - 1, 0) if weights.lanes > 1 else 0
    fewest = _sums(board, blocks)["ebr"] - spared
    fewer_lanes = weights.lanes > 1 and ("ebr" not in over or fewest <= board.resources["ebr"])
    options = "--weight-memory large" + ("" if weights.dense else " --tables dense")
    advice = []
    if "ebr" in over:
        # Only the weight memory grows with the bits of a weight. With one lane, the currents take
        # one block RAM instead of one per lane.
        for lanes, saved in (("", 0), ("take one lane (--lanes 1) and ", spared)):
            bits = _bits_that_fit(board, blocks, weights, saved)
            if bits >= 2 and not (saved and fewer_lanes):
                advice.append(f"{lanes}build the model with about {bits} bits a weight "
                              f"(spikewright quantize --weight-bits {bits}, or make BITS={bits})")
                break
    if board.name in large:
        advice.append(f"keep the weights in large RAMs ({options})")
    if board.family.logic in over:
        advice.append(f"narrow its states (spikewright quantize {' '.join(NARROW)})")
    if fewer_lanes:
        advice.append(f"take fewer lanes than {weights.lanes} (--lanes)")
    boards = [", ".join(block)] if block else []
    others = [name for name in large if name != board.name]
    if others:
        boards.append(f"with {options} {', '.join(others)}")
    if packed and not boards:
        boards.append(f"with --tables bitmap {', '.join(packed)}")
    if boards:
        advice.append(f"take a board that by these counts has room for it: {'; '.join(boards)}")
    elif not advice:
        return ("prune the network: by these counts no board of 'spikewright boards' has room "
                "for it")
    return ", or ".join(advice)


def _bits_that_fit(board: Board, blocks: Blocks, weights: Weights, saved: int) -> int:
    """Bits of a weight that fit into the block RAMs if ``saved`` of them become free."""
    taken = blocks["weights"]["ebr"]
    room = board.resources["ebr"] - (_sums(board, blocks)["ebr"] - taken - saved)
    return min(weights.bits - 1, weights.bits * room // taken) if taken else 0


def holders(board: Board, blocks: Blocks, weights: Weights) -> tuple[list[str], list[str]]:
    """Other boards that should hold a design for ``board``, estimated from its counts.

    The second list has boards that hold it with the weights in their large RAMs. Logic cells are
    compared one to one and memory by its bits, even between families, although another family may
    pack both differently. On a chip without multipliers each takes MULTIPLIER_LOGIC.
    """
    needed = _sums(board, blocks)
    roomy = [other for other in BOARDS.values() if _has_logic(other, board, needed)]
    bits = weights.lanes * weights.bits
    loads = (not weights.mixed and bits <= MOST_BITS
             and weights.dense_words <= most_words(bits))
    block, large = [], []
    for other in roomy:
        # The contents of one RAM may need several RAMs of another family.
        ratio = board.family.cells["ebr"].bits / other.family.cells["ebr"].bits
        ratio = 1 if other.family is board.family else ratio
        rest = (needed["ebr"] - blocks["weights"]["ebr"]) * ratio
        tables = blocks["weights"]["ebr"] * ratio
        if blocks["weights"].get("spram"):
            tables = weights.table_bits / other.family.cells["ebr"].bits
        if rest + tables <= other.resources["ebr"]:
            block.append(other.name)
        elif loads and other.resources.get("spram") and rest <= other.resources["ebr"]:
            large.append(other.name)
    return block, large


def _has_logic(other: Board, board: Board, needed: dict[str, int]) -> bool:
    logic = needed[board.family.logic]
    if not other.resources["dsp"]:
        logic += MULTIPLIER_LOGIC * needed["dsp"]
    elif needed["dsp"] > other.resources["dsp"]:
        return False
    return logic <= other.resources[other.family.logic]


def check_timing(board: Board, clock_hz: int, fmax_hz: float, seed: int) -> None:
    """Refuse a design that is slower than its clock.

    Raises
    ------
    InputError
        The message has both frequencies, and says what to change.
    """
    if fmax_hz >= clock_hz:
        return
    slower = max((hz for hz in board.clocks() if hz <= fmax_hz), default=None)
    advice = f"--freq {slower / 1e6:g}, or " if slower else ""
    raise InputError(f"Clock must be at most {fmax_hz / 1e6:.1f} MHz, as placed with seed {seed}, "
                     f"not {clock_hz / 1e6:g}: take {advice}another --seed or fewer --lanes")
