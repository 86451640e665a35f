# SPDX-License-Identifier: Apache-2.0
"""Networks and models: read a network, round it to integers, load a model."""

import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spikewright.base.errors import InputError, refused_files
from spikewright.base.files import as_path, real_path
from spikewright.base.version import maker
from spikewright.golden.check import changed_behaviour
from spikewright.model.integers import Widths
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.network.checkpoint import checkpoint_hash, read_checkpoint
from spikewright.network.constants import MOST_DT, is_dt
from spikewright.network.graded.network import AnyNetwork, GradedNetwork
from spikewright.network.network import Network
from spikewright.network.nir.file import NIR_SUFFIX
from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from spikewright.network.recording import Recording, read_recording, simulated_recording
from spikewright.quantize.compile import compile_network, printable
from spikewright.quantize.graded.compile import compile_graded
from spikewright.quantize.rules import Rules

__all__ = ["checked", "compose", "default_name", "load", "quantize", "quantize_options",
           "read", "reading_options", "reading_warnings"]

# Where each network was read from, and the options and warnings of those from NIR files.
_FILES: weakref.WeakKeyDictionary[AnyNetwork, Path] = weakref.WeakKeyDictionary()
_NIR: weakref.WeakKeyDictionary[AnyNetwork, tuple[dict, tuple[str, ...]]] = (
    weakref.WeakKeyDictionary())


@refused_files()
def read(path: str | Path, *, step: float | None = None, framework: str | None = None,
         dt: float | None = None, readout: str | None = None, inputs: Sequence[str] = (),
         nodes: dict[str, dict] | None = None, **answers: str | float) -> AnyNetwork:
    """Read a network file: a checkpoint, a description of one as .json, or a NIR graph as .nir.

    A checkpoint is a .safetensors, .pth, .pt or .ckpt file. docs/howto/checkpoint.md has the kinds.
    Some of them are `network.graded.network.GradedNetwork`. The others are `network.Network`.

    Parameters
    ----------
    path : path
    step : float, optional
        Seconds per step, as recordings have them. By default, what the file says. Without that, 4
        ms, and for a NIR graph ``dt``.
    framework, dt, readout, inputs, nodes
        For NIR graphs: what the file does not say. docs/howto/nir.md has a table of them.
    **answers
        For NIR graphs: ``decay``, ``gain``, ``syn_gain``, ``order``, ``reset``, ``compare``,
        ``v_reset``, ``v0``, ``back_delay`` and ``source_delay`` of all nodes. ``nodes`` has those
        of single nodes, such as ``{"lif2": {"reset": "none"}}``.

    Raises
    ------
    InputError
        If the file has another form, or a NIR graph needs an option that is not given. The message
        names the fault.
    """
    path = as_path(path)
    if step is not None and not is_dt(step):
        raise InputError(f"Option step must be seconds between 0 and {MOST_DT}, not {step!r}")
    if not isinstance(inputs, list | tuple) or not all(isinstance(name, str) for name in inputs):
        raise InputError(f"Option inputs must be a list of names, not {inputs!r}")
    if nodes is not None and not (isinstance(nodes, dict) and all(
            isinstance(each, dict) for each in nodes.values())):
        raise InputError("Option nodes must be a dict with a dict of options for each name, not "
                         f"{nodes!r}")
    network: AnyNetwork
    options = Options(framework=framework, dt=dt, readout=readout, inputs=tuple(inputs),
                      nodes=nodes or {}, answers=answers)
    if path.suffix == NIR_SUFFIX:
        reading = read_nir(path, options)
        network, facts, warnings = reading.network, reading.options, reading.warnings
        if step is not None:
            network, facts = replace(network, dt=float(step)), {**facts, "step": step}
        elif not reading.has_step:
            warnings += ((f"A step takes {network.dt:g} s, as every file of {framework} says. "
                          "--step gives the seconds of yours"),)
        _NIR[network] = facts, warnings
    elif options != Options():
        other = "" if dt is None else ": for this file, give --step"
        raise InputError(f"Options of NIR graphs must come with a {NIR_SUFFIX} file, not "
                         f"{path.name!r}{other}")
    else:
        network = read_checkpoint(path, step)
    _FILES[network] = path
    return network


def reading_options(network: AnyNetwork) -> dict | None:
    """How the NIR graph of ``network`` was read, in the form of a manifest; None without one."""
    return _NIR[network][0] if network in _NIR else None


def reading_warnings(network: AnyNetwork) -> tuple[str, ...]:
    """What was repaired, left out or assumed when ``network`` was read, one line each."""
    return _NIR[network][1] if network in _NIR else ()


