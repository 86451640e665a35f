# SPDX-License-Identifier: Apache-2.0
"""Decode a recording with a model."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikewright.base.arrays import write_arrays
from spikewright.base.cache import cache_folder
from spikewright.base.errors import InputError, is_choice, refused_files
from spikewright.base.files import as_path
from spikewright.golden.run import run_golden
from spikewright.host.decoder import connected
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.network.graded.network import AnyNetwork, GradedNetwork
from spikewright.network.graded.run import run_float
from spikewright.network.network import Network
from spikewright.network.recording import Recording, read_recording
from spikewright.plan.config import CLOCK_MHZ, CoreConfig, check_clock, chosen, line_baud
from spikewright.plan.plan import suited

__all__ = ["Result", "run"]

BACKENDS = ("float", "golden", "rtl", "virtual")


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """The result of a run.

    Parameters
    ----------
    velocity : ndarray of float64, shape (steps, axes)
        Decoded velocity, in the unit of the network.
    velocity_int : ndarray of int64, shape (steps, outputs), or None
        Membrane potentials of the output neurons. None for ``float``.
    spikes : ndarray of bool, shape (steps, neurons), or None
        Spikes of all spiking populations, in neighbouring columns. None for ``virtual`` and boards,
        because the link does not carry spikes.
    populations : dict of str to ndarray of bool, shape (steps, neurons)
        Spikes of each spiking population.
    cycles, latency : ndarray of int64, shape (steps,), or None
        Clock cycles of each step, and clock cycles from its last spike to its output.
    saturated : ndarray of bool, shape (steps,), or None
        Whether a current or membrane potential has saturated since the last reset.
    values : ndarray of int64, shape (steps, units), or None
        Values of the graded units that are no outputs. None for other networks.
    """

    velocity: np.ndarray
    velocity_int: np.ndarray | None = None
    spikes: np.ndarray | None = None
    populations: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    cycles: np.ndarray | None = None
    latency: np.ndarray | None = None
    saturated: np.ndarray | None = None
    values: np.ndarray | None = None

    def __repr__(self) -> str:
        shapes = (f"{key}: {value.dtype} {value.shape}" for key, value in vars(self).items()
                  if isinstance(value, np.ndarray))
        return f"<Result {', '.join(shapes)}>"

    @refused_files()
    def save(self, path: str | Path) -> None:
        """Write an .npz file with a key for each array, and ``spikes_NAME`` for each population."""
        arrays = {key: value for key, value in vars(self).items()
                  if key != "populations" and value is not None}
        named = {f"spikes_{name.replace('.', '_')}": value
                 for name, value in self.populations.items()}
        write_arrays(as_path(path), arrays | named)


@refused_files()
def run(model: Model | AnyNetwork, recording: str | Path | Recording, *, backend: str = "golden",
        preset: str = "balanced", cache: str | Path | None = None, baud: int | None = None,
        megahertz: float = CLOCK_MHZ, **core) -> Result:
    """Decode a recording.

    Parameters
    ----------
    model : Model, or a network for ``float``
    recording : path or Recording
        A path is of an .npz file, see docs/contracts.md.
    backend : str
        ``float``: the network before rounding. ``golden``: the integer model. ``rtl``: the
        simulated core. ``virtual``: the simulated decoder with its serial line. ``board:`` and a
        port, such as ``board:/dev/ttyUSB1``: a board.
    preset : str
        ``small``, ``balanced`` or ``fast``: the core whose clock cycles are counted.
    cache : path, optional
        Folder that keeps compiled hardware. By default, it is in the user's cache folder.
    baud : int, optional
        Bits per second on the serial line, as the board was built. By default, 1,000,000, or for
        ``virtual`` an eighth of its clock where that is less.
    megahertz : float
        Clock of the virtual board, in MHz.
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
        If the simulated hardware breaks one of its own rules.
    """
    if not isinstance(model, Model | Network | GradedNetwork):
        raise InputError("Model must be one that load(), quantize() or read() gives, not "
                         f"{type(model).__name__}")
    on_board, port = str(backend).startswith("board:"), str(backend).partition(":")[2]
    if not on_board and not is_choice(backend, BACKENDS) or on_board and port in ("", "virtual"):
        raise InputError(f"Backend must be one of {', '.join(BACKENDS)}, or 'board:' and a port, "
                         f"not {backend!r}")
    check_clock(megahertz)
    line_baud(baud)
    config = chosen(preset, core, suited(model.integers) if isinstance(model, Model) else {})
    spikes = recording if isinstance(recording, Recording) else read_recording(as_path(recording))
    spikes.check_fits(model.channels, model.dt)
    if backend == "float":
        network = model.network if isinstance(model, Model) else model
        trace = run_float(network, spikes)
        return Result(velocity=trace.velocity, spikes=trace.spikes,
                      populations=_populations(network, trace.spikes))
    if not isinstance(model, Model):
        raise InputError(f"Backend must be float for a network that is not rounded to integers, "
                         f"not {backend!r}")
    if backend == "virtual" or on_board:
        return _run_link(model, spikes, port or "virtual", config, baud, megahertz, cache)
    if backend == "golden":
        answer = run_golden(model.integers, spikes, config)
    else:
        from spikewright.plan.plan import Plan
        from spikewright.sim.compiled import run_compiled
        plan = Plan(model=model.integers, config=config)
        answer = run_compiled(plan, spikes, cache_folder(cache))
    values = answer.values if model.integers.graded else None
    return Result(**{**vars(answer), "values": values},
                  populations=_populations(model.integers, answer.spikes))


def _run_link(model: Model, recording: Recording, port: str, config: CoreConfig, baud: int | None,
              megahertz: float, cache: str | Path | None) -> Result:
    """Decode on a board, or on the virtual one."""
    from spikewright.host.decode import decode
    with connected(port, model, config, baud=baud, megahertz=megahertz,
                   cache=cache) as driver:
        answer = decode(driver, model.integers, recording)
    return Result(velocity=answer.velocity, velocity_int=answer.velocity_int,
                  cycles=answer.cycles, saturated=answer.saturated)


def _populations(model: IntegerModel | AnyNetwork, spikes: np.ndarray) -> dict[str, np.ndarray]:
    return {name: spikes[:, columns] for name, columns in model.spike_columns.items()}
