# SPDX-License-Identifier: Apache-2.0
"""Options and checks of the commands that train."""

import hashlib
import json
import os
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikewright.base.errors import InputError
from spikewright.base.files import real_path
from spikewright.network.recording import TARGETS, Recording
from spikewright.train.fitting.recipe import LIMITS, Recipe

from ..parser import whole_number

if TYPE_CHECKING:
    from spikewright.train.fitting.fit import Point
    from spikewright.train.fitting.model import TinyRSNN

__all__ = ["add_device", "add_recording", "add_settings", "add_target", "beside_linear",
           "check_device", "check_torch", "gru_scores", "network_scores", "one_training", "scored",
           "settings", "start_network", "state_file", "train", "write_run"]

SETTINGS = {"hidden": "hidden neurons", "epochs": "passes over the recording",
            "seed": "random seed"}


# Fewest held-out steps whose R2 says something. The error of an R2 of n independent steps is about
# 2 / sqrt(n), and steps of a movement are not independent: below 100, it is more than 0.2.
FEWEST_HELD_OUT = 100


def add_recording(parser: ArgumentParser) -> None:
    """Add the recording to train on."""
    parser.add_argument("recording", type=Path, metavar="RECORDING.npz",
                        help=".npz with spikes, and velocity or force; see docs/contracts.md")


def add_target(parser: ArgumentParser) -> None:
    """Add the key to decode."""
    parser.add_argument("--target", choices=TARGETS, default=None,
                        help="key of the recording to decode (default: velocity, or force if "
                        "there is no velocity)")


def add_settings(parser: ArgumentParser, recipe: type, *names: str) -> None:
    """Add the settings ``names`` of ``recipe``."""
    for name in names:
        low, high = LIMITS[name]
        parser.add_argument(f"--{name}", type=whole_number(low, high), metavar="N",
                            default=getattr(recipe, name),
                            help=f"{SETTINGS[name]}, {low} to {high} (default: "
                            f"{getattr(recipe, name)})")


def add_device(parser: ArgumentParser) -> None:
    """Add the device that trains."""
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where to train; cuda is a GPU "
                        "of NVIDIA (default: cpu)")


def check_device(arguments: Namespace) -> None:
    """Refuse to train on a GPU that torch does not find."""
    import torch
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError(f"Option --device must be cpu where torch {torch.__version__} finds no "
                         "GPU, not cuda")


def settings(recipe: type, arguments: Namespace):
    """Return the ``recipe`` that the ``arguments`` give, those of its name that are not None."""
    return recipe(**{name: value for name, value in vars(arguments).items()
                     if name in (*LIMITS, "device", "compiled") and value is not None})


def check_torch() -> None:
    """Refuse to train without torch."""
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "torch"
        raise InputError("Package torch must be installed to train (make torch, or pip install "
                         f"'spikewright[torch]'), not {'missing' if missing else 'damaged'}"
                         f"{'' if missing else f': {error}'}") from None


def state_file(result: Path) -> Path:
    """Return the file beside ``result``, a folder or file, for the state of its training."""
    result = real_path(result)
    return result.with_name(f"{result.name}.resume")


@contextmanager
def one_training(state: Path) -> Iterator[None]:
    """Let one training at a time have ``state``. Say after Ctrl-C or SIGTERM that it goes on there.

    The lock is the name of a socket, because such a name ends with its program in every case.
    """
    name = hashlib.sha256(os.fsencode(state)).hexdigest()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        try:
            lock.bind(f"\0spikewright-{name}")
        except OSError:
            raise InputError(f"Training of {state.with_suffix('')} must run once at a time, not "
                             "twice") from None
        try:
            yield
        except KeyboardInterrupt as stop:
            if state.exists():
                stop.args = (f"the same command goes on from the state in {state}",)
            raise


def train(arguments: Namespace, path: Path, title: Path, seen: Recording,
          unseen: Recording) -> dict:
    """Train on ``seen``, write the checkpoint ``path``, and print the score on ``unseen``.

    ``title`` is the final name of the checkpoint. Returns the R2 of each axis, ``r2_held_out``, and
    those of linear decoders, ``baselines``. An axis on which ``unseen`` does not move has None.

    The folder of ``path`` also gets config.json, with all settings, and curves.png, unless it is
    the folder of ``title``. The state of the training is in the `state_file` of the folder, or of
    ``title`` in this case. The caller removes the file once all results are in their place.
    """
    state = state_file(title if path == title else title.parent)
    with one_training(state):
        return _train(arguments, path, title, state, seen, unseen)


