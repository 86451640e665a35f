# SPDX-License-Identifier: Apache-2.0
"""The Python API: the work of the command `spikewright`, as functions."""

import dataclasses
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikewright.base.arrays import write_arrays
from spikewright.base.errors import InputError
from spikewright.base.version import maker
from spikewright.golden.check import changed_behaviour
from spikewright.golden.run import run_golden
from spikewright.host.decoder import Decoder, connected
from spikewright.model.model import Widths
from spikewright.model.saved import Model
from spikewright.network.checkpoint import checkpoint_hash, read_checkpoint
from spikewright.network.network import Network
from spikewright.network.recording import Recording, read_recording, simulated_recording
from spikewright.network.reference import run_reference
from spikewright.plan.config import BAUD, CLOCK_MHZ, CoreConfig, chosen
from spikewright.quantize.compile import compile_network, printable
from spikewright.quantize.rules import Rules

__all__ = ["Decoder", "Model", "Report", "Result", "build", "load", "quantize", "quantize_options",
           "read", "run"]

BACKENDS = ("float", "golden", "rtl", "virtual")

# Where each network was read from.
_FILES: weakref.WeakKeyDictionary[Network, Path] = weakref.WeakKeyDictionary()


def read(path: str | Path) -> Network:
    """Read a network file: .pth or .safetensors, in the layout of tinyRSNN.

    Raises
    ------
    InputError
        If the file has another form; the message names what is wrong.
    """
    network = read_checkpoint(Path(path))
    _FILES[network] = Path(path)
    return network


def quantize(network: Network, *, calibrate: str | Path | None = None, name: str | None = None,
             weight_bits: int = Widths.weight, current_bits: int = Widths.current,
             membrane_bits: int = Widths.membrane, decay_bits: int = Widths.decay,
             projection_bits: dict[str, int] | None = None, states: str = Rules.states,
             events_per_channel: int = Rules.events_per_channel,
             decay_terms: int | None = Rules.decay_terms) -> Model:
    """Round a network to integers.

    Parameters
    ----------
    network : Network
        The result of `read`.
    calibrate : path, optional
        Recording whose spikes set the scale of the states; None for simulated spikes.
    name : str, optional
        Name of the model, 1 to 100 printable characters; None for the name of the network's file.
    weight_bits, current_bits, membrane_bits, decay_bits : int
        Bits of a weight (2 to 16), of the states s and m (8 to 32), of a decay (4 to 16).
    projection_bits : dict of str to int, optional
        Bits of a weight of some projections, such as ``{"input": 4}``.
    states : str
        ``calibrated``: states as wide as given. ``proven``: so wide that no input saturates them.
    events_per_channel : int
        Most spikes of a channel in a step that the proof allows for, 1 to 255.
    decay_terms : int, optional
        Make each decay a sum of at most so many signed powers of two, 1 to 4.

    Returns
    -------
    Model
        Its ``warnings`` say what may surprise, one line each.

    Raises
    ------
    InputError
        If an argument is out of its range, or the recording is for another network.
    """
    path = _FILES.get(network)
    options = quantize_options(
        calibrate, weight_bits=weight_bits, current_bits=current_bits,
        membrane_bits=membrane_bits, decay_bits=decay_bits, projection_bits=projection_bits,
        states=states, events_per_channel=events_per_channel, decay_terms=decay_terms)
    recording = read_recording(Path(calibrate)) if calibrate is not None else None
    if name is None:
        name = printable(path.stem)[:100] if path else "network"
    try:
        integers, retimed, facts = compile_network(
            network, name=name, recording=recording, projection_bits=projection_bits,
            widths=Widths(weight=weight_bits, current=current_bits, membrane=membrane_bits,
                          decay=decay_bits, fraction=0),
            rules=Rules(states=states, events_per_channel=events_per_channel,
                        decay_terms=decay_terms))
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    facts["warnings"] = facts["warnings"] + changed_behaviour(
        integers, retimed, recording or simulated_recording(retimed))
    source = {} if path is None else {
        "checkpoint": {"file": printable(path.name), "sha256": checkpoint_hash(path)}}
    return Model(integers=integers, network=retimed,
                 facts={**source, "made_by": maker(), "options": options, **facts})


