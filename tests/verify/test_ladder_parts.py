# SPDX-License-Identifier: Apache-2.0
"""Parts of the ladder: where gates differ from golden, means, and who may know of it."""

import dataclasses
import subprocess
import sys

from spikewright.golden.run import run_golden
from spikewright.host.codec import StepAnswer
from spikewright.plan.config import CoreConfig
from spikewright.verify.gates.top import gate_differences
from spikewright.verify.ladder.run import mean_rows
from tests.networks import deep_model, random_recording


def test_gates_that_differ_are_told():
    golden = run_golden(deep_model(6), random_recording(5, 6, 3), CoreConfig())
    steps = [StepAnswer(seq=t, saturated=False, dropped=False, step=t, cycles=cycles,
                        outputs=tuple(golden.velocity_int[t].tolist()))
             for t, cycles in enumerate(golden.cycles.tolist())]
    assert gate_differences(golden, steps) == []
    assert gate_differences(golden, steps[:2]) == ["steps must be 3, as golden has, not 2"]
    steps[1] = dataclasses.replace(steps[1], cycles=1)
    assert gate_differences(golden, steps) == [
        f"cycles in step 1 must be {golden.cycles[1]}, as golden has, not 1 (1 of 3 steps differ)"]


def test_mean_rows():
    def row(**more):
        return {"rung": "int8", "bits": 8, "widths": {}, "gates": None, "r2": 1.0, **more}
    [mean] = mean_rows([[row(xy=[0.5, None], rtl={"equal": True, "steps": 3})],
                        [row(r2=None, xy=[1.0, 4.0], rtl={"equal": False, "steps": 4})],
                        [row(r2=4.0, rtl=None)]])
    assert mean == {"rung": "int8", "bits": 8, "networks": 3, "gates": None, "r2": 2.5,
                    "xy": [0.75, 4.0], "rtl": {"equal": False, "steps": 7}}


def test_quantize_knows_of_the_ladder_only_when_asked():
    code = ("import sys, spikewright.api; "
            "sys.exit(any('ladder' in name for name in sys.modules))")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
