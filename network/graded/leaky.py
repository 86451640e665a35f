# SPDX-License-Identifier: Apache-2.0
"""Stages with leaky neurons, which have a state: membranes and the spikes of the update before."""

from dataclasses import dataclass

import numpy as np

from .series import Series

__all__ = ["GRADED_RESETS", "InnerSteps", "Leaky"]

# Those of `network.RESETS` that a leaky stage has.
GRADED_RESETS = ("zero_keep", "subtract_next", "none")


@dataclass(frozen=True, kw_only=True, eq=False)
class Leaky:
    """Leaky neurons, updated whenever their input comes, and not in other steps.

    For an update with the input x, from the membranes m and the spikes z of the update before::

        c = weights @ x + recurrent @ z + bias
        m = decay m + c     with m = 0 on the right where z, for the reset zero_keep
                            and less the threshold where z, for the reset subtract_next
        z = m > threshold

    Parameters
    ----------
    name : str
    weights : ndarray of float64, shape (neurons, inputs)
    bias, decay, threshold : ndarray of float64, shape (neurons,)
        Decays are from 0 to 1. Thresholds are above 0, and of no meaning without spikes.
    recurrent : ndarray of float64, shape (neurons, neurons), or None
    reset : str
        One of ``GRADED_RESETS``.
    spikes : bool
        Whether the outputs are the spikes, as 0 and 1. Otherwise, they are the membranes, and there
        is no reset and no recurrence.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    decay: np.ndarray
    threshold: np.ndarray
    recurrent: np.ndarray | None = None
    reset: str = "zero_keep"
    spikes: bool = True

    @property
    def inputs(self) -> int:
        return self.weights.shape[1]

    @property
    def outputs(self) -> int:
        return len(self.weights)

    @property
    def spiking(self) -> dict[str, int]:
        """Columns of spikes, by name."""
        return {self.name: self.outputs} if self.spikes else {}

    def __post_init__(self) -> None:
        if self.reset not in GRADED_RESETS:
            raise ValueError(f"Stage {self.name} reset must be one of {', '.join(GRADED_RESETS)}, "
                             f"not {self.reset!r}")
        for title, array, least, most in (("decay", self.decay, 0, 1),
                                          ("threshold", self.threshold, 0, np.inf)):
            wrong = ~((array >= least) & (array <= most))
            if title == "threshold":
                wrong |= (array == 0) & self.spikes
            if wrong.any():
                rule = "from 0 to 1" if title == "decay" else "above 0"
                raise ValueError(f"Stage {self.name} {title} must be {rule}, not "
                                 f"{float(array[wrong][0])!r}")

    def start(self, *before: int) -> tuple[np.ndarray, np.ndarray]:
        """Membranes and spikes at the beginning; ``before`` are axes before the neurons."""
        shape = (*before, self.outputs)
        return np.zeros(shape), np.zeros(shape, bool)

    def drive(self, inputs: np.ndarray) -> np.ndarray:
        """The part of c that comes from ``inputs``, float64 (..., inputs)."""
        return inputs @ self.weights.T + self.bias

    def advance(self, m: np.ndarray, z: np.ndarray, c: np.ndarray
                ) -> tuple[np.ndarray, np.ndarray]:
        """Membranes and spikes of an update, from those of the update before and `drive`."""
        if self.recurrent is not None:
            c = c + z @ self.recurrent.T
        if self.reset == "zero_keep":
            m = np.where(z, 0, m)
        m = self.decay * m + c
        if self.reset == "subtract_next":
            m = m - self.threshold * z
        return m, (m > self.threshold) & self.spikes

    def run(self, series: Series) -> Series:
        drive = self.drive(series.values)
        membranes, spikes = np.zeros_like(drive), np.zeros(drive.shape, bool)
        m, z = self.start()
        for k, c in enumerate(drive):
            m, z = self.advance(m, z, c)
            m = series.rounded(m)
            membranes[k], spikes[k] = m, z
        if self.spikes:
            return series.after(spikes.astype(np.float64), spikes={self.name: spikes})
        return series.after(membranes)


@dataclass(frozen=True, kw_only=True, eq=False)
class InnerSteps:
    """Leaky layers that run several inner steps in each update, from zero state.

    The values of the stage before have ``steps`` parts. The first layer takes part j in inner step
    j. Another layer takes the spikes that the layer before has in the same inner step. The outputs
    are the membranes of the last layer after the last inner step.

    Parameters
    ----------
    name : str
    steps : int
    layers : tuple of Leaky
        The last one does not spike. None has recurrence.
    """

    name: str
    steps: int
    layers: tuple[Leaky, ...]

    @property
    def inputs(self) -> int:
        return self.steps * self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @property
    def spiking(self) -> dict[str, int]:
        """Columns of spikes, by name: those of an inner step are neighbours."""
        return {layer.name: self.steps * layer.outputs for layer in self.layers if layer.spikes}

    def __post_init__(self) -> None:
        for layer, after in zip(self.layers[:-1], self.layers[1:], strict=True):
            if layer.outputs != after.inputs:
                raise ValueError(f"Stage {after.name} must take {layer.outputs} values, as the "
                                 f"stage before gives, not {after.inputs}")
        if [layer.spikes for layer in self.layers] != [True] * (len(self.layers) - 1) + [False]:
            raise ValueError(f"Stage {self.name} layers must spike, and the last one must not, not "
                             f"{[layer.spikes for layer in self.layers]}")

    def run(self, series: Series) -> Series:
        parts = series.values.reshape(len(series.values), self.steps, -1)
        states = [layer.start(len(parts)) for layer in self.layers]
        fired: dict[str, list[np.ndarray]] = {name: [] for name in self.spiking}
        for inner in range(self.steps):
            values = parts[:, inner]
            for k, layer in enumerate(self.layers):
                m, z = layer.advance(*states[k], layer.drive(values))
                states[k] = series.rounded(m), z
                if layer.spikes:
                    fired[layer.name].append(z)
                    values = z.astype(np.float64)
        return series.after(states[-1][0], spikes={name: np.hstack(spikes)
                                                   for name, spikes in fired.items()})
