# SPDX-License-Identifier: Apache-2.0
"""C++ header with the port layouts of a core, for the driver of its compiled RTL."""

from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data

from spikewright.hw.core import CoreParams
from spikewright.hw.layouts import TokenKind

__all__ = ["layouts_header"]

# Any: mypy does not know that Amaranth's enumerations are iterable.
KINDS: Any = TokenKind


def layouts_header(params: CoreParams) -> str:
    """Text of the header: a constant ``PORT_FIELD`` for each field, and the values of TokenKind.

    A constant has the lowest bit and the width of its field. For an array, it has the width of one
    entry. ``SPIKE_VALUE``, ``SPIKE_INNER`` and ``LOAD_COPY`` have the width 0 if the core has no
    such field.
    """
    ports = {"TOKEN": params.token, "RESULT": params.result, "SPIKE": params.spike,
             "LOAD": params.rows.load}
    lines = ["#pragma once", "#include <cstddef>", "",
             "struct Field { size_t low, width; };", ""]
    lines += [f"constexpr unsigned {kind.name} = {kind.value};" for kind in KINDS]
    for port, layout in ports.items():
        for name, field in layout:
            shape = field.shape
            width = (Shape.cast(shape.elem_shape).width if isinstance(shape, data.ArrayLayout)
                     else Shape.cast(shape).width)
            lines.append(f"constexpr Field {port}_{name.upper()} = {{{field.offset}, {width}}};")
    lines += [f"constexpr Field SPIKE_{name.upper()} = {{0, 0}};" for name in ("value", "inner")
              if name not in params.spike.members]
    if "copy" not in params.rows.load.members:
        lines.append("constexpr Field LOAD_COPY = {0, 0};")
    lines += [f"constexpr size_t {name} = {value};" for name, value in (
        ("OUTPUTS", len(params.outputs)), ("GROUPS", params.neurons.groups),
        ("UNITS", params.neurons.units), ("INNER", params.inner))]
    return "\n".join(lines) + "\n"
