# SPDX-License-Identifier: Apache-2.0
"""The state of a training in a file, from which the same training goes on after a crash."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.base.version import version
from spikewright.network.recording import Recording

from .model import TinyRSNN

__all__ = ["KeptState", "training_key"]

EVERY = 20.0            # seconds between two states


class Stoppable(Protocol):
    """A training that gives its state, and goes on from one."""
    def state(self) -> dict: ...
    def restore(self, state: dict) -> None: ...


class KeptState:
    """The state of ``training`` in the file ``path``. If the file has one, the training gets it.

    A state of a training with another recipe, recording, start or version is replaced.

    Parameters
    ----------
    path : Path
    training : Training or Published
    key : str
        The `training_key`.

    Raises
    ------
    InputError
        If the file is something else.
    """
    def __init__(self, path: Path, training: Stoppable, key: str):
        self.path, self.training, self.key = path, training, key
        self.saved = time.monotonic()
        if path.exists():
            content = _read(path)
            if content["key"] == self.key:
                training.restore(content["state"])

    def save_now_and_then(self) -> None:
        """Write the file if the last one is old enough."""
        if time.monotonic() - self.saved >= EVERY:
            self.save()

    def save(self) -> None:
        """Write the file."""
        with written_file(self.path) as temporary:
            torch.save({"key": self.key, "state": self.training.state()}, temporary)
        self.saved = time.monotonic()


def _read(path: Path) -> dict:
    try:
        content = torch.load(path, weights_only=True)
        if content.keys() == {"key", "state"}:
            return content
    except Exception:  # a damaged file raises a dozen kinds
        pass
    raise InputError(f"{path} must be the state of a training, not another file: move it away")


def training_key(recipe: Any, recordings: Sequence[Recording], start: TinyRSNN | None) -> str:
    """SHA-256, in hex, of all that decides what the training gives.

    Parameters
    ----------
    recipe : dataclass
    recordings : sequence of Recording
        As the user has them.
    start : TinyRSNN or None
        The network that the training began with.
    """
    digest = hashlib.sha256(json.dumps(
        [asdict(recipe), *([each.dt, each.channels, each.steps] for each in recordings),
         version(), torch.__version__]).encode())
    arrays = [] if start is None else [value.numpy() for value in start.state_dict().values()]
    for each in recordings:
        arrays += [each.channel, each.start, each.reset, each.velocity]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
