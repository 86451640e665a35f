# SPDX-License-Identifier: Apache-2.0
"""A step of the core at its ports, simulated and told as WaveJSON: the timing diagram of the docs.

WaveDrom (https://wavedrom.com) draws it.
"""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.command.parser import CommandParser, run_command
from spikewright.hw.core import Core
from spikewright.hw.layouts import TokenKind
from spikewright.hw.params import core_params
from spikewright.model.integers import IntegerPopulation, IntegerProjection, Widths
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan

__all__ = ["example_model", "step_samples", "step_waves", "write_waveform"]

# Any: mypy takes the members of Amaranth's enumerations for integers.
KIND: Any = TokenKind

# Cycles after which nothing but the clock has changed are drawn as a gap.
STEADY = 3

# The lanes of the picture, in groups; a name that holds a blank is a field of a payload.
LANES = (
    ("tokens", ("i__valid", "i__ready", "i__payload kind", "i__payload row")),
    ("monitor", ("busy", "spike valid", "spike neuron")),
    ("result", ("o__valid", "o__ready", "o__payload outputs[0]", "o__payload cycles")),
)

# Lanes that mean something only where another is 1.
SHOWN_WITH = {"i__payload kind": "i__valid", "i__payload row": "i__valid",
              "spike neuron": "spike valid", "o__payload outputs[0]": "o__valid",
              "o__payload cycles": "o__valid"}


def example_model() -> IntegerModel:
    """Three channels, two recurrent neurons, one output; two events let the first neuron fire."""
    widths = Widths(weight=8, current=16, membrane=20, decay=12, fraction=3)
    populations = tuple(
        IntegerPopulation(name=name, spiking=spiking, size=neurons, kept=np.arange(neurons),
                          synaptic_decay=np.full(neurons, 3000),
                          membrane_decay=np.full(neurons, 3500),
                          threshold=np.full(neurons, threshold))
        for name, spiking, neurons, threshold in (("hidden", True, 2, 1000),
                                                  ("out", False, 1, (1 << 19) - 1)))
    projections = tuple(
        IntegerProjection(source=source, target=target, delay=delay, bits=8,
                          weights=np.array(weights))
        for source, target, delay, weights in (
            (INPUT, "hidden", 0, [[90, 20], [50, -30], [60, 10]]),
            ("hidden", "hidden", 3, [[0, 40], [-40, 0]]),
            ("hidden", "out", 0, [[70], [-25]])))
    return IntegerModel(name="example", dt=4e-3, widths=widths, channels=3,
                        channel_row=np.arange(3), populations=populations,
                        projections=projections, readout=np.eye(1), lead_steps=0)


def step_samples(plan: Plan) -> list[dict[str, int]]:
    """Every lane in every cycle of a step of `example_model`, as the next clock edge sees it.

    The first event waits for the core, the second comes some cycles later; the result is taken two
    cycles after it is offered, and the core goes on with the next step.
    """
    core = Core(core_params(plan))
    samples: list[dict[str, int]] = []

    async def put(ctx, kind, row=0):
        ctx.set(core.i.payload, {"kind": kind, "row": row})
        ctx.set(core.i.valid, 1)
        await ctx.tick().until(core.i.ready)
        ctx.set(core.i.valid, 0)

    async def tokens(ctx):
        await put(ctx, KIND.EVENT, 0)
        await ctx.tick().repeat(4)
        await put(ctx, KIND.EVENT, 2)
        await put(ctx, KIND.STEP)

    async def results(ctx):
        await ctx.tick().until(core.o.valid)
        await ctx.tick()
        ctx.set(core.o.ready, 1)
        await ctx.tick()
        ctx.set(core.o.ready, 0)
        await ctx.tick().repeat(2)

    async def watch(ctx):
        ports = (core.i.valid, core.i.ready, core.i.payload, core.busy, core.spike, core.o.valid,
                 core.o.ready, core.o.payload)
        async for _, _, *seen in ctx.tick().sample(*ports):
            valid, ready, token, busy, spike, offered, taken, result = seen
            samples.append({
                "i__valid": valid, "i__ready": ready, "i__payload kind": token.kind.value,
                "i__payload row": token.row, "busy": busy, "spike valid": spike.valid,
                "spike neuron": spike.group, "o__valid": offered, "o__ready": taken,
                "o__payload outputs[0]": result.outputs[0], "o__payload cycles": result.cycles})

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(tokens)
    simulator.add_testbench(results)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return samples


