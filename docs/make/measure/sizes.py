# SPDX-License-Identifier: Apache-2.0
"""How long the quantizer takes: random networks of several sizes, each in a process of its own.

``python -m docs.make.measure.sizes [NEURONS..]`` prints the table of docs/quantization.md.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tqdm import tqdm

from spikewright.command.parser import CommandParser, run_command
from spikewright.report.markdown import markdown

__all__ = ["measure"]

CHANNELS, NEURONS, GAIN = 96, (64, 256, 512, 1024), 4.0


def random_checkpoint(path: Path, neurons: int) -> None:
    """Write a tinyRSNN of 96 channels without a weight that is zero, the worst case."""
    rng = np.random.default_rng(neurons)
    weights = {"con1": (neurons, CHANNELS), "con2": (neurons, neurons), "con3": (2, neurons)}
    params = {"group2.mem_param": neurons, "group2.syn_param": neurons,
              "group3.mem_param_readout": 2, "group3.syn_param_readout": 2}
    save_file({f"{name}.op.weight": GAIN / shape[1] ** 0.5
               * rng.normal(size=shape).astype(np.float32) for name, shape in weights.items()}
              | {name: rng.uniform(0, 2, size).astype(np.float32)
                 for name, size in params.items()}, path)


def measure(neurons: int) -> dict[str, float]:
    """Seconds, processor seconds and largest memory, in MB, of ``spikewright quantize``."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "random.safetensors"
        random_checkpoint(checkpoint, neurons)
        program = ("import json, resource, sys; "
                   "from spikewright.command.commands import run_words; "
                   "run_words(sys.argv[1:]); "
                   "used = resource.getrusage(resource.RUSAGE_SELF); "
                   "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))")
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", program, "quantize", str(checkpoint), "-o",
                               str(Path(folder) / "model")], check=True, stdout=subprocess.PIPE,
                              text=True)
        seconds = time.perf_counter() - began
    processor, kilobytes = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": seconds, "processor": processor, "megabytes": kilobytes / 1024}


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m docs.make.measure.sizes", description=__doc__)
    parser.add_argument("neurons", nargs="*", type=int, default=NEURONS, metavar="NEURONS",
                        help="hidden neurons (default: 64 256 512 1024)")
    return parser


def _main() -> None:
    """Measure each size and print the table."""
    rows: list[tuple[str, ...]] = [
        ("network", "weights", "time", "processor time", "memory")]
    for neurons in tqdm(_parser().parse_args().neurons, unit="network", disable=None):
        used = measure(neurons)
        rows.append((f"{CHANNELS}-{neurons}-2", f"{neurons * (CHANNELS + neurons + 2):,}",
                     f"{used['seconds']:.0f} s", f"{used['processor']:.0f} s",
                     f"{used['megabytes']:.0f} MB"))
    print(f"On {os.cpu_count()} processors:\n\n{markdown(rows)}")


if __name__ == "__main__":
    run_command(_main)
