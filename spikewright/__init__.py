# SPDX-License-Identifier: Apache-2.0
"""Spikewright: a trained spiking decoder becomes an FPGA, bit for bit and cycle for cycle."""

import sys
from importlib import import_module
from types import ModuleType

__all__ = ["Decoder", "Model", "Report", "Result", "build", "load", "quantize", "read", "run"]


class _Package(ModuleType):
    """The class of this package, whose function `quantize` has the name of a room.

    Without it, an import of the room would put the room in the place of the function.
    """

    @property
    def quantize(self):
        return import_module(".api", __name__).quantize

    @quantize.setter
    def quantize(self, room):
        """The room stays in `sys.modules`, where ``from spikewright.quantize.x import`` looks."""


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str):
    # Imported when it is used: `spikewright --help` needs nothing of it.
    if name in __all__:
        return getattr(import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
