"""Reading bodies that strangers wrote: JSON that may be anything, and text that cannot be stored.

Nothing here raises on odd values; what has the wrong type counts as absent. Schemas with named mistakes are
the vendor's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn, cast

import msgspec

NAME_LIMIT = 256
"""Longest name, id or title that is kept, in characters."""

TEXT_LIMIT = 65_536
"""Longest text that is kept, in characters; longer than what any messenger carries."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "�"
_INTEGERS = range(-(2**63), 2**63)
_EARLIEST_S = 978_307_200  # 2001-01-01: older is not a time of a message but a zero or a mistake
_LATEST_S = 4_102_444_800  # 2100-01-01


def decode_json(body: bytes) -> object:
    """The JSON value of a body in UTF-8.

    Raises:
        ValueError: not UTF-8, not JSON (`NaN` is not), a number without end, or nested beyond reason.
    """
    try:
        return cast("object", _STRICT.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Nearly always that was it. What the quick reader refuses may still be JSON of a careless sender: half a surrogate pair.
        pass
    try:
        return cast("object", _TOLERANT.decode(body.decode("utf-8")))
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error


def find_object(body: bytes) -> Mapping[str, object] | None:
    """The JSON object of a body, or None when the body is anything else."""
    try:
        value = decode_json(body)
    except ValueError:
        return None
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def clean_text(text: str, *, limit: int) -> str:
    """The text, exactly, but for what databases and UTF-8 refuse: half surrogates and U+0000 become U+FFFD.

    Args:
        text: as it came.
        limit: longest result in characters; the rest is cut.
    """
    text = text[:limit]
    return text if text.isprintable() else _UNSTORABLE.sub(_REPLACEMENT, text)


def value_at(value: object, *path: str) -> object:
    """What stands at the path of keys, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def object_at(value: object, *path: str) -> Mapping[str, object] | None:
    """The object at the path, or None."""
    found = value_at(value, *path)
    return cast("Mapping[str, object]", found) if isinstance(found, dict) else None


def text_at(value: object, *path: str, limit: int = NAME_LIMIT) -> str | None:
    """The clean text at the path, cut to the limit; None when there is none or it is empty."""
    found = value_at(value, *path)
    return clean_text(found, limit=limit) if isinstance(found, str) and found else None


def integer_at(value: object, *path: str) -> int | None:
    """The 64-bit integer at the path, or None; true and false are no integers."""
    found = value_at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found in _INTEGERS else None


def identifier_at(value: object, *path: str) -> str | None:
    """The integer at the path as text (ids are never floats), or None."""
    found = integer_at(value, *path)
    return None if found is None else str(found)


def moment_at(value: object, *path: str) -> datetime | None:
    """The Unix time in whole seconds at the path as aware UTC, or None when absent or no time of our days."""
    seconds = integer_at(value, *path)
    if seconds is None or not _EARLIEST_S <= seconds < _LATEST_S:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _read_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):  # written anew it would be no JSON any more
        raise ValueError("A number is beyond all bounds.")
    return number


# Made once: making one costs as much as a small body.
_TOLERANT = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_read_float)
_STRICT = msgspec.json.Decoder()
