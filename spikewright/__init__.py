# SPDX-License-Identifier: Apache-2.0
"""Spikewright: a trained spiking decoder becomes an FPGA, bit for bit and cycle for cycle."""

import sys
from importlib import import_module
from types import ModuleType

__all__ = ["Decoder", "InputError", "Model", "Report", "Result", "build", "from_sequential",
           "load", "quantize", "read", "run"]


class _Package(ModuleType):
    """The class of this package. Its function `quantize` and a subpackage have the same name.

    Without this class, an import of the subpackage would replace the function.
    """

    @property
    def quantize(self):
        return import_module(".api", __name__).quantize

    @quantize.setter
    def quantize(self, room):
        """Ignore the subpackage; ``from spikewright.quantize.x import`` uses `sys.modules`."""


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str):
    # The API is imported on first use, so that `spikewright --help` is quick.
    if name in __all__:
        return getattr(import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
