# SPDX-License-Identifier: Apache-2.0
"""Files of hybrid networks that another program trained: weights and counts, as arrays."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

__all__ = ["hybrid_tensors", "unpack"]

# Seconds per step. The files do not have it.
DT = 4e-3


def hybrid_tensors(data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state dict of the hybrid network of a file."""
    arrays = {key: np.asarray(value, float) for key, value in data.items()
              if value.dtype.kind == "f"}
    tensors = {f"conv{k}.weight": arrays[f"w{k}"].transpose(1, 2, 0) for k in (1, 2)} | {
        f"conv{k}.bias": arrays[f"b{k}"] for k in (1, 2)} | {
        "fc3.weight": arrays["w_out"], "fc3.bias": arrays["b_out"],
        "mean": arrays["mean"], "sd": arrays["sd"], "phase": data["phase"]}
    reset = ("subtract", "zero", "none").index(str(data["reset"]))
    for k in (1, 2):
        tensors |= {f"{key}": arrays[f"{stored}_{k - 1}"] for key, stored in (
            (f"fc{k}.weight", "w"), (f"fc{k}.bias", "b"), (f"lif{k}.recurrent.weight", "u"),
            (f"lif{k}.beta", "beta"), (f"lif{k}.threshold", "thr"))}
        tensors[f"lif{k}.reset_mechanism_val"] = np.array(reset)
    return tensors


def unpack(path: Path, folder: Path) -> tuple[Path, Path]:
    """Write the network and the recording of the file ``path`` into ``folder``.

    Returns
    -------
    checkpoint, recording : Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, recording = folder / f"{path.stem}.safetensors", folder / f"{path.stem}.npz"
    with np.load(path) as data:
        save_file({key: np.ascontiguousarray(value, float)
                   for key, value in hybrid_tensors(data).items()}, checkpoint,
                  {"dt": f"{DT:.17g}"})
        steps, channels = data["input_shape"]
        np.savez_compressed(recording, bin=data["input_bin"], channel=data["input_channel"],
                            count=data["input_count"], n_bins=steps, n_channels=channels,
                            dt=DT, source=data["note"])
    return checkpoint, recording
