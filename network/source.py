# SPDX-License-Identifier: Apache-2.0
"""Where spikes and networks come from: what a report must say of them."""

from dataclasses import dataclass
from pathlib import Path

from spikewright.base.errors import InputError

from .checkpoint import checkpoint_hash
from .network import Network
from .recording import Recording, read_recording, simulated_recording

__all__ = ["Source", "is_default", "read_source"]

DEFAULT = Path(__file__).parent.parent / "data" / "default.safetensors"


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """The recording of a user, or one that stands in where there is none.

    Parameters
    ----------
    recording : Recording
    simulated : bool
        No recording was given: these are random spikes.
    """

    recording: Recording
    simulated: bool

    @property
    def synthetic(self) -> bool:
        """Nothing in the recording was measured on a subject."""
        return self.simulated or self.recording.synthetic


def read_source(path: Path | None, network: Network) -> Source:
    """Read the recording at ``path``, or simulate random spikes for ``network`` where None.

    Raises
    ------
    InputError
        If it is no recording, or one for another network.
    """
    if path is None:
        return Source(recording=simulated_recording(network), simulated=True)
    recording = read_recording(path)
    recording.check_fits(network.channels, network.dt)
    axes = len(network.readout)
    if recording.velocity is not None and recording.velocity.shape[1] != axes:
        raise InputError(f"Recording {recording.name} velocity must have {axes} axes, as the "
                         f"network decodes, not {recording.velocity.shape[1]}")
    return Source(recording=recording, simulated=False)


def is_default(manifest: dict) -> bool:
    """Whether a model comes from the network that this project ships: trained on simulations."""
    if "checkpoint" not in manifest or not DEFAULT.is_file():
        return False
    return manifest["checkpoint"]["sha256"] == checkpoint_hash(DEFAULT)
