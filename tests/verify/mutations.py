# SPDX-License-Identifier: Apache-2.0
"""Tests of mutations: the RTL, broken in one place at a time, differs from golden.

Each mutation is made in a copy of the packages, and ``spikewright check`` there must end with
status 1 and name a difference. A run takes a part of the mutations. ``SPIKEWRIGHT_MUTATIONS=1`` in
the environment takes all of them.
"""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.designs import ROOT

__all__ = ["STEPS", "copied", "mutation_tests", "saved"]

ROOMS = ("base", "boards", "golden", "host", "hw", "model", "network", "plan", "quantize", "report",
         "sim", "train", "verify")
STEPS = 400


def mutation_tests(case, mutations, every, options=None):
    """Three tests: the check passes without a mutation, mutations are of the code, each is seen.

    Parameters
    ----------
    case : str
        Name of the fixture that gives a folder with ``model`` and ``recording.npz``.
    mutations : dict
        By its name: a file, a text that it holds once, and what takes its place.
    every : int
        A run takes one mutation of so many.
    options : dict, optional
        Options of the check by the name of the mutation, where the default core has no such part.
    """
    options = options or {}
    taken = list(mutations)[::1 if os.environ.get("SPIKEWRIGHT_MUTATIONS") else every]

    @pytest.mark.parametrize("chosen", sorted({options.get(name, ()) for name in taken}))
    def passes(chosen, request, tmp_path):
        copied(tmp_path)
        result = _checked(request.getfixturevalue(case), tmp_path, chosen)
        assert result.returncode == 0, result.stderr

    def are_of_the_code():
        """Also those that this run does not take."""
        for path, old, _ in mutations.values():
            assert (ROOT / path).read_text().count(old) == 1, f"{path} must hold {old!r} once"

    @pytest.mark.parametrize("name", taken)
    def is_seen(name, request, tmp_path):
        path, old, new = mutations[name]
        copied(tmp_path)
        file = tmp_path / "spikewright" / path
        file.write_text(file.read_text().replace(old, new))
        result = _checked(request.getfixturevalue(case), tmp_path, options.get(name, ()))
        assert result.returncode == 1, result.stdout + result.stderr
        assert "Traceback" not in result.stderr

    return passes, are_of_the_code, is_seen


def copied(tree):
    """Copy the packages to the folder ``tree``."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "spikewright", tree / "spikewright", ignore=ignore)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / "spikewright" / room, ignore=ignore)


def saved(folder, recording):
    """Write a recording of ``STEPS`` steps where the check reads it."""
    np.savez(folder / "recording.npz", bin=np.repeat(np.arange(STEPS), np.diff(recording.start)),
             channel=recording.channel, n_bins=STEPS, n_channels=recording.channels,
             dt=recording.dt, trial_start_bin=np.flatnonzero(recording.reset))


def _checked(folder, tree, options):
    return subprocess.run(
        [sys.executable, "-m", "spikewright", "check", folder / "model",
         folder / "recording.npz", *options],
        cwd=tree, capture_output=True, text=True, timeout=300,
        # The recording is short: golden runs in the interpreter sooner than it compiles.
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"})
