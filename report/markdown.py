# SPDX-License-Identifier: Apache-2.0
"""Tables and numbers as Markdown has them."""

__all__ = ["markdown", "three"]


def three(number: float | None) -> str:
    """Three decimals, or a dash where a report has no number."""
    return "-" if number is None else f"{number:.3f}"


def markdown(rows: list[tuple[str, ...]]) -> str:
    """``rows``, the first one the head, as a Markdown table."""
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