def _train(arguments: Namespace, path: Path, title: Path, state: Path, seen: Recording,
           unseen: Recording) -> dict:
    check_torch()
    from spikewright.network.tensors import TIMES
    from spikewright.train.fitting.fit import Point, fit
    from spikewright.train.fitting.model import TinyRSNN
    recipe = settings(Recipe, arguments)
    start  = None
    if getattr(arguments, "start", None):
        start = start_network(TinyRSNN, arguments.start, seen, recipe.hidden, TIMES[1])
    curves: list[Point] = []
    model = fit(seen, recipe, start=start, state=state, curves=curves)
    if path != title:
        write_run(path.parent, seen, curves, {
            "target": arguments.target, "recipe": asdict(recipe),
            "start": arguments.start and str(arguments.start)})
    model.checkpoint(path)
    scores = network_scores(model, unseen)
    return {**beside_linear(scores, seen, unseen, recipe.validation, "--epochs or --hidden"),
            "hidden": recipe.hidden, "epochs": recipe.epochs, "seed": recipe.seed}


def write_run(folder: Path, seen: Recording, curves: "list[Point]", options: Mapping) -> None:
    """Write curves.png and config.json, with facts of ``seen`` and the ``options``."""
    from spikewright.base.files import signature
    from spikewright.train.fitting.curves import draw_curves
    draw_curves(folder / "curves.png", curves)
    (folder / "config.json").write_text(json.dumps(
        {"recording": seen.name, "dt": seen.dt, "channels": seen.channels, "steps": seen.steps,
         **options, **signature()}, indent=2) + "\n", encoding="utf-8")


def network_scores(model: "TinyRSNN", unseen: Recording):
    """Print the size of a network, and how it decodes ``unseen``; return the R2."""
    from spikewright.network.metrics import r_squared
    from spikewright.train.fitting.predict import predict
    from spikewright.train.recording import target_velocity
    output, hidden = predict(model, unseen)
    scores  = r_squared(target_velocity(unseen), output)
    weights = model.matrices()
    kept    = sum(int(weight.count_nonzero()) for weight in weights)
    every   = sum(weight.numel() for weight in weights)
    print(f"network: {unseen.channels}-{hidden.shape[1]}-2, dt {model.dt:g} s, "
          f"{kept} of {every} weights, {1 - kept / every:.1%} pruned")
    print(f"held out, {unseen.steps} steps: {scored(scores)}, "
          f"{hidden.sum(1).mean():.2f} hidden spikes a step, {(~hidden.any(0)).sum()} units silent")
    return scores


def start_network(kind: "type[TinyRSNN]", path: Path, seen: Recording, hidden: int, time: str):
    """The network in ``path`` to begin with; refused if it has another shape."""
    start  = kind.load(path, seen.dt, time)
    found  = start.con1.op.weight.shape[1], *start.con3.op.weight.shape[::-1]
    wanted = seen.channels, hidden, 2
    if found != wanted:
        raise InputError(f"Network {path} must be {'-'.join(map(str, wanted))}, as the one to "
                         f"train, not {'-'.join(map(str, found))}")
    return start


def beside_linear(scores, seen: Recording, unseen: Recording, validation: float,
                  options: str) -> dict:
    """Print what linear decoders reach beside ``scores``, R2 of each axis; return both.

    ``options`` are those of the training to try if a linear decoder is better.
    """
    from spikewright.network.metrics import r_squared
    from spikewright.report.score import numbers
    from spikewright.train.baselines import LAGS, linear_decoders
    from spikewright.train.kalman import fit_kalman, kalman_velocity
    from spikewright.train.recording import target_velocity
    linear = linear_decoders(seen, unseen, validation)
    if unseen.steps < FEWEST_HELD_OUT:
        print(f"warning: the held-out part has {unseen.steps} steps: R2 of fewer than "
              f"{FEWEST_HELD_OUT} says nothing, so record more", file=sys.stderr)
    for name, found in linear.items():
        print(f"{name} of {LAGS[name]:g} s of counts, same part: {scored(found)}")
    kalman = r_squared(target_velocity(unseen), kalman_velocity(fit_kalman(seen), unseen))
    print(f"kalman filter, same part: {scored(kalman)}")
    linear["kalman"] = kalman
    best = max(linear, key=lambda name: np.nan_to_num(linear[name].mean(), nan=-np.inf))
    if scores.mean() < linear[best].mean():
        print(f"warning: {best}, a linear decoder, decodes the held-out part better: try more "
              f"{options}, or record more", file=sys.stderr)
    return {"r2_held_out": numbers(scores),
            "baselines": {name: numbers(found) for name, found in linear.items()}}


def gru_scores(seen: Recording, unseen: Recording, seed: int) -> list[float | None]:
    """Train a GRU on ``seen``, and print and return its R2 of each axis on ``unseen``."""
    from spikewright.network.metrics import r_squared
    from spikewright.report.score import numbers
    from spikewright.train.gru import fit_gru, gru_velocity
    from spikewright.train.recording import target_velocity
    found = r_squared(target_velocity(unseen), gru_velocity(fit_gru(seen, seed=seed), unseen))
    print(f"GRU of 64 units, same part: {scored(found)}")
    return list(numbers(found))


def scored(r2) -> str:
    """The mean of an R2, float64 (axes,), and its value on each axis; a dash for NaN."""
    from spikewright.report.markdown import digits
    from spikewright.report.score import number
    mean, x, y = (digits(number(value)) for value in (r2.mean(), *r2))
    return f"R2 {mean} (x {x}, y {y})"
