# SPDX-License-Identifier: Apache-2.0
"""The ladder as tables: on a terminal, and in Markdown."""

import json
from collections.abc import Callable
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.report.markdown import digits

from .form import check_form
from .run import SCHEMA

__all__ = ["TABLES", "accuracy", "by_network", "cost", "load_ladder", "text", "title"]

Rows = list[tuple[str, ...]]


def accuracy(ladder: dict) -> Rows:
    """Accuracy of every rung, the head first; columns without any figure are left out."""
    head = ("rung", "fidelity R2", "spikes that agree", "Hz a neuron", "decoding R2 x, y",
            "correlation x, y", "RTL = golden", "gates = golden")
    return _filled([head, *(
        (row["rung"], digits(row["fidelity_r2"]), digits(row["spike_agreement"]),
         _told(row["firing_rate_hz"], ".2f"), _axes(row, "decoding_r2"),
         _axes(row, "decoding_correlation"), _check(row["rtl"]), _check(row["gates"]))
        for row in ladder["mean"])])


def cost(ladder: dict) -> Rows:
    """Cost of every rung, the head first; columns without any figure are left out."""
    head = ("rung", "table bits", "state bits", "footprint bytes", "additions a step",
            "products a step", "dense", "multiplies", "zero weights", "silent")
    return _filled([head, *(
        (row["rung"], f"{row['table_bits']:,.0f}", f"{row['state_bits']:,.0f}",
         f"{row['footprint_bytes']:,.0f}", f"{row['synaptic_operations']:.1f}",
         _told(row.get("effective_macs"), ",.1f"),
         f"{row['dense_operations']:,.0f}", f"{row['decay_multiplies']:.0f}",
         f"{row['connection_sparsity']:.1%}", _told(row["activation_sparsity"], ".1%"))
        for row in ladder["mean"])])


def by_network(ladder: dict) -> Rows:
    """Fidelity of every network on every rung, the head first."""
    return [("network", *ladder["rungs"]), *(
        (network["name"], *(digits(row["fidelity_r2"]) for row in network["rungs"]))
        for network in ladder["networks"])]


TABLES: dict[str, Callable[[dict], Rows]] = {
    "accuracy": accuracy, "cost": cost, "networks": by_network}


def title(ladder: dict) -> str:
    """The networks and the recording, in one line."""
    networks = ladder["networks"]
    names = (networks[0]["name"] if len(networks) == 1
             else f"mean of {len(networks)} networks")
    steps = sum(network["recording"]["steps"] for network in networks)
    return (f"{names} on {_some(network['recording']['name'] for network in networks)}, "
            f"{steps:,} steps; calibrated on "
            f"{_some(network['calibration'] or 'simulated spikes' for network in networks)}")


def text(ladder: dict) -> str:
    """All tables in columns."""
    tables = [accuracy(ladder), cost(ladder)]
    if len(ladder["networks"]) > 1:
        tables.append(by_network(ladder))
    return "\n\n".join([title(ladder), *map(_columns, tables)])


def load_ladder(path: Path) -> dict:
    """Read a ladder.json.

    Raises
    ------
    InputError
        If it is no ladder, of another schema, or an entry has a wrong kind.
    """
    path = Path(path)
    try:
        ladder = json.loads(path.read_text(encoding="utf-8"))
        schema = ladder["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} must be a ladder.json, not another or a damaged file") from error
    if schema != SCHEMA:
        raise InputError(f"{path} schema must be {SCHEMA}, not {schema!r}: make the ladder again")
    try:
        check_form(ladder)
    except ValueError as error:
        raise InputError(f"{path} cannot be used: {error}: make the ladder again") from error
    return ladder


def _some(names) -> str:
    """All different names, or the first one and how many there are."""
    different = list(dict.fromkeys(names))
    return different[0] if len(different) == 1 else f"{different[0]} and {len(different) - 1} more"


def _told(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _axes(row: dict, key: str) -> str:
    return ", ".join(map(digits, row.get(key) or [])) or "-"


def _check(check: dict | None) -> str:
    if check is None:
        return "-"
    return f"{check['steps']:,} steps" if check["equal"] else "DIFFERS"


def _filled(rows: Rows) -> Rows:
    used = [any(row[k] != "-" for row in rows[1:]) for k in range(len(rows[0]))]
    return [tuple(cell for cell, keep in zip(row, used, strict=True) if keep) for row in rows]


def _columns(rows: Rows) -> str:
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(size) if k == 0 else cell.rjust(size)
                               for k, (cell, size) in enumerate(zip(row, width, strict=True)))
                     for row in rows)