@refused_files()
def quantize(network: AnyNetwork, *, calibrate: str | Path | None = None, name: str | None = None,
             weight_bits: int = Widths.weight, current_bits: int = Widths.current,
             membrane_bits: int = Widths.membrane, decay_bits: int = Widths.decay,
             projection_bits: dict[str, int] | None = None, states: str = Rules.states,
             events_per_channel: int = Rules.events_per_channel,
             decay_terms: int | None = Rules.decay_terms,
             retime: bool = Rules.retime) -> Model:
    """Round a network to integers.

    Parameters
    ----------
    network : Network or GradedNetwork
        The result of `read`.
    calibrate : path, optional
        Recording whose spikes set the scale of the currents and membrane potentials. None for
        simulated spikes.
    name : str, optional
        Name of the model, 1 to 100 printable characters. None for the name of the network file, or
        of the folder of a file ``final``.
    weight_bits, current_bits, membrane_bits, decay_bits : int
        Bits of a weight (2 to 16), of a synaptic current and of a membrane potential (8 to 32),
        and of a decay factor (4 to 16).
    projection_bits : dict of str to int, optional
        Weight bits of some projections, such as ``{"input": 4}``. The others have ``weight_bits``.
    states : str
        ``calibrated``: currents and membrane potentials have the bits given above. ``proven``: they
        have as many bits as are needed so that no input saturates them.
    events_per_channel : int
        Most spikes of one channel in one step that the proof assumes, 1 to 255.
    decay_terms : int, optional
        Make each decay factor a sum of at most this many signed powers of two, 1 to 4. None for
        no limit.
    retime : bool
        Whether outputs come as early as the delays of the network allow. Otherwise they come at the
        time of the network file.

    Returns
    -------
    Model
        A model with ``warnings``: possible surprises, one line each.

    Raises
    ------
    InputError
        If an argument is out of its range, or the recording is for another network.
    """
    if not isinstance(network, Network | GradedNetwork):
        raise InputError(f"Network must be one that read() gives, not {type(network).__name__}")
    if calibrate is not None:
        as_path(calibrate)
    if projection_bits is not None and not isinstance(projection_bits, dict):
        raise InputError(f"Projection bits must be a dict, not {projection_bits!r}")
    options = quantize_options(
        calibrate, weight_bits=weight_bits, current_bits=current_bits,
        membrane_bits=membrane_bits, decay_bits=decay_bits, projection_bits=projection_bits,
        states=states, events_per_channel=events_per_channel, decay_terms=decay_terms,
        retime=retime)
    recording = read_recording(as_path(calibrate)) if calibrate is not None else None
    return checked(compose(network, recording, options, name), recording)


def compose(network: AnyNetwork, recording: Recording | None, options: dict,
            name: str | None = None) -> Model:
    """Round a network, and collect what its manifest says of its origin.

    Parameters
    ----------
    network : Network or GradedNetwork
    recording : Recording, optional
        Spikes to calibrate with; None for simulated spikes.
    options : dict
        The result of `quantize_options`.
    name : str, optional
        As in `quantize`.

    Raises
    ------
    InputError
        If an option is out of its range, or the recording is for another network.
    """
    path = _FILES.get(network)
    if name is None:
        name = default_name(path) if path else "network"
    try:
        integers, rounded, facts = (
            _compile_graded(network, recording, options, name) if isinstance(network, GradedNetwork)
            else _compile(network, recording, options, name))
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    source = {} if path is None else {
        "checkpoint": {"file": printable(path.name), "sha256": checkpoint_hash(path)}}
    options_of_graph = reading_options(network)
    if options_of_graph is not None:
        source["nir"] = options_of_graph
        facts["warnings"] = [*reading_warnings(network), *facts["warnings"]]
    return Model(integers=integers, network=rounded,
                 facts={**source, "made_by": maker(), "options": options, **facts})


def default_name(path: Path) -> str:
    """Name of a model of the network file ``path``: that of the file, without its extension.

    `spikewright train` writes a file ``final``. It has the name of its folder, or of the folder of
    that where it is ``trained``.
    """
    path = real_path(path)
    names = (path.stem, path.parent.name, path.parent.parent.name)
    name = next((name for name in names if name not in ("final", "trained", "")), path.stem)
    return printable(name)[:100]


def _compile(network: Network, recording: Recording | None, options: dict,
             name: str) -> tuple[IntegerModel, AnyNetwork, dict]:
    return compile_network(
        network, name=name, recording=recording, projection_bits=options["projection_bits"],
        widths=Widths(weight=options["weight_bits"], current=options["current_bits"],
                      membrane=options["membrane_bits"], decay=options["decay_bits"], fraction=0),
        rules=Rules(states=options["states"], decay_terms=options["decay_terms"],
                    retime=options["retime"], events_per_channel=options["events_per_channel"]))


def _compile_graded(network: GradedNetwork, recording: Recording | None, options: dict,
                    name: str) -> tuple[IntegerModel, AnyNetwork, dict]:
    for key, usual in quantize_options().items():
        if key not in ("weight_bits", "calibrate_sha256") and options[key] != usual:
            raise InputError(f"Option {key} must be left out for a graded network, which has no "
                             f"such choice, not {options[key]!r}")
    model, facts = compile_graded(network, name=name, recording=recording,
                                  weight_bits=options["weight_bits"])
    return model, network, facts


def checked(model: Model, recording: Recording | None, retrained: bool = False) -> Model:
    """Add a warning for each way in which the model behaves unlike its network.

    Both decode ``recording``, or simulated spikes if it is None. ``retrained`` is whether the
    integers were trained after rounding.
    """
    more = changed_behaviour(model.integers, model.network,
                             recording or simulated_recording(model.network), retrained)
    return replace(model, facts={**model.facts, "warnings": [*model.warnings, *more]})


def quantize_options(calibrate: str | Path | None = None, *, weight_bits: int = Widths.weight,
                     current_bits: int = Widths.current, membrane_bits: int = Widths.membrane,
                     decay_bits: int = Widths.decay,
                     projection_bits: dict[str, int] | None = None, states: str = Rules.states,
                     events_per_channel: int = Rules.events_per_channel,
                     decay_terms: int | None = Rules.decay_terms,
                     retime: bool = Rules.retime) -> dict:
    """Return arguments of `quantize` in the form that the manifest has."""
    return {"weight_bits": weight_bits, "current_bits": current_bits,
            "membrane_bits": membrane_bits, "decay_bits": decay_bits,
            "projection_bits": dict(sorted((projection_bits or {}).items())), "states": states,
            "events_per_channel": events_per_channel, "decay_terms": decay_terms, "retime": retime,
            "calibrate_sha256": None if calibrate is None else checkpoint_hash(Path(calibrate))}


def load(folder: str | Path) -> Model:
    """Read a model folder; see `Model.load`."""
    return Model.load(folder)
