# SPDX-License-Identifier: Apache-2.0
"""The model artefact: one folder with manifest.json, tables.npz and network.npz."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from spikewright.base.arrays import read_arrays
from spikewright.base.errors import InputError
from spikewright.base.files import written_folder
from spikewright.network.graded.form import from_form, to_form
from spikewright.network.graded.network import AnyNetwork, GradedNetwork
from spikewright.network.network import Network, Population, Projection
from spikewright.network.nir.file import NIR_SUFFIX
from spikewright.network.state_dicts.description import SUFFIX as DESCRIPTION
from spikewright.network.tensors import SUFFIXES

from .graded import GradedPopulation
from .integers import IntegerPopulation, IntegerProjection, Widths
from .manifest import SCHEMA, check_manifest, present_form
from .model import IntegerModel

__all__ = ["load_artefact", "load_manifest", "load_model", "load_network", "model_hash",
           "model_tables", "network_hash", "save_artefact"]

_POPULATION = ("kept", "synaptic_decay", "membrane_decay", "threshold")
_UNITS = ("bias", "factor", "shift")

# When a population is updated. Most are updated in every step.
_USUAL = {"period": 1, "phase": 0}

# What a model does in its first steps, and in a normalized window. Most models have none.
_STARTS = ("silent_steps", "fill_steps", "epsilon")
_FLOAT_POPULATION = ("synaptic_decay", "membrane_decay", "threshold")


def save_artefact(folder: Path, model: IntegerModel, network: AnyNetwork, facts: dict) -> dict:
    """Write the artefact of ``model`` and return its manifest.

    Parameters
    ----------
    folder : Path
        Replaced as a whole, and only once everything is written.
    model : IntegerModel
    network : Network
        The float network that ``model`` was rounded from. Reports measure against it.
    facts : dict
        Further entries of the manifest, such as ``checkpoint``, ``calibration`` and ``dropped``.

    Raises
    ------
    InputError
        If ``folder`` has other contents than a model.
    """
    manifest = {"schema": SCHEMA, "model_hash": model_hash(model),
                "network_hash": network_hash(network),
                "model": {"name": model.name, **_model_shape(model)},
                "network": _network_shape(network), **facts}
    manifest["manifest_hash"] = _text_digest(manifest)
    with written_folder(folder, "manifest.json") as temporary:
        np.savez_compressed(temporary / "tables.npz",
                            **model_tables(model))  # type: ignore[arg-type]
        np.savez_compressed(temporary / "network.npz",
                            **_network_tables(network))  # type: ignore[arg-type]
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n",
                                                 encoding="utf-8")
    return manifest


def load_manifest(folder: Path) -> dict:
    """Read and check ``manifest.json``. A manifest of an older schema is converted to the present.

    Raises
    ------
    InputError
        If there is no manifest, or if it is damaged, was changed, or has a newer schema.
    """
    return _read_manifest(folder)[1]


def load_artefact(folder: Path) -> tuple[IntegerModel, dict]:
    """Read the integer model and its manifest.

    Raises
    ------
    InputError
        If the folder is no model, or if a file in it is damaged or was changed.
    """
    written, manifest = _read_manifest(folder)
    return _read_integers(folder, written, manifest), manifest


def load_network(folder: Path) -> AnyNetwork:
    """Read the float network of an artefact.

    Raises
    ------
    InputError
        As for `load_artefact`.
    """
    return _read_network(folder, *_read_manifest(folder))


def load_model(folder: Path) -> tuple[IntegerModel, AnyNetwork, dict]:
    """Read the integer model, the network that it was rounded from, and their one manifest.

    Raises
    ------
    InputError
        As for `load_artefact`, and if the folder is replaced meanwhile.
    """
    written, manifest = _read_manifest(folder)
    model = _read_integers(folder, written, manifest)
    network = _read_network(folder, written, manifest)
    with _refusing(folder):
        _check_alike(model, network)
    return model, network, manifest


def _read_integers(folder: Path, written: dict, manifest: dict) -> IntegerModel:
    tables, shape = _tables(folder, written, "model", "tables.npz"), manifest["model"]
    with _refusing(folder):
        if written["schema"] == 1:
            tables["readout"] = np.diag(tables["output_scale"])
        populations = tuple(_integer_population(p, tables) for p in shape["populations"])
        projections = tuple(
            IntegerProjection(**p, weights=_array(tables, _weights_key(k, p), "int64", 2))
            for k, p in enumerate(shape["projections"]))
        return IntegerModel(
            name=shape["name"], dt=shape["dt"], widths=Widths(**shape["widths"]),
            channels=shape["channels"], channel_row=_array(tables, "channel_row", "int64", 1),
            populations=populations, projections=projections,
            readout=_array(tables, "readout", "float64", 2), lead_steps=shape["lead_steps"],
            **{key: shape[key] for key in _STARTS if key in shape}, **_offset(shape))


def _integer_population(entry: dict, tables: dict) -> IntegerPopulation | GradedPopulation:
    """A population from its entry in the manifest, and its arrays."""
    arrays: dict = {key: _array(tables, f"{entry['name']}.{key}", "int64", 1)
                    for key in (_UNITS if "kind" in entry else _POPULATION)}
    if "kind" not in entry:
        return IntegerPopulation(**entry, **arrays)
    return GradedPopulation(name=entry["name"], kind=entry["kind"], size=entry["size"],
                            bits=entry["bits"], **_period(entry), **arrays)


def _period(entry: dict) -> dict:
    return {key: entry[key] for key in _USUAL if key in entry}


def _read_network(folder: Path, written: dict, manifest: dict) -> AnyNetwork:
    floats, form = _tables(folder, written, "network", "network.npz"), manifest["network"]
    with _refusing(folder):
        if "stages" in form:
            return from_form(form, floats)
        populations = tuple(
            Population(**p | {key: _array(floats, f"{p['name']}.{key}", "float64", 1)
                              for key in _FLOAT_POPULATION})
            for p in form["populations"])
        projections = tuple(
            Projection(**p, weights=_array(floats, _weights_key(k, p), "float64", 2))
            for k, p in enumerate(form["projections"]))
        # A folder of schema 1 has no readout. There the outputs are the velocity.
        readout = {} if written["schema"] == 1 else {
            "readout": _array(floats, "readout", "float64", 2)}
        return Network(channels=form["channels"], dt=form["dt"], populations=populations,
                       projections=projections, lead_steps=form["lead_steps"],
                       **_offset(form), **readout)


def _check_alike(model: IntegerModel, network: AnyNetwork) -> None:
    """Check that the integers have the form of the network that they were rounded from."""
    forms: list[tuple[str, object, object]] = [
        ("channels", model.channels, network.channels), ("dt", model.dt, network.dt),
        ("lead_steps", model.lead_steps, network.lead_steps),
        ("axes", model.axes, len(network.readout)), ("outputs", model.outputs, network.outputs)]
    if isinstance(network, Network):
        forms += [
            ("populations", [(p.name, p.spiking, p.size) for p in model.populations],
             [(p.name, p.spiking, p.neurons) for p in network.populations]),
            ("projections", [(p.source, p.target, p.delay) for p in model.projections],
             [(p.source, p.target, p.delay) for p in network.projections])]
    for name, integer, exact in forms:
        if integer != exact:
            raise ValueError(f"its {name} must be {exact}, as its network has, not {integer}")


def _read_manifest(folder: Path) -> tuple[dict, dict]:
    """The manifest as it was written, and the manifest in the present form.

    Hashes are computed from the manifest as it was written.
    """
    path = Path(folder) / "manifest.json"
    if not path.is_file():
        raise InputError(_no_model(Path(folder)))
    damaged = f"{path} must be the manifest of a model, not a damaged file"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        schema, digest = manifest["schema"], _text_digest(manifest)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(damaged) from error
    if type(schema) is not int or schema < 1:
        raise InputError(f"{path} schema must be a whole number from 1 to {SCHEMA}, not "
                         f"{schema!r}: build the model again")
    if schema > SCHEMA:
        raise InputError(f"{path} schema must be at most {SCHEMA}, not {schema}: it was made by a "
                         "newer Spikewright")
    if "manifest_hash" not in manifest:
        raise InputError(damaged)
    if manifest["manifest_hash"] != digest:
        raise InputError(f"{path} must be as it was written, not changed: build the model again")
    try:
        present = present_form(manifest)
        check_manifest(present)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} {error}: build the model again" if type(error) is ValueError
                         else damaged) from error
    return manifest, present


def _no_model(path: Path) -> str:
    """What is wrong with ``path``, which is no model."""
    rule = "Model must be a folder made by 'spikewright quantize', not "
    if (path.is_file() and path.suffix in (*SUFFIXES, DESCRIPTION, NIR_SUFFIX)
            and path.name != "manifest.json"):
        return (f"{rule}the network file {str(path)!r}: round it with 'spikewright quantize {path} "
                "-o MODEL'")
    if path.is_dir():
        return f"{rule}{str(path)!r}: it has no manifest.json"
    if path.exists():
        return f"{rule}the file {str(path)!r}"
    return f"{rule}{str(path)!r}: there is none"


def _tables(folder: Path, manifest: dict, part: str, name: str) -> dict[str, np.ndarray]:
    """Arrays of the file ``name``. Their hash must be the manifest's hash of ``part``."""
    path = Path(folder) / name
    try:
        tables = read_arrays(path)
    except FileNotFoundError as error:
        raise InputError(f"Model {folder} must hold {name}; it is missing") from error
    except ValueError as error:
        raise InputError(f"{path} must be a whole file, not a truncated or damaged one: build the "
                         "model again") from error
    # In schema 1 the name of a model was part of its hash.
    shape = {key: value for key, value in manifest[part].items()
             if key != "name" or manifest["schema"] == 1}
    digest, expected = _digest(shape, tables), manifest[f"{part}_hash"]
    if digest != expected:
        raise InputError(f"{path} must have hash {expected[:16]}, as the manifest says, not "
                         f"{digest[:16]}: it was changed, build the model again")
    return tables


