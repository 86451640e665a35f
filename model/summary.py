# SPDX-License-Identifier: Apache-2.0
"""A manifest as a short text."""

from collections.abc import Sequence
from itertools import groupby

from spikewright.network.network import CONSTANT, role

__all__ = ["summary"]


def summary(manifest: dict, costs: Sequence[tuple[str, str]] = ()) -> str:
    """The manifest of a model as text in two columns.

    A fact that the manifest does not have is left out.

    Parameters
    ----------
    manifest : dict
    costs : sequence of tuple of str, optional
        Title and text of further lines, for the cost of the weight tables.
    """
    model = manifest["model"]
    rows = [("model", f"{model['name']}, hash {manifest['model_hash'][:16]}")]
    if "checkpoint" in manifest:
        source = manifest["checkpoint"]
        rows.append(("checkpoint", f"{source['file']}, sha256 {source['sha256'][:16]}"))
    if "finetuned" in manifest:
        rows.append(("fine-tuned", "{source}, {steps} steps, {epochs} epochs, seed {seed}: "
                                   "{changed} weights changed".format(
                                       **manifest["finetuned"])))
    if "recalibrated" in manifest:
        facts = manifest["recalibrated"]
        rows.append(("recalibrated", "{source}, {steps} steps, {epochs} epochs, seed {seed}: "
                                     "{changed} weights changed".format(**facts)))
        rows += [("", f"{title} {facts[key]}") for key, title in (
            ("axes", "recorded axes"), ("order", "recorded channels")) if facts[key]]
    step = 1e3 * model["dt"]
    rows += [("shape", _shape(model)), ("step", f"{step:g} ms"),
             ("lead", "{} steps, {:g} ms earlier than the checkpoint's own model".format(
                 model["lead_steps"], model["lead_steps"] * step)),
             ("widths", "weights {weights} bits, currents {current}, membranes {membrane}, decays "
                        "{decay}; {fraction} fraction bits".format(
                            weights=" and ".join(map(str, _weight_bits(model))),
                            **model["widths"]))]
    shifts = dict.fromkeys(f"{p['source']}->{p['target']} {p['shift']}"
                           for p in model["projections"] if p.get("shift"))
    if shifts:
        rows.append(("shifts", f"weights to the left, in bits: {', '.join(shifts)}"))
    if "calibration" in manifest:
        rows += _calibration(manifest["calibration"])
    if "values" in manifest:
        rows.append(("values", "at most {bits} bits, with room for {margin:g} times those over "
                               "{source}".format(**manifest["values"])))
    if "dropped" in manifest:
        rows.append(("dropped", "{channels} channels, {neurons} neurons; {empty_rows} rows of "
                                "zeros kept, {shared_rows} shared".format(**manifest["dropped"])))
    output = {population["name"]: _output(population) for population in model["populations"]}
    rows += [_alike(list(group), output) for _, group in groupby(model["projections"], _form)]
    if "non_zeros" in manifest:
        rows.append(("non-zeros", f"{manifest['non_zeros']} weights"))
    rows += costs
    rows += [("warning", warning) for warning in manifest.get("warnings", ())]
    width = max(len(key) for key, _ in rows)
    return "\n".join(f"{key:{width}}  {value}" for key, value in rows)


def _weight_bits(model: dict) -> list[int]:
    return sorted({p["bits"] for p in model["projections"]}, reverse=True)


def _form(projection: dict) -> tuple:
    """What projections that share a line have in common."""
    late = projection.get("until", projection["delay"]) - projection["delay"]
    return projection["source"], projection["target"], projection["bits"], late


def _alike(projections: list[dict], output: dict[str, bool]) -> tuple[str, str]:
    """Title and text of a line about projections of one `_form`, which differ in their delays."""
    source, target, bits, late = _form(projections[0])
    title, name = f"{source}->{target}", role(source, target, not output[target])
    delays = [p["delay"] for p in projections]
    told = f"delay {delays[0]}" if len(delays) == 1 else f"delays {_listed(delays)}"
    if late:
        told += (f", subtracted after {delays[0] + late} steps" if len(delays) == 1 else
                 f", each subtracted {late} steps later")
    return title, f"{'' if name == title else f'{name}, '}{bits} bits, {told}"


def _listed(delays: list[int]) -> str:
    """``0, 1, .. 8`` for numbers that are equally far apart, if there are many."""
    apart = {after - before for before, after in zip(delays[:-1], delays[1:], strict=True)}
    if len(delays) > 4 and len(apart) == 1:
        return f"{delays[0]}, {delays[1]}, .. {delays[-1]}"
    return f"{', '.join(map(str, delays[:-1]))} and {delays[-1]}"


def _output(population: dict) -> bool:
    return not population["spiking"] and population.get("kind", "sum") == "sum"


def _shape(model: dict) -> str:
    parts = [f"{model['channels']} channels"]
    for population in model["populations"]:
        if population["name"] == CONSTANT:      # the source of biases
            continue
        loops = any(p["source"] == p["target"] == population["name"] for p in model["projections"])
        kinds = [kind for kind, holds in (("recurrent", loops),
                                          ("output", _output(population))) if holds]
        note = f" ({', '.join(kinds)})" if kinds else ""
        parts.append(f"{population['size']} {population['name']}{note}")
    return " -> ".join(parts)


def _calibration(calibration: dict) -> list[tuple[str, str]]:
    seen = ("{source}: peaks {current_peak:.0f} and {membrane_peak:.0f} weight LSB, margin "
            "{margin:g}").format(**calibration)
    proof = calibration["proven_bits"]
    spikes = "spike" if proof["events_per_channel"] == 1 else "spikes"
    safe = (f"{proof['current']} and {proof['membrane']} bits hold every input of at most "
            f"{proof['events_per_channel']} {spikes} per channel and step")
    if proof["current"] is None or proof["membrane"] is None:
        safe = "none: a neuron sums its input without a leak, so no width is enough for every input"
    cost = calibration["state_bits"]
    states = (f"{calibration['states']}; memory: calibrated {cost['calibrated']} bits, "
              f"proven {'none' if cost['proven'] is None else cost['proven']} bits")
    return [("calibration", seen), ("proven", safe), ("states", states)]
