# SPDX-License-Identifier: Apache-2.0
"""The programs that make the docs explain themselves."""

import subprocess
import sys

import pytest

from docs.make.kept import ROOT


@pytest.mark.parametrize("name", [
    "decoders", "kept", "spread", "tables", "measure.graphs", "measure.lanes", "measure.sessions",
    "measure.sizes", "measure.widths", "pictures.blocks", "pictures.live", "pictures.waveform"])
def test_help(name):
    done = subprocess.run([sys.executable, "-m", f"docs.make.{name}", "--help"], cwd=ROOT,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python -m docs.make.{name} [-h]")
