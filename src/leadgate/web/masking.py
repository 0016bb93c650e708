"""Personal data as the pages show it before somebody says why they look. Pure."""

from __future__ import annotations

_DOTS = "•••"
_SHOWN_HEAD, _SHOWN_TAIL, _SHORTEST = 2, 2, 9


def mask_phone(phone: str) -> str:
    """`+7 ••• ••-12`: the country and two last figures; all dots when it is too short for that."""
    digits = phone.strip()
    if len(digits) < _SHORTEST:
        return _DOTS
    return f"{digits[:_SHOWN_HEAD]} {_DOTS} {_DOTS}-••-{digits[-_SHOWN_TAIL:]}"


def mask_name(name: str) -> str:
    """The first letter and dots."""
    stripped = name.strip()
    return f"{stripped[:1]}{_DOTS}" if stripped[:1].isalpha() else _DOTS


def mask_all(value: str) -> str:
    """Dots alone, however long the value is."""
    return _DOTS if value else ""
