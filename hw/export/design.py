# SPDX-License-Identifier: Apache-2.0
"""The core for the designs of others: one Verilog file, an example of its use, a FuseSoC core."""

import json
import re
import textwrap
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path

import jinja2
import numpy as np
from amaranth.hdl import Fragment

from spikewright.base.errors import InputError
from spikewright.base.files import check_folder, real_path, written_folder
from spikewright.base.version import version
from spikewright.golden.run import run_golden
from spikewright.network.recording import poisson_recording
from spikewright.plan.frames import events_max
from spikewright.plan.plan import Plan
from spikewright.plan.timing import step_timing, worst_events

from ..core import Core
from ..layouts import TokenKind
from ..link import LinkParams
from ..linked_core import LinkedCore
from ..params import core_params
from ..rtlil import convert
from ..tokens import recording_tokens
from .keywords import KEYWORDS
from .ports import first_sentence, ports_of
from .verilog import verilog_of

__all__ = ["NAMES", "export_verilog"]

# Module, by whether the link is in it.
NAMES = {False: "spikewright_core", True: "spikewright_decoder"}

# Events of a step for which its worst case is told, beside the most that a frame carries.
COUNTS = (0, 1, 10, 100)

# What the example sends: enough spikes that neurons fire. A RESET comes before the second half.
EXAMPLE_STEPS, EXAMPLE_RATE = 20, 40.0
EXAMPLE_CALM = EXAMPLE_STEPS // 2

# A module of the Verilog, by the name of a submodule; Amaranth numbers those called as a signal.
MODULE = re.compile(r"^module (\\\S+) \(", re.MULTILINE)


