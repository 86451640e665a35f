# SPDX-License-Identifier: Apache-2.0
"""From a plan to the parameters of every block: plain numbers, known before synthesis."""

from .core import core_params, link_params

__all__ = ["core_params", "link_params"]
