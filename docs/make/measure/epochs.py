# SPDX-License-Identifier: Apache-2.0
"""Measure how long the published recipe takes: CPU time of an epoch, times the epochs.

``python -m docs.make.measure.epochs`` prints the table of docs/training.md. It trains on a
simulated session, for two epochs and for one. The difference is the time of an epoch. With a
session of another length, the time grows with it.
"""

import time
from dataclasses import replace

from spikewright.command.parser import CommandParser, run_command, whole_number
from spikewright.report.markdown import markdown
from spikewright.train.published.fit import fit_published
from spikewright.train.published.recipe import PUBLISHED, PublishedRecipe
from spikewright.train.published.sessions import Parts
from spikewright.train.reaches import simulate

__all__ = ["epoch_seconds", "time_table"]

# Parts of a session as in the published split, see docs/training.md.
LEARN, SEEN = 0.617, 0.75

#: Sessions of the published pre-training, and rounds of pruning up to 60 %.
SESSIONS, ROUNDS = 30, 3


def epoch_seconds(recipe: PublishedRecipe, minutes: int) -> float:
    """CPU seconds of an epoch on a session of 96 channels."""
    session = simulate(n_bins=minutes * 15_000, seed=1)
    learn, seen = (round(session.steps * part) for part in (LEARN, SEEN))
    parts = Parts(learn=session.cut(0, learn), validation=session.cut(learn, seen),
                  test=session.cut(seen, session.steps), seen=session.cut(0, seen))
    fit_published(parts, replace(recipe, tuning=1, prunes=False), progress=False)   # compiles
    taken = []
    for epochs in (1, 2):
        began = time.process_time()
        fit_published(parts, replace(recipe, tuning=epochs, prunes=False))
        taken.append(time.process_time() - began)
    return taken[1] - taken[0]


def time_table(recipe: PublishedRecipe, epoch: float) -> str:
    """The table: epochs and hours of each part of the training."""
    parts = [(f"pre-training on {SESSIONS} such sessions", recipe.pretraining, SESSIONS * epoch),
             ("fine-tuning", recipe.tuning, epoch)]
    if recipe.prunes:
        parts.append((f"{ROUNDS} rounds of pruning", ROUNDS * recipe.retraining, epoch))
    return markdown([("part", "epochs", "seconds an epoch", "hours"), *(
        (name, str(epochs), f"{seconds:.1f}", f"{epochs * seconds / 3600:.1f}")
        for name, epochs, seconds in parts)])


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.measure.epochs",
                           description="Print how long the "
                           "published recipe takes.")
    parser.add_argument("--network", choices=PUBLISHED, default="tinyrsnn",
                        help="network to train (default: %(default)s)")
    parser.add_argument("--minutes", type=whole_number(1, 120), default=10, metavar="N",
                        help="length of the session (default: %(default)s)")
    arguments = parser.parse_args()
    recipe = PUBLISHED[arguments.network]
    print(time_table(recipe, epoch_seconds(recipe, arguments.minutes)), end="")


if __name__ == "__main__":
    run_command(_main)
