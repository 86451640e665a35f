# SPDX-License-Identifier: Apache-2.0
"""One Verilog file of a design, for simulators and for the tools of others."""

import re
import shutil
import tempfile
from pathlib import Path

from quantize.cli import written_file

from .tools import run_tool

__all__ = ["write_verilog"]

# Simulators that are given no time unit refuse a clock of some nanoseconds.
TIMESCALE = "`timescale 1ns/1ps\n"

# Yosys wakes every combinational block at time 0 through a variable with an initial value. That is
# an event in Verilog, but none in SystemVerilog, as which many simulators read the file.
WAKE = re.compile(r"reg (\\\$auto\$verilog_backend\S+ ) = 0;")


def write_verilog(path: Path, text: str) -> None:
    """Write RTLIL ``text``, as `hw.rtlil.convert` gives it, as one Verilog file.

    The top module is ``top``; ports are called as in Amaranth, ``__`` between the parts of a name;
    memories have their contents as initial values.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Stays where Yosys fails, whose message names its log there.
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{path.stem}-"))
    (folder / "top.il").write_text(text)
    # As amaranth.back.verilog does, which looks for another Yosys.
    run_tool("yosys", "-q", "-p", "read_rtlil top.il; proc -nomux -norom; memory_collect; "
             "write_verilog -norename -noattr top.v", folder=folder, title="RTL to Verilog")
    verilog = (folder / "top.v").read_text()
    shutil.rmtree(folder)
    with written_file(path) as temporary:
        temporary.write_text(TIMESCALE + WAKE.sub(r"reg \1;\n  initial \1 = 0;", verilog))
