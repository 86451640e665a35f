# SPDX-License-Identifier: Apache-2.0
"""Training of graded networks."""

from argparse import Namespace
from pathlib import Path

from spikewright.network.recording import Recording

from .shared import beside_linear, scored

__all__ = ["train_graded"]


def train_graded(arguments: Namespace, path: Path, title: Path, seen: Recording,
                 unseen: Recording) -> dict:
    """Do for a graded network what `shared.train` does for a spiking one."""
    from spikewright.network.checkpoint import read_checkpoint
    from spikewright.network.graded.run import run_float
    from spikewright.network.metrics import r_squared
    from spikewright.train.graded.fit import fit_graded, save_graded
    from spikewright.train.graded.recipe import GRADED, GradedRecipe
    from spikewright.train.recording import target_velocity
    epochs = arguments.epochs or GRADED[arguments.network]
    recipe = GradedRecipe(network=arguments.network, epochs=epochs, seed=arguments.seed)
    tensors = fit_graded(seen, recipe)
    save_graded(path, tensors, seen.dt)
    scores = r_squared(target_velocity(unseen), run_float(read_checkpoint(path), unseen).velocity)
    weights = sum(value.size for key, value in tensors.items() if key.endswith("weight"))
    print(f"network: {arguments.network}, {seen.channels} channels, dt {seen.dt:g} s, {weights} "
          "weights")
    print(f"held out, {unseen.steps} steps: {scored(scores)}")
    return {**beside_linear(scores, seen, unseen, recipe.validation, "--epochs"),
            "epochs": epochs, "seed": recipe.seed}
