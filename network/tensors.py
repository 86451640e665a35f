# SPDX-License-Identifier: Apache-2.0
"""Reader of the tensors in a network file. It never runs code from the file."""

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open

from spikewright.base.errors import InputError

from .constants import MOST_DT, is_dt
from .state_dicts.checks import PAGE

__all__ = ["SUFFIXES", "TIMES", "Said", "read_tensors"]

TORCH_SUFFIXES = (".pth", ".pt", ".ckpt")
SUFFIXES = (*TORCH_SUFFIXES, ".safetensors")

#: When a network answers: as the published code does, or in the first step that its inputs allow.
TIMES = ("published", "earliest")

# Keys of the state dict in files that also hold other things.
NESTS = ("state_dict", "model_state_dict", "model")

# How many keys may be above a state dict. A dict in a file may be below itself.
DEPTH = 4

FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
INTEGERS = {"I64": np.int64, "I32": np.int32}


@dataclass(frozen=True)
class Said:
    """What a network file says beside its tensors.

    Parameters
    ----------
    dt : float or None
        Seconds per step. None if the file does not have it.
    time : str
        One of ``TIMES``: when the network that was trained answers. A file that does not have it
        gets the first.
    offset : list of float or None
        What is added to the output of each axis. None if the file does not have it.
    """

    dt: float | None = None
    time: str = TIMES[0]
    offset: list[float] | None = None


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], Said]:
    """Read the tensors of the file at ``path``.

    A tensor without axes may be an integer, such as a threshold. Others are floating-point numbers.

    Returns
    -------
    tensors : dict of str to ndarray of float64
    said : Said

    Raises
    ------
    InputError
        If the file has another suffix, is empty or damaged, or cannot be read without running code.
        Also if it holds something other than floating-point tensors.
    """
    if not path.is_file():
        kind = "the folder " if path.is_dir() else ""
        raise InputError(f"Checkpoint must be a file, not {kind}{str(path)!r}"
                         f"{'' if path.exists() else ': there is none'}")
    if path.stat().st_size == 0:
        raise InputError(f"Checkpoint {path} must hold tensors, not 0 bytes")
    if path.suffix not in SUFFIXES:
        recording = ", a recording or an answer: 'spikewright show' prints what is in it"
        raise InputError(f"Checkpoint must be a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file, "
                         f"not {path.name!r}{recording if path.suffix == '.npz' else ''}")
    return _read_torch(path) if path.suffix in TORCH_SUFFIXES else _read_safetensors(path)


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], Said]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        stored = deserialize(path.read_bytes())
    except SafetensorError as error:
        raise InputError(f"Checkpoint {path} must be a safetensors file: {error}") from error
    tensors = {}
    for key, tensor in stored:
        kind, data = tensor["dtype"], bytes(tensor["data"])
        if kind == "BF16":              # NumPy has no BF16. It is the upper half of a float32
            values = (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
        elif kind in FLOATS:
            values = np.frombuffer(data, FLOATS[kind])
        elif kind in INTEGERS and not tensor["shape"]:
            values = np.frombuffer(data, INTEGERS[kind])
        else:
            raise InputError(f"Checkpoint {path} {key} must hold floating-point numbers, not "
                             f"{kind}")
        tensors[key] = values.reshape(tensor["shape"]).astype(np.float64)
    return tensors, _said(path, metadata)


def _said(path: Path, metadata: dict[str, str]) -> Said:
    dt, time = metadata.get("dt"), metadata.get("time", TIMES[0])
    try:
        step = None if dt is None else float(dt)
    except ValueError:
        step = float("nan")
    if step is not None and not is_dt(step):
        raise InputError(f"Checkpoint {path} dt must be seconds between 0 and {MOST_DT}, not "
                         f"{dt!r}")
    if time not in TIMES:
        raise InputError(f"Checkpoint {path} time must be {' or '.join(TIMES)}, not {time!r}")
    text = metadata.get("offset", "null")
    try:
        offset = json.loads(text)
    except ValueError:
        offset = text
    if offset is not None and not (isinstance(offset, list) and all(
            type(value) in (int, float) and np.isfinite(value) for value in offset)):
        raise InputError(f"Checkpoint {path} offset must be a list of finite numbers, not {text!r}")
    return Said(step, time, offset)


def _read_torch(path: Path) -> tuple[dict[str, np.ndarray], Said]:
    try:
        import torch
    except (ImportError, OSError):      # of a torch that is only half installed
        raise InputError(f"Reading {path.name} needs torch: run 'make torch', or save the state "
                         "dict as .safetensors") from None
    try:
        with open(path, "rb") as stream, warnings.catch_warnings(action="ignore"):
            content = torch.load(stream, weights_only=True, map_location="cpu")
    except Exception as error:  # a damaged file raises a dozen kinds
        # The advice of torch would be to run the code.
        objects = str(error).strip().startswith("Weights only load failed")
        name = re.search(r"Unsupported global: GLOBAL ([\w.]+)", str(error))
        kind = f"of {name[1]}" if name else "such as a whole module"
        reason = (f"it has Python objects, {kind}. Save its state_dict()" if objects
                  else "it is cut off, damaged, or no file of torch.save: copy or save it again")
        raise InputError(f"Checkpoint {path} must be a plain state dict that loads without "
                         f"running code: {reason}") from error
    tensors = {}
    for key, value in _state_dict(path, content).items():
        if not torch.is_tensor(value):
            raise InputError(f"Checkpoint {path} {key} must be a tensor, not "
                             f"{type(value).__name__}")
        if value.is_meta:
            raise InputError(f"Checkpoint {path} {key} must hold numbers, not a tensor on the "
                             "device meta, which has none")
        integer = value.ndim == 0 and value.dtype in (torch.int64, torch.int32)
        if (value.layout != torch.strided or value.is_quantized
                or not (value.is_floating_point() or integer)):
            raise InputError(f"Checkpoint {path} {key} must be a dense tensor of floating-point "
                             f"numbers, not {value.dtype} in the layout {value.layout}")
        tensors[key] = value.detach().double().numpy()
    return tensors, Said()


def _state_dict(path: Path, content: object) -> dict:
    """The state dict in ``content``. It may be below ``NESTS``, or the only one that is below."""
    for _ in range(DEPTH):
        nests = [content[key] for key in NESTS if isinstance(content.get(key), dict)
                 ] if isinstance(content, dict) else []
        if not nests:
            break
        content = nests[0]
    if not isinstance(content, dict):
        raise InputError(f"Checkpoint {path} must be a state dict, not {type(content).__name__}")
    wrong = next((key for key in content if not isinstance(key, str)), None)
    if wrong is not None:
        raise InputError(f"Checkpoint {path} must have keys of text, not {wrong!r}")
    if (not any(map(_is_tensor, content.values()))
            and any(isinstance(value, dict) for value in content.values())):
        return _only_nested(path, content)
    return content


def _only_nested(path: Path, content: dict) -> dict:
    """The only state dict below the keys of ``content``, which has no tensors itself."""
    level = [content]
    for _ in range(DEPTH):
        found = [each for each in level if each and all(isinstance(key, str) and _is_tensor(value)
                                                        for key, value in each.items())]
        if len(found) == 1:
            return found[0]
        if found:
            break
        level = list({id(value): value for each in level for value in each.values()
                      if isinstance(value, dict)}.values())
    keys = ", ".join(f"{key} ({type(value).__name__})" for key, value in list(content.items())[:8])
    raise InputError(f"Checkpoint {path} must be a state dict, or have one below "
                     f"{', '.join(NESTS[:-1])} or {NESTS[-1]}, not {keys}: see {PAGE}")


def _is_tensor(value: object) -> bool:
    import torch
    return torch.is_tensor(value)
