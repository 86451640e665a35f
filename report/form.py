# SPDX-License-Identifier: Apache-2.0
"""The JSON form of a dataclass, written and read. Reading checks the kind of each entry."""

import dataclasses
import math
import reprlib
import types
from typing import Any, get_args, get_origin, get_type_hints

__all__ = ["as_form", "from_form"]

KINDS = {int: "a whole number of 0 or more", float: "a finite number", bool: "true or false",
         str: "text"}


def as_form(record: Any) -> Any:
    """``record`` as objects, lists and plain values.

    Each field is an entry with its name. A field that older reports lack is left out if it has its
    default.
    """
    if dataclasses.is_dataclass(record):
        values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)
                  if not _is_optional(field) or getattr(record, field.name) != field.default}
        return {key: as_form(value) for key, value in values.items()}
    if isinstance(record, dict):
        return {key: as_form(value) for key, value in record.items()}
    if isinstance(record, tuple):
        return [as_form(value) for value in record]
    return record


def from_form(kind: Any, value: Any, name: str = "") -> Any:
    """``value``, the result of `as_form`, as a ``kind``. Entries without a field are ignored.

    Parameters
    ----------
    kind : type
        A dataclass, int, float, bool, str, ``tuple[X, ...]``, ``dict[str, X]`` or ``X | None``.
    value : object
        As `json.loads` returns it.
    name : str
        Name of the value, for messages; empty for the whole.

    Raises
    ------
    ValueError
        If an entry is missing or has a wrong kind. The message names the entry.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return None if value is None else from_form(inner[0], value, name)
    if origin is tuple:
        if type(value) is not list:
            raise ValueError(f"{name} must be a list, not {reprlib.repr(value)}")
        return tuple(from_form(inner[0], entry, f"{name}[{k}]") for k, entry in enumerate(value))
    if origin is dict or dataclasses.is_dataclass(kind):
        if type(value) is not dict:
            raise ValueError(f"{name or 'The whole'} must be an object, not {reprlib.repr(value)}")
        if origin is dict:
            return {key: from_form(inner[1], entry, f"{name}.{key}")
                    for key, entry in value.items()}
        return _record(kind, value, name)
    fits = type(value) in ((int, float) if kind is float else (kind,))
    if not fits or kind is int and value < 0 or kind is float and not math.isfinite(value):
        raise ValueError(f"{name} must be {KINDS[kind]}, not {reprlib.repr(value)}")
    return float(value) if kind is float else value


def _record(kind: Any, value: dict, name: str) -> Any:
    hints, given = get_type_hints(kind), {}
    for field in dataclasses.fields(kind):
        entry = f"{name}.{field.name}" if name else field.name
        if field.name in value:
            given[field.name] = from_form(hints[field.name], value[field.name], entry)
        elif not _is_optional(field):
            raise ValueError(f"{entry} must be there, not missing")
    return kind(**given)


def _is_optional(field: dataclasses.Field) -> bool:
    return field.default is None or field.default == () or field.metadata.get("later", False)
