"""Reading untrusted JSON: PHP sends `[]` for an empty object, and ids as text or number. Nothing raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def as_mapping(value: object) -> Mapping[str, object]:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[object]:
    """The list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_rows(value: object) -> list[Mapping[str, object]]:
    """The objects of a list; anything else in it is left out."""
    return [row for row in as_list(value) if isinstance(row, dict)]


def as_id(value: object) -> int | None:
    """A positive whole number, given as number or text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0 else None  # noqa: PLR2004  # 63 bits


def as_number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def as_text(value: object) -> str:
    """The text, or "" for anything else."""
    return value if isinstance(value, str) else ""


def ids_of(value: object) -> tuple[int, ...]:
    """Every id in a list, in order."""
    return tuple(number for item in as_list(value) if (number := as_id(item)) is not None)
