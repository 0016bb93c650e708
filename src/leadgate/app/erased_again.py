"""The lists of people who were erased, read and joined for a restore: a copy of the database does not know of them.

A list is the file `erased.jsonl` beside a database, one line of JSON for each erasure:
`{"erasure": "era_…", "at": "2026-11-22T12:00:00+00:00", "subjects": ["subj_…"], "events": ["evt_…"]}`. Ids alone; `events` may be
missing. Adding lines is the business of whoever erases.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from leadgate.errors import ConfigurationError

FILE = "erased.jsonl"
_BEGINNING = b'{"erasure":'


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure.

    Attributes:
        at: aware time.
        subjects: everybody who was this person.
        events: what held something of the person though nobody had worked on it.
    """

    erasure: str
    at: datetime
    subjects: tuple[str, ...]
    events: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(Erased).decode


def read_erased(path: Path) -> list[Erased]:
    """Every line of a list; none when there is no file. A line that a power cut tore off is left out: no row went after it.

    Raises:
        ConfigurationError: the file cannot be read or is no such list. Better no restore than a person who comes back.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"The list of erased people cannot be read: {error.strerror}.") from error
    return parse_erased(content)


def parse_erased(content: bytes) -> list[Erased]:
    """As `read_erased`, of a content."""
    found: list[Erased] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            erased = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if _is_torn(line):
                continue
            raise _unreadable(number) from None
        if erased.at.tzinfo is None:
            raise _unreadable(number)
        found.append(erased)
    return found


def join_erased(*lists: Iterable[Erased]) -> list[Erased]:
    """All of them, each erasure once with everybody whom any list names for it, the earliest first."""
    joined: dict[str, Erased] = {}
    for erased in (one for several in lists for one in several):
        known = joined.get(erased.erasure, erased)
        joined[erased.erasure] = Erased(
            erasure=erased.erasure,
            at=min(erased.at, known.at),
            subjects=tuple(sorted({*erased.subjects, *known.subjects})),
            events=tuple(sorted({*erased.events, *known.events})),
        )
    return sorted(joined.values(), key=lambda one: (one.at, one.erasure))


def write_erased(erased: Iterable[Erased]) -> bytes:
    """The list as it stands in the file."""
    lines = (
        {"erasure": one.erasure, "at": one.at.isoformat(), "subjects": one.subjects, "events": one.events}
        for one in erased
    )
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _is_torn(line: bytes) -> bool:
    """The beginning of a line that was cut off; a whole one ends with its only closing brace."""
    return line[: len(_BEGINNING)] == _BEGINNING[: len(line)] and not line.endswith(b"}")


def _unreadable(number: int) -> ConfigurationError:
    return ConfigurationError(
        f"Line {number} of the list of erased people cannot be read.",
        code="backup.erased_list",
        hint="Put the list back from another copy; without it erased people would come back.",
    )
