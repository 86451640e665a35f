# SPDX-License-Identifier: Apache-2.0
"""How far the published training prunes a network."""

from collections.abc import Callable

from .recipe import PublishedRecipe

__all__ = ["prune_in_rounds"]


def prune_in_rounds(retrain: Callable[[int], float], before: float, recipe: PublishedRecipe
                    ) -> int | None:
    """Prune more from round to round, until the R2 of the training falls too far.

    Parameters
    ----------
    retrain : function
        Prunes the fine-tuned network to a percent of each matrix, trains it again, and gives the
        R2 of its last epoch.
    before : float
        R2 of the last epoch of the fine-tuning.
    recipe : PublishedRecipe

    Returns
    -------
    int or None
        Percent of the last round that was good. None if there is none.
    """
    good, steps, level = None, list(recipe.prune_steps), recipe.prune_first
    while level <= recipe.prune_most:
        if retrain(level) >= before - recipe.tolerance * abs(before):
            good, level = level, level + steps[0]
        elif len(steps) > 1:
            level -= steps.pop(0)
            level += steps[0]
        else:
            break
    return good
