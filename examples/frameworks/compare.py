# SPDX-License-Identifier: Apache-2.0
"""Compare what `spikewright run` wrote with what a framework gave: every array of EXPECTED."""

import argparse
from pathlib import Path

import numpy as np

__all__ = ["differences"]


def differences(out: Path, expected: Path, late: int = 0) -> dict[str, tuple[int, float]]:
    """For each array of ``expected``: how many values differ, and by how much at most.

    Values of ``velocity`` are float32, so that small differences do not count. The spikes of
    ``expected`` come ``late`` steps after those of ``out``.
    """
    found = {}
    with np.load(out) as ours, np.load(expected) as theirs:
        for key in theirs:
            a, b = ours[key].astype(float), theirs[key].astype(float)
            if key != "velocity" and late:
                a, b = a[:-late], b[late:]
            far = ~np.isclose(a, b, rtol=0, atol=1e-5 * max(1, np.abs(b).max()))
            found[key] = int(far.sum()), float(np.abs(a - b).max())
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.add_argument("expected", type=Path, metavar="EXPECTED.npz")
    parser.add_argument("--late", type=int, default=0, metavar="STEPS",
                        help="steps by which the spikes of the framework come later (default: 0)")
    args = parser.parse_args()
    for key, (count, most) in differences(args.out, args.expected, args.late).items():
        print(f"{key}: {count} values differ, by at most {most:.2g}")
