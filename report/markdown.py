# SPDX-License-Identifier: Apache-2.0
"""Tables and numbers in Markdown."""

__all__ = ["digits", "markdown"]


def digits(number: float | None) -> str:
    """``number`` with three decimals; a dash for None."""
    return "-" if number is None else f"{number:.3f}"


def markdown(rows: list[tuple[str, ...]]) -> str:
    """``rows`` as a Markdown table; the first row is the head."""
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