def quantize_options(calibrate: str | Path | None = None, *, weight_bits: int = Widths.weight,
                     current_bits: int = Widths.current, membrane_bits: int = Widths.membrane,
                     decay_bits: int = Widths.decay,
                     projection_bits: dict[str, int] | None = None, states: str = Rules.states,
                     events_per_channel: int = Rules.events_per_channel,
                     decay_terms: int | None = Rules.decay_terms) -> dict:
    """The arguments of `quantize` as a manifest keeps them, to recognise a model made with them."""
    return {"weight_bits": weight_bits, "current_bits": current_bits,
            "membrane_bits": membrane_bits, "decay_bits": decay_bits,
            "projection_bits": dict(sorted((projection_bits or {}).items())), "states": states,
            "events_per_channel": events_per_channel, "decay_terms": decay_terms,
            "calibrate_sha256": None if calibrate is None else checkpoint_hash(Path(calibrate))}


def load(folder: str | Path) -> Model:
    """Read a model folder; see `Model.load`."""
    return Model.load(folder)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """The result of a run.

    Parameters
    ----------
    velocity : ndarray of float64, shape (steps, axes)
        Physical units of the network.
    velocity_int : ndarray of int64, shape (steps, outputs), or None
        Membranes of the outputs; None for ``float``.
    spikes : ndarray of bool, shape (steps, neurons), or None
        All spiking populations, side by side; None from a link, which does not carry spikes.
    populations : dict of str to ndarray of bool, shape (steps, neurons)
        The spikes of each spiking population.
    cycles, latency : ndarray of int64, shape (steps,), or None
        Clock cycles of each step, and cycles from its last spike to its output.
    saturated : ndarray of bool, shape (steps,), or None
        Whether a state has saturated since the last reset.
    """

    velocity: np.ndarray
    velocity_int: np.ndarray | None = None
    spikes: np.ndarray | None = None
    populations: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    cycles: np.ndarray | None = None
    latency: np.ndarray | None = None
    saturated: np.ndarray | None = None

    def save(self, path: str | Path) -> None:
        """Write an .npz file: a key for each array, and ``spikes_NAME`` for each population."""
        arrays = {key: value for key, value in vars(self).items()
                  if key != "populations" and value is not None}
        named = {f"spikes_{name.replace('.', '_')}": value
                 for name, value in self.populations.items()}
        write_arrays(Path(path), arrays | named)


def run(model: Model, recording: str | Path, *, backend: str = "golden",
        preset: str = "balanced", cache: str | Path = "build/sim", baud: int = BAUD,
        megahertz: float = CLOCK_MHZ, **core) -> Result:
    """Decode a recording.

    Parameters
    ----------
    model : Model
    recording : path
        .npz, see docs/contracts.md.
    backend : str
        ``float``: the network before it was rounded. ``golden``: the integer model. ``rtl``: the
        compiled hardware. ``virtual``: the whole decoder with its serial line, compiled.
        ``board:`` and a port: a board.
    preset : str
        ``small``, ``balanced`` or ``fast``: the core whose cycles are counted.
    cache : path
        Folder that keeps compiled hardware.
    baud : int
        Bits a second on the serial line.
    megahertz : float
        Clock of the virtual board.
    **core
        Options that replace those of the preset: ``lanes``, ``tables``, ``weight_memory``,
        ``neurons``, ``multiplier``; see `plan.config.CoreConfig`.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        If an argument is wrong, or the recording is for another network.
    CoreFault
        If the compiled hardware breaks a rule of its own.
    """
    if backend not in BACKENDS and not backend.startswith("board:"):
        raise InputError(f"Backend must be one of {', '.join(BACKENDS)}, or 'board:' and a port, "
                         f"not {backend!r}")
    config = _config(preset, core)
    spikes = read_recording(Path(recording))
    spikes.check_fits(model.channels, model.dt)
    if backend == "float":
        trace = run_reference(model.network, spikes)
        return Result(velocity=trace.velocity, spikes=trace.spikes,
                      populations=_populations(model, trace.spikes))
    if backend == "virtual" or backend.startswith("board:"):
        return _run_link(model, spikes, backend.partition(":")[2] or "virtual", config, baud,
                         megahertz, cache)
    if backend == "golden":
        answer = run_golden(model.integers, spikes, config)
    else:
        from spikewright.plan.plan import Plan
        from spikewright.sim.compiled import run_compiled
        plan = Plan(model=model.integers, config=config)
        answer = run_compiled(plan, spikes, Path(cache))
    return Result(**vars(answer), populations=_populations(model, answer.spikes))


