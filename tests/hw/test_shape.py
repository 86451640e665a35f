# SPDX-License-Identifier: Apache-2.0
"""Blocks stay small, and none has long lists of wires to hand on what it does not use."""

import ast
from statistics import median, quantiles

import pytest

from tests.designs import ROOT

# Lines of elaborate(), its first and its last one included.
MEDIAN  = 30
MOST_OF = 60            # 9 of 10 blocks
# Ports of its submodules that a block joins, one by one, to another port as it is.
WIRES   = 10


def _classes():
    """Every class with an elaborate(), and that function, by file and name."""
    found = {}
    for folder in ("hw", "boards/board"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for item in ast.walk(ast.parse(path.read_text())):
                if isinstance(item, ast.ClassDef):
                    for part in item.body:
                        if isinstance(part, ast.FunctionDef) and part.name == "elaborate":
                            found[f"{path.relative_to(ROOT)}: {item.name}"] = item, part
    return found


CLASSES = _classes()


def _submodules(item):
    """Names of local variables that hold a submodule."""
    for assign in ast.walk(item):
        if isinstance(assign, ast.Assign) and any(
                isinstance(target, ast.Attribute) and ast.unparse(target.value) == "m.submodules"
                for target in assign.targets):
            yield from (target.id for target in assign.targets if isinstance(target, ast.Name))


def _is_port(value, names):
    """Whether ``value`` is a port of one of ``names``, and nothing else."""
    while isinstance(value, ast.Attribute) and not isinstance(value.value, ast.Name):
        value = value.value
    return isinstance(value, ast.Attribute) and value.value.id in names


def _wires(item):
    """Ports of submodules that are only joined to another port: ``sub.x.eq(other.y)``."""
    inner = set(_submodules(item))
    wires = []
    for call in ast.walk(item):
        if (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
                and call.func.attr == "eq" and len(call.args) == 1):
            ends = call.func.value, call.args[0]
            if (all(_is_port(end, inner | {"self"}) for end in ends)
                    and any(_is_port(end, inner) for end in ends)):
                wires.append(ast.unparse(call))
    return wires


def test_blocks_are_small():
    lines = {name: part.end_lineno - part.lineno + 1 for name, (_, part) in CLASSES.items()}
    assert len(lines) > 25
    assert median(lines.values()) <= MEDIAN, sorted(lines.items(), key=lambda item: item[1])
    assert quantiles(lines.values(), n=10)[-1] <= MOST_OF


@pytest.mark.parametrize("name", CLASSES)
def test_blocks_hand_on_few_ports(name):
    wires = _wires(CLASSES[name][0])
    assert len(wires) <= WIRES, "\n".join(wires)


def test_wires_are_counted():
    """A port that is joined as it is counts; one that goes through logic or a register does not."""
    item, = ast.parse("""
class Block:
    def elaborate(self, platform):
        m.submodules.one = one = One()
        m.submodules.two = two = Two()
        m.d.comb += [one.i.eq(self.i), self.p.done.eq(two.done), one.x.y.eq(two.z)]
        m.d.comb += [one.go.eq(two.a & two.b), self.busy.eq(count), self.a.eq(self.b)]
""").body
    assert _wires(item) == ["one.i.eq(self.i)", "self.p.done.eq(two.done)", "one.x.y.eq(two.z)"]
