# SPDX-License-Identifier: Apache-2.0
"""The rungs: one network in several arithmetics."""

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spikewright.base.cache import cache_folder
from spikewright.base.errors import CoreFault, InputError
from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden
from spikewright.model.artefact import model_hash
from spikewright.model.integers import Widths
from spikewright.model.model import IntegerModel
from spikewright.network.graded.network import AnyNetwork, GradedNetwork
from spikewright.network.recording import Recording
from spikewright.network.source import Source
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan, suited
from spikewright.quantize.compile import compile_network
from spikewright.quantize.graded.compile import compile_graded
from spikewright.report.score import FLOATS, number, outputs_of
from spikewright.sim.compiled import run_compiled

from ..gates.simulate import GatesFault
from ..gates.top import gate_differences, run_gates
from .cost import float_cost, integer_cost
from .graded_cost import graded_float_cost, graded_integer_cost

__all__ = ["DEFAULT_RUNGS", "REFERENCE", "Checks", "Climb", "Outcome", "mixed", "rung_bits",
           "rung_name", "run_rung", "tuned", "widths_of", "with_tuned"]

DEFAULT_RUNGS = ("fp64", "fp32", "fp16", "int8", "int6", "int5", "int4")
REFERENCE = "fp32"

# A rung whose integers are fine-tuned is the rung of the same bits with this at its end. It follows
# each rung whose widest weights have fewer bits than the default.
TUNED = " tuned"

# Projections of the published form, in the order in which a rung gives their bits.
ROLES = ("input", "recurrent", "output")


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The checks of the hardware against golden.

    Parameters
    ----------
    rtl : bool
        Whether the compiled RTL runs every step as well.
    gates : int
        Number of steps that the synthesized gates run as well.
    config : CoreConfig
    given : frozenset of str
        Fields of ``config`` that the user gave. What a graded model needs replaces the others.
    cache : Path
        Folder of compiled designs.
    """

    rtl: bool = True
    gates: int = 0
    config: CoreConfig = CoreConfig()
    given: frozenset[str] = frozenset()
    cache: Path = field(default_factory=cache_folder)


@dataclass(frozen=True, kw_only=True, eq=False)
class Climb:
    """A network and its input spikes.

    Parameters
    ----------
    name : str
    checkpoint : dict
        ``file`` and ``sha256``.
    network : Network or GradedNetwork
        A network of spiking neurons is retimed.
    source : Source
        Recording that is measured on.
    calibration : Recording or None
        Recording for the calibration of the integers; None for simulated spikes.
    tuning : Recording or None
        Recording for the fine-tuning of the integers; None if no rung is fine-tuned.
    """

    name: str
    checkpoint: dict
    network: AnyNetwork
    source: Source
    calibration: Recording | None
    tuning: Recording | None = None

    @property
    def recording(self) -> Recording:
        return self.source.recording


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Result of a rung: velocity float64 (steps, axes), spikes bool (steps, neurons), facts."""

    velocity: np.ndarray
    spikes: np.ndarray
    facts: dict


def rung_name(text: str) -> str:
    """Name of the rung that a user writes as ``fp16``, ``int8``, ``8`` or ``4/8/8``.

    Raises
    ------
    ValueError
        If there is no such rung.
    """
    text = text.strip().lower()
    parts = text.removeprefix("int").split("/")
    if text in FLOATS:
        return text
    if len(parts) in (1, len(ROLES)) and all(
            bits.isascii() and bits.isdecimal() and 2 <= int(bits) <= 16 for bits in parts):
        bits = [int(bits) for bits in parts]
        return "int" + "/".join(map(str, bits if len(set(bits)) > 1 else bits[:1]))
    raise ValueError(f"Rung must be {', '.join(FLOATS)}, a number of weight bits from 2 to 16, or "
                     f"one for each of {'/'.join(ROLES)} such as 4/8/8, not {text!r}")


def rung_bits(rung: str) -> int:
    """Bits of the widest weights."""
    return max(_each(rung.removeprefix("fp")))


def _each(rung: str) -> list[int]:
    """Bits of the weights of each role, or of all."""
    return [int(bits) for bits in rung.removesuffix(TUNED).removeprefix("int").split("/")]


def tuned(rung: str) -> bool:
    """Whether the integers of a rung are fine-tuned."""
    return rung.endswith(TUNED)


def with_tuned(rungs: Iterable[str]) -> list[str]:
    """``rungs``, each of fewer than the usual bits with its fine-tuned rung after it."""
    return [each for rung in rungs for each in (
        (rung, rung + TUNED) if rung not in FLOATS and rung_bits(rung) < Widths.weight
        else (rung,))]


