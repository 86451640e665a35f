# SPDX-License-Identifier: Apache-2.0
"""Refusals: a design that is too large or too slow for a board, and what to change."""

from hw.large_weights import MOST_BITS, MOST_WORDS
from quantize.cli import InputError

from .board import Board
from .platforms import BOARDS

__all__ = ["check_area", "check_timing", "holders"]

# Logic that stands for a multiplier on a chip without: as synthesis for an HX8K made of two.
MULTIPLIER_LOGIC = 310


def check_area(board: Board, blocks: dict[str, dict[str, int]], weight_bits: int,
               lanes: int) -> None:
    """Refuse a design that needs more than ``board`` has.

    Parameters
    ----------
    board : Board
    blocks : dict
        Cells of each kind in each block, see `boards.netlist`.
    weight_bits, lanes : int
        What the design was made with.

    Raises
    ------
    InputError
        The message has what is needed and what there is, and names what to change.
    """
    cells = board.family.cells
    needed = {kind: sum(block[kind] for block in blocks.values()) for kind in cells}
    over = [kind for kind in cells if needed[kind] > board.resources[kind]]
    if not over:
        return
    told = ", ".join(f"{needed[kind]:,} of {board.resources[kind]:,} {cell.title}"
                     for kind, cell in cells.items() if needed[kind])
    raise InputError(f"Design must fit the {board.device} of {board.name}, not take {told}: "
                     f"{_advice(board, blocks, over, needed, weight_bits, lanes)}")


def _advice(board, blocks, over, needed, weight_bits, lanes):
    advice = []
    weights = blocks["weights"]["ebr"]
    if "ebr" in over and weights:
        # Weight memory grows with the bits of a weight, and the rest stays as it is.
        room = board.resources["ebr"] - (needed["ebr"] - weights)
        bits = min(weight_bits - 1, weight_bits * room // weights)
        if bits >= 2:
            advice.append(f"its weights take {weights} EBR, so build the model with about {bits} "
                          f"bits a weight (python -m quantize build --weight-bits {bits})")
        else:
            advice.append(f"its weights take {weights} EBR, too many with any --weight-bits")
        words = weights * board.family.cells["ebr"].bits // (lanes * weight_bits)
        if (room >= 0 and board.resources.get("spram") and words <= MOST_WORDS
                and lanes * weight_bits <= MOST_BITS):
            advice.append("keep them in large RAMs (--weight-memory large)")
    # One lane has the least logic, and one block RAM for the currents.
    fewest = needed["ebr"] - max(blocks["currents"]["ebr"] - 1, 0)
    if lanes > 1 and ("ebr" not in over or fewest <= board.resources["ebr"]):
        advice.append(f"take fewer lanes than {lanes} (--lanes)")
    larger = holders(board, needed)
    last = (f"take a larger board: by these counts {', '.join(larger)} would do" if larger else
            "prune it: by these counts no board of 'python -m boards list' holds it")
    return ", ".join([*advice, f"or {last}" if advice else last])


def holders(board: Board, needed: dict[str, int]) -> list[str]:
    """Boards that have what a design for ``board`` needs, as far as its counts tell.

    Logic is compared one to one, whatever the family, and memory by its bits; where a chip has no
    multiplier, each counts as MULTIPLIER_LOGIC. A chip of another family packs both differently.
    """
    return [other.name for other in BOARDS.values() if _holds(other, board, needed)]


def _holds(other: Board, board: Board, needed: dict[str, int]) -> bool:
    has, family = other.resources, board.family
    logic = needed[family.logic]
    if not has["dsp"]:
        logic += MULTIPLIER_LOGIC * needed["dsp"]
    elif needed["dsp"] > has["dsp"]:
        return False
    if other.family is family:
        memory = all(needed[kind] <= has[kind] for kind, cell in family.cells.items() if cell.bits)
    else:
        bits = sum(needed[kind] * cell.bits for kind, cell in family.cells.items())
        memory = bits <= has["ebr"] * other.family.cells["ebr"].bits
    return memory and logic <= has[other.family.logic]


def check_timing(board: Board, clock_hz: int, fmax_hz: float, seed: int) -> None:
    """Refuse a design that is slower than its clock.

    Raises
    ------
    InputError
        The message has both frequencies, and names what to change.
    """
    if fmax_hz >= clock_hz:
        return
    slower = max((hz for hz in board.clocks() if hz <= fmax_hz), default=None)
    advice = f"--freq {slower / 1e6:g}, or " if slower else ""
    raise InputError(f"Clock must be at most {fmax_hz / 1e6:.1f} MHz, as placed with seed {seed}, "
                     f"not {clock_hz / 1e6:g}: take {advice}another --seed or fewer --lanes")
