# SPDX-License-Identifier: Apache-2.0
"""The passes in order, from a network to an integer model, with the facts that a manifest keeps."""

import dataclasses
import functools
from pathlib import Path

import numpy as np

from .bounds import proven_bits
from .calibrate import Calibration, calibrate, default_recording
from .checkpoint import checkpoint_hash, read_checkpoint
from .facts import table_facts
from .integer import quantize
from .model import IntegerModel, Widths
from .network import Network
from .prune import prune
from .recording import Recording
from .reference import run_reference
from .retime import retime
from .rounding import MOST_SHIFT, compensated, nearest

__all__ = ["build_model", "compile_network"]

# A time constant that rounding changes by more than this share is worth a warning.
TIME_CONSTANT_CHANGE = 0.05


def build_model(checkpoint: Path, *, name: str | None = None, widths: Widths | None = None,
                recording: Recording | None = None) -> tuple[IntegerModel, Network, dict]:
    """Read ``checkpoint`` and compile it; arguments and results as of `compile_network`.

    Where ``name`` is None, the model is called as the file without suffix.
    """
    checkpoint = Path(checkpoint)
    network = read_checkpoint(checkpoint)
    model, network, facts = compile_network(
        network, name=printable(checkpoint.stem)[:100] if name is None else name, widths=widths,
        recording=recording)
    source = {"file": printable(checkpoint.name), "sha256": checkpoint_hash(checkpoint)}
    return model, network, {"checkpoint": source, **facts}


def compile_network(network: Network, *, name: str, widths: Widths | None = None,
                    recording: Recording | None = None) -> tuple[IntegerModel, Network, dict]:
    """Retime, round, calibrate, quantize and prune ``network``.

    Parameters
    ----------
    network : Network
    name : str
        Of the model: 1 to 100 printable characters.
    widths : Widths, optional
        All but ``fraction``, which the calibration chooses.
    recording : Recording, optional
        What to calibrate on; simulated spikes where None.

    Returns
    -------
    model : IntegerModel
    network : Network
        The retimed network that ``model`` was rounded from.
    facts : dict
        Further entries of the manifest: ``calibration``, ``dropped``, ``tables``, ``table_bits``,
        ``non_zeros`` and ``warnings``.
    """
    if not (1 <= len(name) <= 100 and name.isprintable()):
        raise ValueError(f"Model name must be 1 to 100 printable characters, not {name!r}")
    network, widths = retime(network), widths or Widths()
    simulated = recording is None
    if recording is None:
        recording = default_recording(network)
    recording.check_fits(network.channels, network.dt)
    if not len(recording.channel):
        raise ValueError(f"Recording {recording.name} must hold spikes to calibrate on, not none")
    trace = run_reference(network, recording)
    choose = functools.partial(
        calibrate, network, recording=recording, trace=trace, weight=widths.weight,
        current=widths.current, membrane=widths.membrane, decay=widths.decay)
    # A shift costs as many fraction bits at most: never more than there are.
    spare = choose(rounded=nearest(network, widths.weight)).widths.fraction
    rounded = compensated(network, widths.weight, recording, trace=trace,
                          most_shift=min(spare, MOST_SHIFT))
    calibration = choose(rounded=rounded)
    model, dropped = prune(quantize(network, rounded, calibration.widths, name))
    evidence = _evidence(model, calibration, simulated)
    return model, network, {
        "calibration": evidence, "dropped": dropped, **table_facts(model),
        "warnings": [*_changed_decays(model, network), *_saturating(model, evidence),
                     *_dropped(dropped)]}


def printable(text: str) -> str:
    """``text`` with every character that cannot be printed replaced by ``_``."""
    return "".join(c if c.isprintable() else "_" for c in text)


def _evidence(model: IntegerModel, calibration: Calibration, simulated: bool) -> dict:
    current, membrane = proven_bits(model)
    proven = current <= model.widths.current and membrane <= model.widths.membrane
    rule = (f"most fraction bits with which the peaks over the calibration spikes fit "
            f"{calibration.margin:g} times")
    if proven:
        rule += "; no input of at most one spike per channel and step can saturate a state"
    return {"rule": rule, "proven": proven, "simulated": simulated,
            **{key: value for key, value in dataclasses.asdict(calibration).items()
               if key != "widths"},
            "proven_bits": {"current": current, "membrane": membrane, "events_per_channel": 1}}


def _changed_decays(model: IntegerModel, network: Network) -> list[str]:
    warnings = []
    for population in model.populations:
        exact = network.population(population.name)
        for kind in ("synaptic", "membrane"):
            wanted = getattr(exact, f"{kind}_decay")[population.kept]
            given = getattr(population, f"{kind}_decay") / (1 << model.widths.decay)
            # A decay is exp(-dt / tau), so the time constant is -dt / log(decay).
            tau, rounded = (-1e3 * network.dt / np.log(decay) for decay in (wanted, given))
            change = np.abs(rounded / tau - 1)
            count, worst = int((change > TIME_CONSTANT_CHANGE).sum()), int(change.argmax())
            if count:
                warnings.append(
                    f"{model.widths.decay} decay bits change {count} {kind} time constants of "
                    f"{population.name} by more than {TIME_CONSTANT_CHANGE:.0%} (neuron "
                    f"{int(population.kept[worst])}: {tau[worst]:.4g} ms becomes "
                    f"{rounded[worst]:.4g} ms): take more decay bits")
    return warnings


def _saturating(model: IntegerModel, evidence: dict) -> list[str]:
    if evidence["proven"] or not evidence["simulated"]:
        return []
    bits = evidence["proven_bits"]
    text = (f"states of {model.widths.current} and {model.widths.membrane} bits may saturate: "
            f"their scale comes from {evidence['source']}, and only {bits['current']} and "
            f"{bits['membrane']} bits are safe for every input; calibrate on a recording of yours")
    return [text]


def _dropped(dropped: dict[str, int]) -> list[str]:
    told = {"channels": "channels with only zero weights, whose spikes are ignored",
            "neurons": "neurons that can never fire, left out"}
    return [f"{text}: {dropped[key]}" for key, text in told.items() if dropped[key]]
