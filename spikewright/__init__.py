# SPDX-License-Identifier: Apache-2.0
"""Spikewright: a trained spiking decoder becomes an FPGA, bit for bit and cycle for cycle."""

from importlib import import_module

__all__ = ["Decoder", "Model", "Report", "Result", "build", "load", "quantize", "read", "run"]


def __getattr__(name: str):
    # Imported when it is used: `spikewright --help` needs nothing of it.
    if name in __all__:
        return getattr(import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
