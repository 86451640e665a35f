# SPDX-License-Identifier: Apache-2.0
"""The origin of spikes and networks, for reports."""

from dataclasses import dataclass
from pathlib import Path

from spikewright.base.errors import InputError

from .graded.network import AnyNetwork
from .recording import Recording, read_recording, simulated_recording

__all__ = ["Source", "is_default", "read_source"]

# Of data/default.safetensors, which is in the source tree only.
DEFAULT_SHA256 = "9628e2ac1f99dff067f8770b5b7d1c11c19d0be6510ef3dc2b2a7a6b96da5c08"


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """The recording of a user, or simulated spikes if there is no recording.

    Parameters
    ----------
    recording : Recording
    simulated : bool
        Whether the spikes are simulated because no recording was given.
    """

    recording: Recording
    simulated: bool

    @property
    def synthetic(self) -> bool:
        """Whether nothing in the recording was measured on a subject."""
        return self.simulated or self.recording.synthetic


def read_source(path: Path | None, network: AnyNetwork) -> Source:
    """Read the recording at ``path``. If ``path`` is None, simulate spikes for ``network``.

    Raises
    ------
    InputError
        If the file is no recording, or has other channels, axes or dt than the network.
    """
    if path is None:
        return Source(recording=simulated_recording(network), simulated=True)
    recording = read_recording(path)
    recording.check_fits(network.channels, network.dt)
    axes = len(network.readout)
    if recording.velocity is not None and recording.velocity.shape[1] != axes:
        raise InputError(f"{recording.target_title} must have {axes} axes, as the "
                         f"network decodes, not {recording.velocity.shape[1]}")
    return Source(recording=recording, simulated=False)


def is_default(manifest: dict) -> bool:
    """Whether a model comes from the network of this project, which was trained on simulations.

    ``manifest`` is the manifest of the model.
    """
    return manifest.get("checkpoint", {}).get("sha256") == DEFAULT_SHA256
