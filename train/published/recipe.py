# SPDX-License-Identifier: Apache-2.0
"""The settings of the published recipe."""

from dataclasses import dataclass

__all__ = ["PUBLISHED", "PublishedRecipe"]


@dataclass(frozen=True, kw_only=True)
class PublishedRecipe:
    """Settings of the published training. They are those of tinyRSNN where none is given.

    Parameters
    ----------
    network : str
        ``"tinyrsnn"`` or ``"bigrsnn"``, which says the readout heads.
    hidden : int
    seed : int
    pretraining, tuning, retraining : int
        Epochs on all sessions, on one session, and of each round of pruning.
    batch : int
        Samples of a batch. The last one of an epoch has the rest.
    learning_rate : float
        Of the first epoch. It falls as a half cosine.
    period : int
        Epochs until it would be 0, but for pruning, which has ``retraining``.
    dropout : float
        Share of the spikes of the input and of hidden neurons that are left out.
    steep : float
        Of the surrogate gradient.
    spread, from_input : float
        Standard deviation of the first membranes in thresholds, and the part of their variance that
        comes from the input.
    readout : float
        First membrane of a readout head.
    fewest, fewest_strength : float
        Spikes of a neuron in a sample that it should not fall below, and the weight of the penalty.
    most, most_strength : float
        Spikes of a sample that the mean of the neurons should stay below.
    prune_first, prune_most : int
        Percent of each weight matrix that the first round prunes, and most of a round.
    prune_steps : tuple of int
        Percent from one round to the next. After a failure, the next step is taken.
    tolerance : float
        Share of the R2 that a round may lose.
    prunes : bool
    half : bool
        Whether the parameters are rounded to half precision at the end.
    """
    network: str = "tinyrsnn"
    hidden: int = 64
    seed: int = 0
    pretraining: int = 100
    tuning: int = 200
    retraining: int = 100
    batch: int = 250
    learning_rate: float = 2e-3
    period: int = 200
    dropout: float = 0.3
    steep: float = 20.0
    spread: float = 0.5
    from_input: float = 0.9
    readout: float = -0.01
    fewest: float = 1e-3
    fewest_strength: float = 100.0
    most: float = 10.0
    most_strength: float = 0.01
    prune_first: int = 40
    prune_most: int = 80
    prune_steps: tuple[int, ...] = (10, 5)
    tolerance: float = 0.02
    prunes: bool = True
    half: bool = True


PUBLISHED = {
    "tinyrsnn": PublishedRecipe(),
    "bigrsnn": PublishedRecipe(network="bigrsnn", hidden=1024, most_strength=0.0, prunes=False,
                               half=False)}
