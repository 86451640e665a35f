# SPDX-License-Identifier: Apache-2.0
"""The model of the API: the integers, their float network, and facts about their origin."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spikewright.base.errors import InputError, refused_files
from spikewright.base.files import as_path
from spikewright.network.graded.network import AnyNetwork
from spikewright.network.network import CONSTANT

from .artefact import load_model, model_hash, network_hash, save_artefact
from .model import IntegerModel

__all__ = ["Model", "check_model"]

# Entries of the manifest that `save_artefact` adds.
_WRITTEN = ("schema", "model_hash", "network_hash", "manifest_hash", "model", "network")


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A quantized network, for golden, the hardware and the host.

    Parameters
    ----------
    integers : IntegerModel
    network : Network or GradedNetwork
        The retimed network in floating point that ``integers`` were rounded from.
    facts : dict
        Origin of the model: the further entries of its manifest. See docs/contracts.md.
    """

    integers: IntegerModel
    network: AnyNetwork
    facts: dict

    def __repr__(self) -> str:
        model = self.integers
        sizes = [p.neurons for p in model.populations if p.name != CONSTANT]
        return f"<Model {model.name!r}: {' -> '.join(map(str, (model.channels, *sizes)))}>"

    @classmethod
    @refused_files()
    def load(cls, folder: str | Path) -> "Model":
        """Read a model folder.

        Raises
        ------
        InputError
            If the folder is no model, or was changed.
        """
        integers, network, manifest = load_model(as_path(folder))
        facts = {key: value for key, value in manifest.items() if key not in _WRITTEN}
        return cls(integers=integers, network=network, facts=facts)

    @refused_files()
    def save(self, folder: str | Path) -> dict:
        """Write the model folder, whole or not at all, and return its manifest.

        Raises
        ------
        InputError
            If ``folder`` has other contents than a model.
        """
        return save_artefact(as_path(folder), self.integers, self.network, self.facts)

    @property
    def name(self) -> str:
        return self.integers.name

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return self.integers.channels

    @property
    def dt(self) -> float:
        """Seconds per step."""
        return self.integers.dt

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the integers, in hex. A device reports the first 8 bytes."""
        return model_hash(self.integers)

    @cached_property
    def network_hash(self) -> str:
        """SHA-256 of the network in floating point, in hex."""
        return network_hash(self.network)

    @property
    def warnings(self) -> list[str]:
        """Warnings of the quantizer, one line each."""
        return self.facts.get("warnings", [])


def check_model(model: object) -> None:
    """Check that the argument ``model`` is a `Model`.

    Raises
    ------
    InputError
        If it is something else.
    """
    if not isinstance(model, Model):
        raise InputError("Model must be one that load() or quantize() gives, not "
                         f"{type(model).__name__}")
