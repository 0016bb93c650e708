"""An entry as bytes, every column of it, in one way only: canonical JSON as RFC 8785 has it (sorted names, no spaces, UTF-8).

The leaf of an entry also holds the signature of the entry before, so a signature is covered like everything else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_TEXTS_AT = (2, 3, 5, 6)
_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is kept.

    Attributes:
        number: from 1, without a gap.
        at: microseconds since 1970, UTC.
        details: canonical JSON of an object.
        hashes: the hash of its leaf and of every whole subtree that ends with it, lowest first, 32 bytes each.
        signature: of the checkpoint that the entry completes, 64 bytes.
    """

    number: int
    at: int
    tag: str
    by: str
    on: str | None
    result: str
    details: str
    hashes: bytes
    signature: bytes


def canonical(document: Mapping[str, object]) -> bytes:
    """A JSON object in the one way it is written.

    Raises:
        ValueError: it holds a text that is no Unicode.
    """
    return _ENCODER.encode(document).encode()


def read_line(columns: tuple[object, ...]) -> Line:
    """The columns of a row, each of the type that was written.

    Raises:
        ValueError: one is of another type: somebody else wrote it.
    """
    if len(columns) != _COLUMNS:
        raise ValueError("columns")
    number, at, tag, by, on, result, details, hashes, signature = columns
    texts = (columns[place] for place in _TEXTS_AT)
    if (
        type(number) is not int
        or type(at) is not int
        or type(hashes) is not bytes
        or type(signature) is not bytes
        or not all(type(text) is str for text in texts)
        or not (on is None or type(on) is str)
    ):
        raise ValueError("type of a column")
    return Line(number, at, str(tag), str(by), on, str(result), str(details), hashes, signature)


def fields_of(line: Line) -> dict[str, object]:
    """The entry by names as people and programs read it.

    Raises:
        ValueError: the time or the details are none that we would have written.
    """
    try:
        at = _EPOCH + line.at * _MICROSECOND
        details = json.loads(line.details)
    except (OverflowError, RecursionError) as error:
        raise ValueError("time or details") from error
    if type(details) is not dict or canonical(details) != line.details.encode():
        raise ValueError("details")
    return {
        "number": line.number,
        "at": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "tag": line.tag,
        "by": line.by,
        "on": line.on,
        "result": line.result,
        "details": details,
    }


def leaf_fields(line: Line, previous: bytes) -> dict[str, object]:
    """What is hashed: the entry, and the signature of the one before (empty for the first). Raises ValueError."""
    return {**fields_of(line), "previous": text_of(previous)}


def leaf_of(line: Line, previous: bytes) -> bytes:
    """The bytes that are hashed. Raises ValueError as `fields_of`."""
    return canonical(leaf_fields(line, previous))


def text_of(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode()