def _run_link(model: Model, recording: Recording, port: str, config: CoreConfig, baud: int,
              megahertz: float, cache: str | Path) -> Result:
    """Decode on a board, or on the virtual one."""
    from spikewright.host.decode import decode
    with connected(port, model, config, baud=baud, megahertz=megahertz,
                   cache=str(cache)) as driver:
        answer = decode(driver, model.integers, recording)
    return Result(velocity=answer.velocity, velocity_int=answer.velocity_int,
                  cycles=answer.cycles, saturated=answer.saturated)


def _populations(model: Model, spikes: np.ndarray) -> dict[str, np.ndarray]:
    return {name: spikes[:, columns]
            for name, columns in model.integers.spike_columns.items()}


def _config(preset: str, core: dict, **instead: str) -> CoreConfig:
    try:
        return chosen(preset, core, instead)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """The result of a build.

    Parameters
    ----------
    folder : Path
        Bitstream, report.html, report.json and logs.
    facts : dict
        The contents of report.json, see docs/contracts.md.
    """

    folder: Path
    facts: dict

    @classmethod
    def load(cls, folder: str | Path) -> "Report":
        """Read the report in a build folder.

        Raises
        ------
        InputError
            If there is no report, or it is damaged.
        """
        from spikewright.boards.flow.facts import load_facts
        return cls(folder=Path(folder), facts=load_facts(Path(folder)))

    @property
    def bitstream(self) -> Path:
        return self.folder / self.facts["board"]["bitstream"]

    def __str__(self) -> str:
        from spikewright.report.page import summary
        return summary(self.facts)


def build(model: Model, *, board: str, out: str | Path, preset: str = "balanced",
          megahertz: float | None = None, baud: int = BAUD, seed: int = 1,
          recording: str | Path | None = None, **core) -> Report:
    """Make the bitstream of a model for a board, and a report.

    Parameters
    ----------
    model : Model
    board : str
        Name of the board, as ``spikewright boards`` lists it.
    out : path
        Folder of the bitstream, report.html, report.json and logs: all of them, or none.
    preset, **core
        As in `run`. Options of the preset that this chip cannot support are replaced.
    megahertz : float, optional
        Clock of the decoder; None for the board's default.
    baud : int
        Bits a second on the serial line.
    seed : int
        Seed of the placement.
    recording : path, optional
        Recording that the report measures on; None for simulated spikes.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        If there is no such board, the design does not fit, or ``out`` holds something else.
    """
    from spikewright.boards.board.platforms import find_board
    from spikewright.boards.flow.build import build as build_folder
    chip = find_board(board)
    config = _config(preset, core, **chip.instead)
    with tempfile.TemporaryDirectory() as temporary:
        model.save(Path(temporary) / "model")
        facts = build_folder(Path(temporary) / "model", chip, Path(out), config=config,
                             megahertz=megahertz, baud=baud, seed=seed,
                             recording=None if recording is None else Path(recording))
    return Report(folder=Path(out), facts=facts)
