# SPDX-License-Identifier: Apache-2.0
"""Where spikes and networks come from: what a report must say of them."""

from dataclasses import dataclass
from pathlib import Path

from spikewright.base.arrays import read_arrays

from .checkpoint import checkpoint_hash
from .network import Network
from .recording import Recording, read_recording, simulated_recording

__all__ = ["Source", "is_default", "read_source"]

DEFAULT = Path(__file__).parent.parent / "data" / "default.safetensors"


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A recording, and what its file tells of itself.

    Parameters
    ----------
    recording : Recording
    simulated : bool
        No recording was given: these are random spikes.
    synthetic : bool
        Nothing in it was measured on a subject.
    source, licence : str
        As the file has them; empty where it does not.
    """

    recording: Recording
    simulated: bool
    synthetic: bool
    source: str = ""
    licence: str = ""


def read_source(path: Path | None, network: Network) -> Source:
    """Read the recording at ``path``, or simulate random spikes for ``network`` where None.

    Raises
    ------
    InputError
        If it is no recording, or one for another network.
    """
    if path is None:
        return Source(recording=simulated_recording(network), simulated=True, synthetic=True)
    recording = read_recording(path)
    recording.check_fits(network.channels, network.dt)
    data = read_arrays(path)
    told = {key: str(data[key]) if key in data else "" for key in ("source", "licence", "note")}
    synthetic = "synthetic" in told["note"].lower() or told["source"].startswith("simulated")
    return Source(recording=recording, simulated=False, synthetic=synthetic,
                  source=told["source"], licence=told["licence"])


def is_default(manifest: dict) -> bool:
    """Whether a model comes from the network that this project ships: trained on simulations."""
    if "checkpoint" not in manifest or not DEFAULT.is_file():
        return False
    return manifest["checkpoint"]["sha256"] == checkpoint_hash(DEFAULT)
