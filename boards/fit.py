# SPDX-License-Identifier: Apache-2.0
"""Refusals: a design that is too large or too slow for a board, and what to change."""

from quantize.cli import InputError

from .netlist import RESOURCES
from .platforms import Board
from .pll import pll_outputs

__all__ = ["check_area", "check_timing"]

NAMES = {"lc": "logic cells (LC)", "ebr": "block RAMs (EBR)", "spram": "large RAMs (SPRAM)",
         "dsp": "multipliers (DSP)"}


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
    needed = {kind: sum(block[kind] for block in blocks.values()) for kind in RESOURCES}
    over = [kind for kind in RESOURCES if needed[kind] > board.resources[kind]]
    if not over:
        return
    told = ", ".join(f"{needed[kind]:,} of {board.resources[kind]:,} {NAMES[kind]}"
                     for kind in RESOURCES if needed[kind])
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
    # One lane has the least logic, and one block RAM for the currents.
    fewest = needed["ebr"] - max(blocks["currents"]["ebr"] - 1, 0)
    if lanes > 1 and ("ebr" not in over or fewest <= board.resources["ebr"]):
        advice.append(f"take fewer lanes than {lanes} (--lanes)")
    return ", ".join([*advice, "or take a larger board"])


def check_timing(board: Board, clock_hz: int, fmax_hz: float, seed: int) -> None:
    """Refuse a design that is slower than its clock.

    Raises
    ------
    InputError
        The message has both frequencies, and names what to change.
    """
    if fmax_hz >= clock_hz:
        return
    made = {board.crystal_hz, board.clock_hz, *(pll_outputs(board.crystal_hz) if board.pll else ())}
    slower = max((hz for hz in made if hz <= fmax_hz), default=None)
    advice = f"--freq {slower / 1e6:g}, or " if slower else ""
    raise InputError(f"Clock must be at most {fmax_hz / 1e6:.1f} MHz, as placed with seed {seed}, "
                     f"not {clock_hz / 1e6:g}: take {advice}another --seed or fewer --lanes")
