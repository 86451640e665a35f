# SPDX-License-Identifier: Apache-2.0
"""The link between a host and the core: framed bytes over a serial line."""

from .link import Link, line_members
from .params import LinkParams, TableParams

__all__ = ["Link", "LinkParams", "TableParams", "line_members"]
