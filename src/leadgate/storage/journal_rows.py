"""The table `journal` in its SQLite file: opening it, its statements, its rows as entries. Nothing here decides anything.

One row an entry. `hashes` holds the hash of its leaf and of every whole subtree that ends with it (lowest first), so the Merkle
tree needs no table of its own; `signature` is that of the checkpoint which the entry completes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from leadgate.audit.merkle import HASH_BYTES, Frontier, completed_by
from leadgate.errors import JournalUnavailableError
from leadgate.model.journal import JournalEntry, JournalRow, Result, Tag
from leadgate.storage.schema import from_micros

FILE = "journal.sqlite3"
_COLUMNS = "number, at, tag, made_by, made_on, result, details, hashes, signature"
_AREA = "substr(tag, 1, instr(tag, '.'))"
_TABLE = (
    """
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tag TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_on TEXT,
    result TEXT NOT NULL,
    details TEXT NOT NULL,
    hashes BLOB NOT NULL,
    signature BLOB NOT NULL
)
""",
    "CREATE INDEX IF NOT EXISTS entries_about ON journal (made_on) WHERE made_on IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS entries_of_area ON journal ({_AREA})",
)
ADD = f"INSERT INTO journal ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - column names of ours
_LAST = "SELECT number, signature FROM journal ORDER BY number DESC LIMIT 1"
_HASHES = "SELECT hashes FROM journal WHERE number = ?"
_SIGNATURE = "SELECT signature FROM journal WHERE number = ?"
AFTER = f"SELECT {_COLUMNS} FROM journal NOT INDEXED WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - as above
FROM_START = f"SELECT {_COLUMNS} FROM journal NOT INDEXED ORDER BY number LIMIT ?"  # noqa: S608 - as above
_ONE = f"SELECT {_COLUMNS} FROM journal WHERE number = ?"  # noqa: S608 - as above
_NEWEST = "SELECT number, at, tag, made_by, made_on, result, details FROM journal"
_BUSY_TIMEOUT_S = 5.0


class JournalDamagedError(JournalUnavailableError):
    """A row cannot be what was written, so the journal is neither added to nor shown."""

    code = "journal.damaged"

    def __init__(self, what: str) -> None:
        """Say what is wrong, without its contents."""
        super().__init__(
            f"The audit journal was changed from outside: {what}.",
            hint="Run `leadgate journal verify`, then see docs/runbook/journal-damaged.md.",
        )


def connect_for_writing(path: Path) -> sqlite3.Connection:
    """The journal's file, made when it is missing. Raises sqlite3.Error, OSError."""
    if not path.exists():
        path.touch(mode=0o600)
    file = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        file.execute("PRAGMA trusted_schema = OFF")
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")
        for statement in _TABLE:
            file.execute(statement)
    except BaseException:
        file.close()
        raise
    return file


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """The journal's file, changed by nothing here; a copy on a medium that cannot be written is read too. Raises sqlite3.Error."""
    address = f"file:{quote(str(path.absolute()))}"
    try:
        return _reader(f"{address}?mode=ro")
    except sqlite3.OperationalError:
        if path.with_name(f"{path.name}-wal").exists():
            raise
        return _reader(f"{address}?mode=ro&immutable=1")


def _reader(address: str) -> sqlite3.Connection:
    file = sqlite3.connect(address, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    # What somebody else wrote need not be Unicode; it is read all the same, and then found wrong.
    file.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        file.execute("PRAGMA trusted_schema = OFF")
        file.execute(_LAST).fetchone()
    except BaseException:
        file.close()
        raise
    return file


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What SQLite and the disk say becomes JournalUnavailableError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalUnavailableError(
            "The audit journal cannot be written or read, so nothing was done.",
            hint=f"See to the disk and to the file {FILE} in the data directory, then do it again.",
        ) from error


def last_of(file: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and signature of the newest entry; 0 and nothing when there is none. Raises JournalDamagedError."""
    found = file.execute(_LAST).fetchone()
    if found is None:
        return 0, b""
    number, signature = found
    if type(signature) is not bytes or number < 1:
        raise JournalDamagedError(f"entry {number} has no signature")
    return number, signature


def signature_of(file: sqlite3.Connection, number: int) -> bytes:
    """The signature of an entry; nothing for number 0. Raises JournalDamagedError."""
    found = file.execute(_SIGNATURE, (number,)).fetchone()
    if number == 0:
        return b""
    if found is None or type(found[0]) is not bytes:
        raise JournalDamagedError(f"entry {number} is missing or has no signature")
    return bytes(found[0])


def frontier_of(file: sqlite3.Connection, size: int) -> Frontier:
    """The tree of the first `size` entries, by the hashes that are kept. Raises JournalDamagedError."""
    return Frontier.load(size, NodeReader(file))


class NodeReader:
    """Hashes of whole subtrees out of the rows, each row read once."""

    def __init__(self, file: sqlite3.Connection) -> None:
        """Read from this file."""
        self._file = file
        self._read: dict[int, bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash at (level, index). Raises JournalDamagedError."""
        number = completed_by(level, index)
        if number not in self._read:
            found = self._file.execute(_HASHES, (number,)).fetchone()
            if found is None or type(found[0]) is not bytes:
                raise JournalDamagedError(f"entry {number} is missing or has no hashes")
            self._read[number] = found[0]
        node = self._read[number][level * HASH_BYTES : (level + 1) * HASH_BYTES]
        if len(node) != HASH_BYTES:
            raise JournalDamagedError(f"entry {number} has not all of its hashes")
        return node


def columns_of(file: sqlite3.Connection, number: int) -> tuple[object, ...] | None:
    """One row as it is; None when there is none of this number."""
    found: tuple[object, ...] | None = file.execute(_ONE, (number,)).fetchone()
    return found


def newest_of(
    file: sqlite3.Connection, *, limit: int, before: int | None, on: str | None, area: str | None
) -> Sequence[JournalRow]:
    """Newest first. Raises JournalDamagedError: a row cannot be read."""
    wishes = [
        ("number < ?", before),
        ("made_on = ?", on),
        (f"{_AREA} = ?", None if area is None else f"{area}."),
    ]
    given = [(condition, value) for condition, value in wishes if value is not None]
    where = f" WHERE {' AND '.join(condition for condition, _ in given)}" if given else ""
    statement = f"{_NEWEST}{where} ORDER BY number DESC LIMIT ?"
    return [_row(row) for row in file.execute(statement, (*(value for _, value in given), limit))]


def _row(row: tuple[Any, ...]) -> JournalRow:
    number, at, tag, made_by, made_on, result, details = row
    try:
        entry = JournalEntry(
            tag=Tag(tag),
            by=_text(made_by),
            on=None if made_on is None else _text(made_on),
            result=Result(result),
            details=msgspec.json.decode(details, type=dict[str, str | int]),
        )
        return JournalRow(number=number, at=from_micros(at), entry=entry)
    except (ValueError, TypeError, OverflowError, msgspec.DecodeError) as error:
        raise JournalDamagedError(f"entry {number} cannot be read") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # what is no Unicode cannot be shown
    return value
