# SPDX-License-Identifier: Apache-2.0
"""The chips of the boards: their cells, and the options of the tools for them."""

from collections.abc import Mapping
from dataclasses import dataclass

from spikewright.report.power import Currents

from .family import ECP5, ICE40, Family

__all__ = ["HX1K", "HX8K", "LFE5U_25F", "LFE5U_85F", "LFE5UM5G_85F", "LP8K", "UP5K", "Device"]


@dataclass(frozen=True, kw_only=True)
class Device:
    """A chip.

    Parameters
    ----------
    name : str
        Name in texts.
    family : Family
    resources : dict of str to int
        Number of cells of each kind of the family.
    yosys : tuple of str
        Options of the synthesis.
    nextpnr : tuple of str
        Options of place and route, without the package.
    currents : Currents, optional
        None if none are published.
    """

    name: str
    family: Family
    resources: Mapping[str, int]
    yosys: tuple[str, ...] = ()
    nextpnr: tuple[str, ...]
    currents: Currents | None = None


def _ice40(name: str, nextpnr: str, lc: int, ebr: int) -> Device:
    # ABC9 knows the delays of the device: the design is a third faster with the same area.
    # Without -dsp, Yosys makes multipliers of LUTs; with it, a chip without any would fail.
    return Device(name=f"Lattice iCE40{name}", family=ICE40, nextpnr=(nextpnr,),
                  yosys=("-abc9", "-device", name[:2].lower()),
                  resources={"lc": lc, "ebr": ebr, "spram": 0, "dsp": 0})


def _ecp5(name: str, nextpnr: str, lut: int, ebr: int, dsp: int) -> Device:
    return Device(name=f"Lattice {name}", family=ECP5, nextpnr=(nextpnr,),
                  resources={"lut": lut, "ff": lut, "ebr": ebr, "dsp": dsp})


# In uA, of the core at 1.219 V and the PLL. Measured there: 92.1 and 4.4 with a halted clock; at 12
# MHz 613.5 with 32 cells of counters and 641.3 with 228; from the oscillator in the chip at 12 MHz
# 645 with 28 cells of a counter, 996 with 180 more that multiply; with a PLL 1419 and 138.6 at 16
# MHz, 2029 and 138.9 at 32, 2573 and 103.6 at 48.
_PER_MHZ = (613.5 - 92.1) / 12
UP5K_CURRENTS = Currents(
    source="https://github.com/tinyvision-ai-inc/ice40_power: an iCE40UP5K on a breakout board",
    volts=1.219, halted=92.1 + 4.4, clock=_PER_MHZ, flip_flop=(641.3 - 613.5) / 12 / (228 - 32),
    work=(996 - 645) / 12 / 180, oscillator=645 - 613.5,
    pll={mhz: core + rail - 92.1 - 4.4 - mhz * _PER_MHZ for mhz, core, rail in (
        (16, 1419, 138.6), (32, 2029, 138.9), (48, 2573, 103.6))})

UP5K = Device(
    name="Lattice iCE40UP5K", family=ICE40, nextpnr=("--up5k",),
    yosys=("-dsp", "-spram", "-abc9", "-device", "u"), currents=UP5K_CURRENTS,
    resources={"lc": 5280, "ebr": 30, "spram": 4, "dsp": 8})
HX1K = _ice40("HX1K", "--hx1k", lc=1280, ebr=16)
HX8K = _ice40("HX8K", "--hx8k", lc=7680, ebr=32)
LP8K = _ice40("LP8K", "--lp8k", lc=7680, ebr=32)
LFE5U_25F = _ecp5("LFE5U-25F", "--25k", lut=24_288, ebr=56, dsp=28)
LFE5U_85F = _ecp5("LFE5U-85F", "--85k", lut=83_640, ebr=208, dsp=156)
LFE5UM5G_85F = _ecp5("LFE5UM5G-85F", "--um5g-85k", lut=83_640, ebr=208, dsp=156)
