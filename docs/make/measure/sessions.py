# SPDX-License-Identifier: Apache-2.0
"""Measure live sessions: ten minutes over LSL, and an hour as fast as the decoder answers.

``loop`` sends the spikes of a recording over LSL, one sample for each spike at its own time, to
``spikewright live``, whose velocities come back over LSL. ``hour`` plays a recording again and
again, and looks at the memory. Both check that nothing was lost, and that the integer model gives
the recorded velocities again from the recorded spikes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.command.parser import CommandParser, run_command, whole_number
from spikewright.golden.run import run_golden
from spikewright.live.priority import hurry
from spikewright.live.sources.recording import open_recording
from spikewright.model.saved import Model
from spikewright.network.recording import Recording, read_recording
from spikewright.plan.config import CoreConfig

__all__ = ["measured", "spikes_in_time"]

# Seconds before the first spike, and after the last one.
LEAD = 3.0

# Looks at the memory of a session.
LOOKS = 20


def spikes_in_time(recording: Recording, seconds: float, seed: int = 1) -> tuple[np.ndarray,
                                                                              np.ndarray]:
    """Time and channel of each spike in ``seconds`` of a recording that is played again and again.

    A spike has a random time within its step.
    """
    rng = np.random.default_rng(seed)
    step = np.repeat(np.arange(recording.steps), np.diff(recording.start))
    turns = int(np.ceil(seconds / (recording.steps * recording.dt)))
    times = np.concatenate([(step + turn * recording.steps + rng.random(len(step))) * recording.dt
                            for turn in range(turns)])
    channels = np.tile(recording.channel, turns)
    order = np.argsort(times, kind="stable")
    kept = order[times[order] < seconds]
    return times[kept], channels[kept]


def measured(path: Path, model: Model) -> dict[str, Any]:
    """Figures of the session in ``path``; golden decodes its spikes again."""
    late, bins, spikes, velocity, sent = 0, [], [], [], 0
    with open(path, encoding="utf-8") as stream:
        next(stream)
        for line in stream:
            found = json.loads(line)
            late += found.get("late", False)
            sent += len(found["spikes"])
            bins.append(found["delay_ms"])
            if "spike_ms" in found:
                spikes.append(found["spike_ms"])
            velocity.append(found["velocity"])
    recording = open_recording(path, model.dt)
    again = run_golden(model.integers, recording, CoreConfig()).velocity
    return {"steps": len(bins), "late": late, "late_percent": round(100 * late / len(bins), 4),
            "spikes": sent, "bin_to_velocity_ms": _percentiles(bins),
            "spike_to_velocity_ms": _percentiles(spikes),
            "equals_golden": bool(np.array_equal(again, np.array(velocity)))}


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p99, p999 = np.percentile(values, [50, 99, 99.9])
    return {"p50": round(p50, 2), "p99": round(p99, 2), "p99.9": round(p999, 2),
            "most": round(max(values), 2)}


def _loop(arguments: Namespace) -> dict[str, Any]:
    recording = read_recording(arguments.recording)
    name = f"spikes-{uuid.uuid4().hex[:8]}"
    times, _ = spikes_in_time(recording, arguments.seconds)
    sender = subprocess.Popen([sys.executable, "-m", "docs.make.measure.sessions", "send",
                               str(arguments.recording), "--name", name, "--seconds",
                               str(arguments.seconds)]
                              + (["--realtime"] if arguments.realtime else []))
    try:
        found, facts = _session(arguments, ["--in", f"lsl:{name}", "--out", f"lsl:{name}-velocity",
                                            "--seconds", str(arguments.seconds + 2 * LEAD)])
    finally:
        sender.wait()
    facts["spikes_sent"] = len(times)
    facts["nothing_lost"] = facts["spikes"] == len(times)
    return found | facts


def _hour(arguments: Namespace) -> dict[str, Any]:
    found, facts = _session(arguments, [
        "--in", str(arguments.recording), "--repeat", "--fast", "--seconds",
        str(arguments.seconds)])
    # A step that is played at once is due at once: its delay is the time of the decoder.
    return found | {key: facts[key] for key in ("steps", "spikes", "equals_golden")}


def _session(arguments: Namespace, words: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run ``spikewright live``: what it cost, and what it measured."""
    model = Model.load(arguments.model)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "session.jsonl"
        waited = _waited()
        running = subprocess.Popen(
            [sys.executable, "-m", "spikewright", "live", str(arguments.model), *words, "--out",
             str(path), "--port", arguments.port]
            + (["--realtime"] if arguments.realtime else []))
        began, memory = time.perf_counter(), []
        while True:
            ended, status, usage = os.wait4(running.pid, os.WNOHANG)
            if ended:
                break
            memory.append(_memory(running.pid))
            time.sleep(1.0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            raise InputError(f"Session must end well, not with status {running.returncode}")
        seconds = time.perf_counter() - began
        waited = _waited() - waited
        facts = measured(path, model)
    grown = memory[len(memory) // 5:]
    return {
        "model": model.hash[:16], "port": arguments.port, "realtime": arguments.realtime,
        "cores": len(os.sched_getaffinity(0)),
        "percent_of_time_that_programs_waited": round(100 * waited / seconds, 1),
        "seconds": round(seconds, 1), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "memory_mb": {"after_a_fifth": round(grown[0], 1), "at_the_end": round(grown[-2], 1),
                      "most": round(max(grown), 1)}}, facts


def _waited() -> float:
    """Seconds in which some program of the computer had to wait for a core, since it started."""
    try:
        text = Path("/proc/pressure/cpu").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(text.splitlines()[0].rpartition("=")[2]) / 1e6


def _memory(process: int) -> float:
    """Resident memory of a process, in MB."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def _send(arguments: Namespace) -> None:
    """Send each spike at its time."""
    from spikewright.live.sources.lsl import liblsl
    lsl = liblsl()
    if arguments.realtime:
        hurry()
    recording = read_recording(arguments.recording)
    times, channels = spikes_in_time(recording, arguments.seconds)
    outlet = lsl.StreamOutlet(lsl.StreamInfo(arguments.name, "Spikes", 1, lsl.IRREGULAR_RATE,
                                             lsl.cf_int32, arguments.name))
    while not outlet.have_consumers():
        time.sleep(0.01)
    began = time.perf_counter() + LEAD
    for seconds, channel in zip((began + times).tolist(), channels.tolist(), strict=True):
        time.sleep(max(0.0, seconds - time.perf_counter()))
        outlet.push_sample([channel])
    time.sleep(2 * LEAD)


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.measure.sessions", description="Measure live "
                           "sessions, and write their figures.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, told, seconds in (("loop", "spikes come and velocities go over LSL", 600),
                                ("hour", "a recording is played as fast as it goes", 3600),
                                ("send", "send spikes over LSL: 'loop' starts this", 600)):
        sub = actions.add_parser(name, help=told)
        if name != "send":
            sub.add_argument("model", type=Path, metavar="MODEL")
        sub.add_argument("recording", type=Path, metavar="RECORDING.npz")
        sub.add_argument("--seconds", type=whole_number(1, 1 << 20), default=seconds, metavar="S",
                         help="length of the session, in seconds of the recording "
                         "(default: %(default)s)")
        sub.add_argument("--realtime", action="store_true", help="run before all usual programs")
        if name == "send":
            sub.add_argument("--name", required=True, help="name of the stream")
            continue
        sub.add_argument("--port", default="golden", help="as in 'spikewright live' "
                         "(default: %(default)s)")
        sub.add_argument("--folder", type=Path, metavar="DIR", default=None,
                         help="folder for the file of the session, some 200 MB an hour "
                         "(default: the system's)")
        sub.add_argument("-o", "--output", type=Path, metavar="FILE.json", required=True,
                         help="file to write: the figures")
    arguments = parser.parse_args()
    if arguments.action == "send":
        _send(arguments)
        return
    figures = {"loop": _loop, "hour": _hour}[arguments.action](arguments)
    with written_file(arguments.output) as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    run_command(_main)
