# SPDX-License-Identifier: Apache-2.0
"""What a network in torch decodes from a recording."""

import numpy as np
import torch

from spikewright.network.recording import Recording

from ..recording import dense, trials
from .model import TinyRSNN

__all__ = ["predict"]


def predict(model: TinyRSNN, recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Run a recording, with a reset at each trial.

    Returns
    -------
    output : float64, (steps, 2)
        Velocity, in the unit of the network.
    hidden : bool, (steps, hidden)
        Spikes of the hidden units.
    """
    spikes = dense(recording)
    with torch.no_grad():
        runs = [model(torch.from_numpy(spikes[start:stop, None]).float())
                for start, stop in trials(recording)]
    output, hidden = (torch.cat(parts)[:, 0].numpy() for parts in zip(*runs, strict=True))
    return output.astype(np.float64) + model.offset, hidden > 0