def step_waves() -> dict:
    """The WaveJSON of `step_samples`, with the latency of the step as an arrow."""
    samples = step_samples(Plan(model=example_model(), config=CoreConfig(lanes=1)))
    shown = [{lane: _text(sample, lane) for lane in sample} for sample in samples]
    kept, gaps = _folded(shown)
    event = max(t for t, now in enumerate(samples) if now["i__valid"] and now["i__ready"]
                and now["i__payload kind"] == KIND.EVENT.value)
    result = next(t for t, now in enumerate(samples) if now["o__valid"])
    # Capitals are places that WaveDrom does not print.
    span = "".join({event: "A", result: "B"}.get(t, ".") for t in kept)
    groups: list = [{"name": "clk", "wave": _holes("p" + "." * (len(kept) - 1), gaps)},
                    {"node": span}]
    for title, lanes in LANES:
        groups += [[title, *(_lane(shown, lane, kept, gaps) for lane in lanes)], {}]
    cycles = ["–" if k in gaps else str(t) for k, t in enumerate(kept)]
    return {"signal": groups[:-1], "edge": [f"A<->B latency: {result - event} cycles"],
            "head": {"tock": " ".join(cycles)}}


def _text(sample, lane):
    """What the picture says of a lane: a number, a name, or x."""
    if lane in SHOWN_WITH and not sample[SHOWN_WITH[lane]]:
        return "x"
    if lane == "i__payload kind":
        return KIND(sample[lane]).name
    if lane == "i__payload row" and sample["i__payload kind"] != KIND.EVENT.value:
        return "x"
    return str(sample[lane])


def _folded(shown):
    """Cycles to draw, and which of these places stand for a longer time without any change."""
    kept: list[int] = []
    gaps: set[int] = set()
    t = 0
    while t < len(shown):
        end = t + 1
        while end < len(shown) and shown[end] == shown[t]:
            end += 1
        if end - t > STEADY:
            gaps.add(len(kept) + 1)
            kept += [t, t + 1, end - 1]
        else:
            kept += range(t, end)
        t = end
    return kept, gaps


def _lane(shown, lane, kept, gaps):
    wave, data, before = "", [], None
    plain = lane not in SHOWN_WITH
    for t in kept:
        text = shown[t][lane]
        wave += "." if text == before else text if plain or text == "x" else "="
        if text != before and not plain and text != "x":
            data.append(text)
        before = text
    result = {"name": lane.replace(" ", "."), "wave": _holes(wave, gaps)}
    if data:
        result["data"] = data
    return result


def _holes(wave, gaps):
    return "".join("|" if k in gaps else letter for k, letter in enumerate(wave))


def write_waveform(path: Path) -> list[Path]:
    """Write the diagram as WaveJSON ``path``, and as a picture beside it.

    Raises
    ------
    InputError
        If WaveDrom is not installed.
    """
    if importlib.util.find_spec("yowasp_wavedrom") is None:
        raise InputError("Package yowasp_wavedrom must be installed for a timing diagram, not "
                         "missing: run pip install -e '.[docs]'")
    import yowasp_wavedrom
    waves = step_waves()
    files = {Path(path): json.dumps(waves, indent=1) + "\n",
             Path(path).with_suffix(".svg"): yowasp_wavedrom.render(waves) + "\n"}
    for file, text in files.items():
        with written_file(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(files)


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.pictures.waveform",
                           description="Simulate a step of "
                           "the core, and write its timing diagram.")
    parser.add_argument("output", type=Path, metavar="FILE.json",
                        help="WaveJSON file to write; the picture next to it ends in .svg")
    print(f"-> {', '.join(map(str, write_waveform(parser.parse_args().output)))}")


if __name__ == "__main__":
    run_command(_main)