def mixed(rung: str) -> bool:
    """Whether projections have weights of several widths."""
    return "/" in rung


def widths_of(bits: int) -> Widths:
    """Number formats of an integer rung.

    Up to 8 bits, they are the defaults of `spikewright quantize`. Each further bit of a weight adds
    a bit to the states, so that weights still fit, and a bit to the decays, up to 16. Otherwise the
    rounding of the decays would hide the rounding of the weights.
    """
    more = max(bits - Widths.weight, 0)
    return Widths(weight=bits, current=Widths.current + more, membrane=Widths.membrane + more,
                  decay=min(Widths.decay + more, 16), fraction=0)


def run_rung(climb: Climb, rung: str, checks: Checks) -> Outcome:
    """Run one rung; the tools that it starts are silent.

    Raises
    ------
    InputError
        If the network cannot be quantized in this way, or a tool fails. The message names the rung.
    """
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return (_float if rung in FLOATS else _integer)(climb, rung, checks)
        except ValueError as error:
            raise InputError(f"{climb.name} as {rung}: {error}") from error


def _float(climb: Climb, rung: str, checks: Checks) -> Outcome:
    network, recording = climb.network, climb.recording
    velocity, spikes = outputs_of(network, recording, [rung])[rung]
    cost = (graded_float_cost(network, FLOATS[rung], recording, spikes)
            if isinstance(network, GradedNetwork)
            else float_cost(network, FLOATS[rung], recording, spikes))
    return Outcome(velocity=velocity, spikes=spikes, facts={
        "rung": rung, "bits": rung_bits(rung), "widths": None, "model_hash": None,
        "saturated_steps": 0, "rtl": None, "gates": None,
        **_cost(cost)})


def _integer(climb: Climb, rung: str, checks: Checks) -> Outcome:
    recording, bits = climb.recording, rung_bits(rung)
    model, network = _rounded(climb, rung)
    needed: dict[str, Any] = {name: value for name, value in suited(model).items()
                              if name not in checks.given}
    plan = Plan(model=model, config=dataclasses.replace(checks.config, **needed))
    golden = run_golden(model, recording, plan.config)
    return Outcome(velocity=golden.velocity, spikes=golden.spikes, facts={
        "rung": rung, "bits": bits, "widths": dataclasses.asdict(model.widths),
        "model_hash": model_hash(model), "saturated_steps": int(golden.saturated.sum()),
        "rtl": _rtl(plan, recording, golden, checks) if checks.rtl else None,
        "gates": _gates(plan, recording, checks) if checks.gates else None,
        **_cost((graded_integer_cost if isinstance(network, GradedNetwork) else integer_cost)(
            model, plan.layout.table_bits, network, recording, golden.spikes))})


def _rounded(climb: Climb, rung: str) -> tuple[IntegerModel, Any]:
    """The integer model of a rung, and the network that it was rounded from."""
    name, bits = climb.name[-100:], rung_bits(rung)
    if isinstance(climb.network, GradedNetwork):
        if mixed(rung):
            raise ValueError("Rung must have one number of bits for a graded network")
        model, _ = compile_graded(climb.network, name=name, weight_bits=bits,
                                  recording=climb.calibration)
        return model, climb.network
    model, network, facts = compile_network(
        climb.network, name=name, widths=widths_of(bits),
        projection_bits=dict(zip(ROLES, _each(rung), strict=True)) if mixed(rung) else None,
        recording=climb.calibration)
    if tuned(rung):
        # These modules need torch, as no other rung does.
        from spikewright.train.fitting.recipe import Tuning
        from spikewright.train.tuning.finetune import finetune, unit_of
        assert climb.tuning is not None
        model, _ = finetune(model, network, facts, climb.tuning, Tuning(),
                            unit_of(model, climb.tuning))
    return model, network


def _rtl(plan, recording, golden, checks) -> dict:
    try:
        lines = differences(golden, run_compiled(plan, recording, checks.cache))
    except CoreFault as fault:
        lines = [str(fault)]
    return {"equal": not lines, "steps": recording.steps, "differences": lines}


def _gates(plan, recording, checks) -> dict:
    recording = recording.head(checks.gates)
    golden = run_golden(plan.model, recording, plan.config)
    # The packaged tools cannot see the temporary folders of the system.
    checks.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=checks.cache, prefix="gates-") as folder:
        try:
            _, steps = run_gates(plan, model_hash(plan.model), recording, Path(folder))
            lines = gate_differences(golden, steps)
        except GatesFault as fault:
            lines = [str(fault)]
    return {"equal": not lines, "steps": recording.steps, "differences": lines}


def _cost(cost: dict) -> dict:
    return {key: number(value) if isinstance(value, float) else value
            for key, value in cost.items()}
