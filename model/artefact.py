# SPDX-License-Identifier: Apache-2.0
"""The model artefact: one folder with manifest.json, tables.npz and network.npz."""

import hashlib
import json
from pathlib import Path

import numpy as np
from spikewright.base.arrays import read_arrays
from spikewright.base.cli import InputError, written_folder
from spikewright.network.network import Network, Population, Projection

from .model import IntegerModel, IntegerPopulation, IntegerProjection, Widths

__all__ = ["SCHEMA", "load_artefact", "load_manifest", "load_network", "model_hash",
           "model_tables", "save_artefact"]

SCHEMA = 1

_POPULATION = ("kept", "synaptic_decay", "membrane_decay", "threshold")
_FLOAT_POPULATION = ("synaptic_decay", "membrane_decay", "threshold")


def save_artefact(folder: Path, model: IntegerModel, network: Network, facts: dict) -> dict:
    """Write the artefact of ``model`` and return its manifest.

    Parameters
    ----------
    folder : Path
        Replaced as a whole, and only once everything is written.
    model : IntegerModel
    network : Network
        The float network that ``model`` was rounded from: what reports measure against.
    facts : dict
        Further entries of the manifest (checkpoint hash, calibration, what was dropped).
    """
    tables, shape = model_tables(model), _model_shape(model)
    floats, form = _network_tables(network), _network_shape(network)
    manifest = {"schema": SCHEMA, "model_hash": model_hash(model),
                "network_hash": _digest(form, floats), "model": shape, "network": form, **facts}
    manifest["manifest_hash"] = _text_digest(manifest)
    with written_folder(folder, "manifest.json") as temporary:
        np.savez_compressed(temporary / "tables.npz", **tables)  # type: ignore[arg-type]
        np.savez_compressed(temporary / "network.npz", **floats)  # type: ignore[arg-type]
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def load_manifest(folder: Path) -> dict:
    """Read and check ``manifest.json``."""
    path = Path(folder) / "manifest.json"
    if not path.is_file():
        raise InputError(f"Model must be a folder made by 'python -m quantize build', not "
                         f"{str(folder)!r}: it has no manifest.json")
    try:
        manifest = json.loads(path.read_text())
        schema, digest = manifest["schema"], manifest["manifest_hash"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} must be the manifest of a model, not a damaged file") from error
    if schema != SCHEMA:
        raise InputError(f"{path} schema must be {SCHEMA}, not {schema!r}: build the model again")
    if digest != _text_digest(manifest):
        raise InputError(f"{path} must be as it was written, not changed: build the model again")
    return manifest


def load_artefact(folder: Path) -> tuple[IntegerModel, dict]:
    """Read the integer model and its manifest; a table that was changed is refused."""
    manifest = load_manifest(folder)
    shape, tables = _read(folder, manifest, "model", "tables.npz", "model_hash")
    populations = tuple(
        IntegerPopulation(name=p["name"], spiking=p["spiking"], size=p["size"],
                          **{key: tables[f"{p['name']}.{key}"] for key in _POPULATION})
        for p in shape["populations"])
    projections = tuple(
        IntegerProjection(**p, weights=tables[_weights_key(k, p["source"], p["target"])])
        for k, p in enumerate(shape["projections"]))
    model = IntegerModel(
        name=shape["name"], dt=shape["dt"], widths=Widths(**shape["widths"]),
        channels=shape["channels"], channel_row=tables["channel_row"], populations=populations,
        projections=projections, output_scale=tables["output_scale"],
        lead_steps=shape["lead_steps"])
    return model, manifest


def load_network(folder: Path) -> Network:
    """Read the float network of an artefact."""
    manifest = load_manifest(folder)
    form, floats = _read(folder, manifest, "network", "network.npz", "network_hash")
    populations = tuple(
        Population(name=p["name"], spiking=p["spiking"],
                   **{key: floats[f"{p['name']}.{key}"] for key in _FLOAT_POPULATION})
        for p in form["populations"])
    projections = tuple(
        Projection(**p, weights=floats[_weights_key(k, p["source"], p["target"])])
        for k, p in enumerate(form["projections"]))
    return Network(channels=form["channels"], dt=form["dt"], populations=populations,
                   projections=projections, lead_steps=form["lead_steps"])


def _read(folder, manifest, part, name, hash_key):
    path = Path(folder) / name
    shape, expected = manifest[part], manifest[hash_key]
    try:
        tables = read_arrays(path)
    except FileNotFoundError as error:
        raise InputError(f"Model {folder} must hold {name}; it is missing") from error
    except ValueError as error:
        raise InputError(f"{path} must be a whole file, not a truncated or damaged one: build the "
                         "model again") from error
    digest = _digest(shape, tables)
    if digest != expected:
        raise InputError(f"{path} must have hash {expected[:16]}, as the manifest says, not "
                         f"{digest[:16]}: it was changed, build the model again")
    return shape, tables


def _text_digest(manifest: dict) -> str:
    rest = {key: value for key, value in manifest.items() if key != "manifest_hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _digest(shape: dict, tables: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode())
    for key in sorted(tables):
        array = np.ascontiguousarray(tables[key])
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def model_hash(model: IntegerModel) -> str:
    """Hash of everything that a model computes with, in hex."""
    return _digest(_model_shape(model), model_tables(model))


def model_tables(model: IntegerModel) -> dict[str, np.ndarray]:
    """Arrays of a model, as in tables.npz."""
    tables = {"channel_row": model.channel_row, "output_scale": model.output_scale}
    for population in model.populations:
        tables |= {f"{population.name}.{key}": getattr(population, key) for key in _POPULATION}
    return tables | _weights(model)


def _network_tables(network):
    tables: dict[str, np.ndarray] = {}
    for population in network.populations:
        tables |= {f"{population.name}.{key}": getattr(population, key)
                   for key in _FLOAT_POPULATION}
    return tables | _weights(network)


def _weights(network):
    return {_weights_key(k, p.source, p.target): p.weights
            for k, p in enumerate(network.projections)}


def _weights_key(index: int, source: str, target: str) -> str:
    # Two projections may join the same populations, with different delays.
    return f"{index}.{source}.{target}.weights"


def _model_shape(model):
    return {"name": model.name, "dt": model.dt, "channels": model.channels,
            "lead_steps": model.lead_steps, "widths": model.widths.as_dict(),
            "populations": [{"name": p.name, "spiking": p.spiking, "size": p.size}
                            for p in model.populations], "projections": [
                edge | {"shift": projection.shift}
                for edge, projection in zip(_edges(model), model.projections, strict=True)]}


def _network_shape(network):
    return {"channels": network.channels, "dt": network.dt, "lead_steps": network.lead_steps,
            "populations": [{"name": p.name, "spiking": p.spiking}
                            for p in network.populations], "projections": _edges(network)}


def _edges(network):
    return [{"source": p.source, "target": p.target, "delay": p.delay}
            for p in network.projections]
