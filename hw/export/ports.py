# SPDX-License-Identifier: Apache-2.0
"""The ports of a component as they are in Verilog: names, bits, and what they mean."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib import data, enum, stream, wiring

__all__ = ["Field", "Port", "first_sentence", "ports_of", "section_of"]

CLOCK = {
    "clk": "Clock; all ports belong to its rising edge.",
    "rst": "Synchronous reset of registers, not of memories.",
}

# What the docstring of a component does not tell of the parts of a stream.
STREAM = {
    "valid": "The payload of {0} is offered; once 1, it stays 1 until it is taken.",
    "ready": "The payload of {0} is taken in each cycle in which valid is 1 as well.",
}

FIELDS = {
    "kind":      "what the token asks for",
    "row":       "input row of an EVENT, which must exist; anything otherwise",
    "step":      "steps before this one since configuration or rst; RESET does not count anew",
    "cycles":    "clock cycles that the core worked on this step; those of a RESET do not count",
    "saturated": "a state has been clamped since configuration, rst or the last RESET",
    "outputs":   "signed; the model's readout matrix makes axes of the outputs",
    "valid":     "neurons fire in this cycle",
    "group":     "a neuron; with a unit per lane, a state word; over all populations",
    "fired":     "which of the group: a bit for each neuron",
    "value":     "of the unit, signed",
    "inner":     "number of the inner step",
    "word":      "of the table",
    "byte":      "of the word: 0 has the lowest bits",
    "data":      "the byte",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """Bits ``low`` .. ``low + width - 1`` of a port."""

    name: str
    low: int
    width: int
    meaning: str

    @property
    def bits(self) -> str:
        high = self.low + self.width - 1
        return f"[{high}:{self.low}]" if self.width > 1 else f"[{self.low}]"


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port, with the fields of its payload; none where it is a plain number."""

    name: str
    direction: str
    width: int
    fields: tuple[Field, ...]
    meaning: str


def ports_of(component) -> list[Port]:
    """Ports of ``component``, clock and reset first, then inputs and outputs as it lists them."""
    told = section_of(type(component), "Members")
    ports = [Port(name=name, direction="input", width=1, fields=(), meaning=meaning)
             for name, meaning in CLOCK.items()]
    for path, member, _ in component.signature.flatten(component):
        root, last = str(path[0]), str(path[-1])
        meaning = told.get(root, "")
        if _is_stream(component, root) and last in STREAM:
            meaning = STREAM[last].format(root)
        ports.append(Port(
            name="__".join(map(str, path)),
            direction="input" if member.flow == wiring.In else "output",
            width=Shape.cast(member.shape).width, meaning=meaning,
            fields=tuple(_fields(member.shape))))
    return ports


def _is_stream(component, root: str) -> bool:
    member = component.signature.members[root]
    return member.is_signature and isinstance(member.signature, stream.Signature)


def _fields(shape, name: str = "", low: int = 0) -> Iterator[Field]:
    """The leaves of a layout, least significant first."""
    if isinstance(shape, data.StructLayout | data.ArrayLayout):
        for key, field in shape:
            part = f"{name}[{key}]" if isinstance(key, int) else f"{name}.{key}" if name else key
            yield from _fields(field.shape, part, low + field.offset)
    elif name:
        meaning = FIELDS.get(re.split(r"[.\[]", name)[-1 if "." in name else 0], "")
        if isinstance(shape, enum.EnumMeta):
            meaning += ": " + ", ".join(f"{choice.value} {choice.name}" for choice in shape)
        yield Field(name=name, low=low, width=Shape.cast(shape).width, meaning=meaning)


def section_of(kind: type, title: str) -> dict[str, str]:
    """The entries of a section, such as ``Members``, of a docstring: name and what it says."""
    told: dict[str, list[str]] = {}
    names: list[str] = []
    inside = False
    lines = (inspect.getdoc(kind) or "").splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if after and set(after) == {"-"}:
            inside = line == title
        elif inside and line and not line.startswith((" ", "-")):
            names = [name.strip() for name in line.split(" : ")[0].split(",")]
            told |= {name: [] for name in names}
        elif inside and line.startswith(" "):
            for name in names:
                told[name].append(line.strip())
    return {name: " ".join(text).replace("``", "") for name, text in told.items()}


def first_sentence(kind: type) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(kind) or "").partition("\n")[0].replace("``", "")
