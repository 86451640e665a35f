# SPDX-License-Identifier: Apache-2.0
"""The manifest of a model: the kind of each entry, and the conversion of older schemas."""

import reprlib

from .integers import WIDTH_LIMITS

__all__ = ["SCHEMA", "check_manifest", "present_form"]

SCHEMA = 2

KINDS = {int: "a whole number of 0 or more", float: "a number", bool: "true or false",
         str: "text", dict: "an object"}

# A kind is a type, a list of one kind, or a kind for each key. A key that ends in "?" may be
# missing. A value of kind COUNT may be null.
COUNT = int | None
PARTS = {
    "schema": int, "model_hash": str, "network_hash": str,
    "model": {
        "name": str, "dt": float, "channels": int, "lead_steps": int,
        "widths": dict.fromkeys(WIDTH_LIMITS, int),
        "populations": [{"name": str, "spiking": bool, "size": int, "reset?": str, "kind?": str,
                         "bits?": int, "period?": int, "phase?": int}],
        "projections": [{"source": str, "target": str, "delay": int, "bits": int, "shift": int,
                         "until?": int}],
        "offset?": [float], "silent_steps?": int, "fill_steps?": int, "epsilon?": int},
    "network": {
        "channels": int, "dt": float, "lead_steps": int,
        "populations": [{"name": str, "spiking": bool, "reset?": str, "at_least?": bool}],
        "projections": [{"source": str, "target": str, "delay": int}],
        "offset?": [float]}}

# The entry ``network`` of a graded network. `network.graded.form` checks its stages.
GRADED = {"kind": str, "channels": int, "dt": float, "stages": [dict]}

# A manifest may lack any of these facts, and may have others.
FACTS = {
    "checkpoint": {"file": str, "sha256": str},
    "finetuned": {"source": str, "steps": int, "epochs": int, "seed": int, "changed": int},
    "recalibrated": {"source": str, "steps": int, "epochs": int, "seed": int, "changed": int,
                     "model_hash": str, "axes": str, "order": str, "readout_only": bool},
    "calibration": {
        "rule": str, "states": str, "proven": bool, "source": str, "margin": float,
        "current_peak": float, "membrane_peak": float, "simulated": bool,
        "proven_bits": {"current": COUNT, "membrane": COUNT, "events_per_channel": int},
        "state_bits": {"calibrated": int, "proven": COUNT}},
    "values": {"bits": int, "margin": float, "source": str, "simulated": bool},
    "dropped": dict.fromkeys(("channels", "neurons", "empty_rows", "shared_rows"), int),
    "non_zeros": int, "warnings": [str]}


def present_form(manifest: dict) -> dict:
    """``manifest`` in the form of ``SCHEMA``. Its hashes are not changed.

    Raises
    ------
    KeyError, TypeError, AttributeError
        If the manifest does not have the entries of its schema.
    """
    if manifest["schema"] == SCHEMA:
        return manifest
    model = manifest["model"]
    widths = dict(model["widths"])
    narrow = widths.pop("narrow", {})
    projections = [{**p, "bits": narrow.get(f"{p['source']}->{p['target']}", widths["weight"])}
                   for p in model["projections"]]
    # Costs of the tables depend on the lanes. Lanes are not part of a model any more.
    rest = {key: value for key, value in manifest.items() if key not in ("tables", "table_bits")}
    return {**rest, "schema": SCHEMA,
            "model": {**model, "widths": widths, "projections": projections}}


def check_manifest(manifest: dict) -> None:
    """Check the kind of each entry of a manifest in the form of ``SCHEMA``.

    Raises
    ------
    ValueError
        If an entry has a wrong kind or is missing. The message names the entry.
    """
    network = manifest.get("network")
    graded = isinstance(network, dict) and "stages" in network
    for key, kind in (PARTS | ({"network": GRADED} if graded else {})).items():
        _check(manifest.get(key), kind, key, exact=True)
    for key, kind in FACTS.items():
        if key in manifest:
            _check(manifest[key], kind, key, exact=False)


def _check(value, kind, title, exact):
    """Check ``value`` against ``kind``. ``exact`` also refuses keys that the kind does not have."""
    shown = reprlib.repr(value)
    if isinstance(kind, dict):
        keys = value.keys() if type(value) is dict else set()
        needed = {key for key in kind if not key.endswith("?")}
        allowed = {key.removesuffix("?") for key in kind}
        found = ", ".join(keys)
        if not keys >= needed or (exact and not keys <= allowed):
            raise ValueError(f"{title} must have the entries "
                             f"{', '.join(key for key in kind if key in needed)}, not "
                             f"{found if found and found.isprintable() else shown}")
        for key, inner in kind.items():
            if (name := key.removesuffix("?")) in keys:
                _check(value[name], inner, f"{title}.{name}", exact)
    elif isinstance(kind, list):
        if type(value) is not list:
            raise ValueError(f"{title} must be a list, not {shown}")
        for k, entry in enumerate(value):
            _check(entry, kind[0], f"{title}[{k}]", exact)
    elif kind == COUNT:
        if value is not None:
            _check(value, int, title, exact)
    elif type(value) not in ((int, float) if kind is float else (kind,)) or (
            kind is int and value < 0):
        raise ValueError(f"{title} must be {KINDS[kind]}, not {shown}")
    elif kind is str and exact and not value.isprintable():
        raise ValueError(f"{title} must be printable text, not {shown}")
