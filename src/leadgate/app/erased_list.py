"""The list of people who were erased, in a file beside the database: a restored copy of the database does not know of them.

One line of JSON for each erasure: `{"erasure": "era_…", "at": "2026-11-22T12:00:00+00:00", "subjects": ["subj_…"]}`. Ids that lead
nowhere, so the list holds nothing about anybody. Lines are only ever added; here they are read and joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from leadgate.errors import ConfigurationError

FILE = "erased.jsonl"


class Erased(msgspec.Struct, frozen=True):
    """One erasure: whose, and when. A person may have been known under several ids."""

    erasure: str
    at: datetime
    subjects: list[str]


_decode = msgspec.json.Decoder(Erased).decode


def read_erased(path: Path) -> list[Erased]:
    """Every line of a list; none when there is no file. A last line that was cut off in the middle is left out.

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
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            erased = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if number == len(lines):
                continue  # without its end: whoever wrote it was killed before the erasure began
            raise ConfigurationError(
                f"Line {number} of the list of erased people cannot be read.",
                code="backup.erased_list",
                hint="Put the list back from your copy; without it erased people would come back.",
            ) from None
        if erased.at.tzinfo is None:
            raise ConfigurationError(
                f"Line {number} of the list of erased people has a time without offset.", code="backup.erased_list"
            )
        found.append(erased)
    return found


def join_erased(*lists: Iterable[Erased]) -> list[Erased]:
    """All of them, each erasure once, the earliest first."""
    joined: dict[str, Erased] = {}
    for erased in (one for several in lists for one in several):
        known = joined.get(erased.erasure)
        subjects = sorted({*erased.subjects, *(known.subjects if known else ())})
        joined[erased.erasure] = Erased(erased.erasure, min(erased.at, known.at) if known else erased.at, subjects)
    return sorted(joined.values(), key=lambda one: (one.at, one.erasure))


def write_erased(erased: Iterable[Erased]) -> bytes:
    """The list as it stands in the file."""
    lines = ({"erasure": one.erasure, "at": one.at.isoformat(), "subjects": one.subjects} for one in erased)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