def export_verilog(folder: Path, plan: Plan, link: LinkParams | None, manifest: dict, *,
                   name: str) -> list[str]:
    """Write the Verilog of a core and what goes with it; returns the names of the files.

    Parameters
    ----------
    folder : Path
        New, empty, or made by this function.
    plan : Plan
    link : LinkParams or None
        Of the same model: the whole decoder is written, with its link.
    manifest : dict
        Of the model.
    name : str
        Of the top module, with which the names of all others begin.

    Raises
    ------
    InputError
        If ``name`` is no name in Verilog, ``folder`` has other contents, or a host loads a model
        into a core without its link.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InputError("Module name must be letters, digits and underscores, without a digit at "
                         f"its begin, not {name!r}")
    if len(name) > 64:
        raise InputError(f"Module name must have 64 characters or fewer, not {len(name)}")
    if name in KEYWORDS:
        raise InputError(f"Module name must be no keyword of Verilog, not {name!r}")
    if plan.config.load == "model" and not link:
        raise InputError("Core load must be none without the link, not model")
    check_folder(folder, "verilog.json")
    core = core_params(plan)
    design = LinkedCore(core, link) if link else Core(core)
    facts = _facts(design, plan, link, manifest, name)
    folder = real_path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    verilog = verilog_of(convert(design, name), folder.parent)
    files = {f"{name}.v": _page("header.v", **facts) + _with_notes(verilog, _notes(design, name))}
    if plan.large:
        files[facts["table"]["file"]] = "".join(f"{byte:02x}\n" for byte in plan.loaded_bytes)
    if not link:
        files[f"{name}_tb.v"] = _page("example.v", **facts, **_example(plan))
    files[f"{name}.core"] = _page("fusesoc.core", **facts, bench=not link)
    facts["ports"] = [asdict(port) for port in facts["ports"]]
    files["verilog.json"] = json.dumps(facts, indent=2, allow_nan=False) + "\n"
    with written_folder(folder, "verilog.json") as temporary:
        for file, text in files.items():
            (temporary / file).write_text(text, encoding="utf-8")
    return list(files)


def _facts(design, plan, link, manifest, name) -> dict:
    model = plan.model
    table = {"file": f"{name}_weights.mem", "words": len(plan.loaded),
             "word_bytes": plan.word_bytes} if plan.large else None
    rows = model.channel_row.tolist()
    return {
        "name": name, "version": version(), "model": model.name,
        "model_hash": manifest["model_hash"], "dt": model.dt, "channels": model.channels,
        "rows": model.rows, "hidden": sum(span.neurons for span in plan.layout.listed),
        "outputs": model.outputs, "widths": asdict(model.widths),
        "config": vars(plan.config).copy(),
        "link": {"clock_mhz": link.clock_hz / 1e6, "baud": link.baud} if link else None,
        "table": table,
        "ports": ports_of(design), "worst": _worst(plan), "units": plan.layout.units,
        "populations": [{"name": name, "neurons": span.neurons, "group": span.group}
                        for name, span in plan.layout.spans.items()],
        "channel_row": None if rows == list(range(len(rows))) else rows,
        "weight_bits": model.weight_bits, "readout": model.readout.tolist(),
        "offset": model.offset.tolist()}


def _worst(plan: Plan) -> list[dict]:
    """Cycles and latency of the longest step with each number of events."""
    counts = (*COUNTS, events_max(plan.model.rows))
    events = np.concatenate([worst_events(plan, count) for count in counts])
    cycles, latency = step_timing(plan, events)
    return [{"events": count, "cycles": int(step), "latency": int(late)}
            for count, step, late in zip(counts, cycles, latency, strict=True)]


def _example(plan: Plan) -> dict:
    """Tokens of a few simulated steps, and golden's answers, as the bits of the ports."""
    model = plan.model
    recording = poisson_recording(model.channels, model.dt, steps=EXAMPLE_STEPS,
                                  rate=EXAMPLE_RATE, seed=1)
    recording = replace(recording, reset=np.arange(EXAMPLE_STEPS) == EXAMPLE_CALM)
    answer = run_golden(model, recording, plan.config)
    params = core_params(plan)
    token, result = params.token, params.result
    tokens = [(token.const({"kind": kind, "row": row}).as_bits(),
               f"EVENT {row}" if kind == TokenKind.EVENT.value else TokenKind(kind).name)
              for kind, row in zip(*map(np.ndarray.tolist, recording_tokens(plan, recording)),
                                   strict=True)]
    answers = [(result.const({"step": t, "cycles": int(answer.cycles[t]), "outputs": outputs,
                              "saturated": int(answer.saturated[t])}).as_bits(),
                f"step {t}: {', '.join(map(str, outputs))} after {answer.cycles[t]} cycles")
               for t, outputs in enumerate(answer.velocity_int.tolist())]
    return {"tokens": tokens, "answers": answers, "calm": EXAMPLE_CALM,
            "patience": 8 * (int(answer.cycles.sum()) + len(plan.loaded_bytes)) + 1000}


def _notes(design, name: str) -> dict[str, str]:
    """What each module of the design is for, by its name."""
    notes: dict[str, str] = {}

    def walk(fragment, path):
        kind = type((fragment.origins or (None,))[0])
        package, *where = kind.__module__.split(".")
        if package == "spikewright":
            notes[path] = f"{first_sentence(kind)} ({'/'.join(where)}.py)"
        for sub, sub_name, *_ in fragment.subfragments:
            walk(sub, f"{path}.{sub_name}")

    walk(Fragment.get(design, None), name)
    return notes


def _with_notes(verilog: str, notes: dict[str, str]) -> str:
    """``verilog`` with a comment above each module but the first, which has the header."""
    def told(match: re.Match) -> str:
        path = re.sub(r"\$\d+", "", match[1].removeprefix("\\"))
        lines = textwrap.wrap(notes[path], 97) if path in notes else []
        return "".join(f"// {line}\n" for line in lines) + match[0]
    return MODULE.sub(told, verilog)


def _page(page: str, **facts) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters["wrapped"] = _wrapped
    folder = resources.files("spikewright.hw.export") / "pages"
    template = environment.from_string((folder / page).read_text(encoding="utf-8"))
    return template.render(**facts)


def _wrapped(text: str, indent: int) -> str:
    """``text`` in comment lines of at most 100 columns, the second and later ones indented."""
    lines = textwrap.wrap(text, 100 - 3 - indent)
    return ("\n// " + " " * indent).join(lines)