@contextlib.contextmanager
def _refusing(folder: Path) -> Iterator[None]:
    """Turn an error in the block into an InputError that names the model in ``folder``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"there is no array {error}" if isinstance(error, KeyError) else error
        raise InputError(f"Model {folder} must be whole, but {reason}: build the model again"
                         ) from error


def _array(tables: dict[str, np.ndarray], key: str, kind: str, axes: int) -> np.ndarray:
    array = tables[key]
    if array.dtype != kind or array.ndim != axes:
        raise ValueError(f"array {key} must be {kind} of {axes} axes, not {array.dtype} of "
                         f"{array.ndim}")
    return array


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
    """SHA-256, in hex, of everything that a model computes with. The name is not included."""
    return _digest(_model_shape(model), model_tables(model))


def network_hash(network: AnyNetwork) -> str:
    """SHA-256, in hex, of everything that a network computes with."""
    return _digest(_network_shape(network), _network_tables(network))


def model_tables(model: IntegerModel) -> dict[str, np.ndarray]:
    """Arrays of a model by their keys in tables.npz, which docs/contracts.md describes."""
    tables = {"channel_row": model.channel_row, "readout": model.readout}
    for population in model.populations:
        tables |= {f"{population.name}.{key}": getattr(population, key)
                   for key in (_UNITS if isinstance(population, GradedPopulation)
                               else _POPULATION)}
    return tables | _weights(model.projections)


def _network_tables(network: AnyNetwork) -> dict[str, np.ndarray]:
    if isinstance(network, GradedNetwork):
        return to_form(network)[1]
    tables = {"readout": network.readout}
    for population in network.populations:
        tables |= {f"{population.name}.{key}": getattr(population, key)
                   for key in _FLOAT_POPULATION}
    return tables | _weights(network.projections)


def _weights(projections: Sequence[IntegerProjection | Projection]) -> dict[str, np.ndarray]:
    return {_weights_key(k, vars(p)): p.weights for k, p in enumerate(projections)}


def _weights_key(index: int, projection: dict) -> str:
    # Two projections may join the same populations, with different delays.
    return f"{index}.{projection['source']}.{projection['target']}.weights"


def _model_shape(model: IntegerModel) -> dict:
    return {"dt": model.dt, "channels": model.channels, "lead_steps": model.lead_steps,
            "widths": asdict(model.widths),
            "populations": [{"name": p.name, "spiking": p.spiking, "size": p.size, **_kind(p)}
                            for p in model.populations],
            "projections": [{"source": p.source, "target": p.target, "delay": p.delay,
                             "bits": p.bits, "shift": p.shift,
                             **({} if p.until is None else {"until": p.until})}
                            for p in model.projections],
            **{key: getattr(model, key) for key in _STARTS if getattr(model, key)},
            **_said_offset(model)}


def _kind(population: IntegerPopulation | GradedPopulation | Population) -> dict:
    """What differs from the neurons that a model had at first, whose hashes stay as they were."""
    usual = {"reset": "zero_lose", "at_least": False} | _USUAL
    rest = {key: getattr(population, key) for key, value in usual.items()
            if getattr(population, key, value) != value}
    if isinstance(population, GradedPopulation):
        return {"kind": population.kind, "bits": population.bits} | rest
    return rest


def _network_shape(network: AnyNetwork) -> dict:
    if isinstance(network, GradedNetwork):
        return to_form(network)[0]
    return {"channels": network.channels, "dt": network.dt, "lead_steps": network.lead_steps,
            "populations": [{"name": p.name, "spiking": p.spiking, **_kind(p)}
                            for p in network.populations],
            "projections": [{"source": p.source, "target": p.target, "delay": p.delay}
                            for p in network.projections],
            **_said_offset(network)}


def _said_offset(part: IntegerModel | Network) -> dict:
    """The entry ``offset``. A part without one has the hash that it had in older versions."""
    return {"offset": part.offset.tolist()} if part.offset.any() else {}


def _offset(shape: dict) -> dict:
    return {"offset": np.array(shape["offset"], np.float64)} if "offset" in shape else {}
