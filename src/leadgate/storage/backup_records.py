"""What a backup holds, record by record, whichever engine it came from: tables by rows, files by bytes, a manifest at the end.

Each record is its length and msgpack. A reader takes them in the order in which a writer must write them, counts along, and
compares with the manifest: a backup without its end is none. Sealing is not decided here; see `vault.backup_file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from leadgate.errors import BackupDamagedError, TamperedError
from leadgate.vault.backup_file import damaged

Row: TypeAlias = Sequence[Any]
"""Numbers, texts, bytes and None; a decoder of msgpack cannot be told to expect both texts and bytes."""

FORMAT = 1
_LENGTH_BYTES = 4
_LONGEST_RECORD = 64 << 20


class Begin(msgspec.Struct, tag="begin", frozen=True, kw_only=True):
    """Whose backup this is.

    Attributes:
        version: of the program that made it.
        migration: of the database; the tables are laid out as it left them.
    """

    format: int
    version: str
    workspace_id: str
    workspace_name: str
    migration: str
    created_at: str
    engine: str


class TableBegins(msgspec.Struct, tag="table", frozen=True):
    """The rows that follow belong to this table."""

    name: str
    columns: list[str]


class Rows(msgspec.Struct, tag="rows", frozen=True):
    """Rows of the table that began last, each value as it stands in its column."""

    rows: list[list[Any]]


class FileBegins(msgspec.Struct, tag="file", frozen=True):
    """The bytes that follow belong to this file of the data directory."""

    path: str


class FileBytes(msgspec.Struct, tag="bytes", frozen=True):
    """A piece of the file that began last."""

    content: bytes


class End(msgspec.Struct, tag="end", frozen=True):
    """The manifest: rows by table and bytes by file, and the SHA-256 of each part in hexadecimal."""

    rows: dict[str, int]
    files: dict[str, int]
    sha256: dict[str, str]


Record: TypeAlias = Begin | TableBegins | Rows | FileBegins | FileBytes | End
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class Sink(Protocol):
    """Where records are written to."""

    def write(self, content: bytes, /) -> int:
        """Take all of it."""
        ...


class Source(Protocol):
    """Where records are read from."""

    def read_exactly(self, size: int) -> bytes:
        """So many bytes; fewer only at the end."""
        ...


class _Tally:
    """Counts parts the same way on both sides."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self._digests: dict[str, hashlib._Hash] = {}
        self._part = ""

    def note(self, record: Record, encoded: bytes) -> None:
        match record:
            case TableBegins(name=name):
                self._begin(f"table:{name}", self.rows, name)
            case FileBegins(path=path):
                self._begin(f"file:{path}", self.files, path)
            case Rows(rows=rows):
                self.rows[self._of("table")] += len(rows)
                self._digests[self._part].update(encoded)
            case FileBytes(content=content):
                self.files[self._of("file")] += len(content)
                self._digests[self._part].update(content)
            case Begin() | End():
                self._part = ""

    def manifest(self) -> End:
        return End(self.rows, self.files, {part: digest.hexdigest() for part, digest in self._digests.items()})

    def _begin(self, part: str, counts: dict[str, int], name: str) -> None:
        if part in self._digests:
            raise damaged()
        self._part, counts[name], self._digests[part] = part, 0, hashlib.sha256()

    def _of(self, kind: str) -> str:
        found, _, name = self._part.partition(":")
        if found != kind:
            raise damaged()
        return name


class RecordWriter:
    """Writes records and, at last, the manifest."""

    def __init__(self, sink: Sink) -> None:
        """Write to this sink."""
        self._sink = sink
        self._tally = _Tally()

    def write(self, record: Record) -> None:
        """Append a record; `Begin` first."""
        encoded = _encode(record)
        self._tally.note(record, encoded)
        self._sink.write(len(encoded).to_bytes(_LENGTH_BYTES) + encoded)

    def finish(self) -> End:
        """Write the manifest; nothing may follow."""
        end = self._tally.manifest()
        self.write(end)
        return end


def read_records(source: Source) -> Iterator[Record]:
    """Every record in order, the manifest last; when the iteration ends by itself the backup is whole.

    Raises:
        BackupDamagedError: changed, cut, appended to, or not what its manifest says.
    """
    tally, is_first = _Tally(), True
    while True:
        encoded = _read_encoded(source)
        try:
            record = _decode(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise damaged() from None
        if isinstance(record, Begin) is not is_first:
            raise damaged()
        if isinstance(record, Begin) and record.format != FORMAT:
            raise BackupDamagedError(
                "This backup was made by a newer version of Leadgate.",
                code="backup.newer",
                hint="Install that version or a newer one.",
            )
        is_first = False
        tally.note(record, encoded)
        if isinstance(record, End):
            if record != tally.manifest() or _read(source, 1):
                raise damaged()
            yield record
            return
        yield record


def _read_encoded(source: Source) -> bytes:
    start = _read(source, _LENGTH_BYTES)
    length = int.from_bytes(start)
    if len(start) < _LENGTH_BYTES or length > _LONGEST_RECORD:
        raise damaged()
    encoded = _read(source, length)
    if len(encoded) < length:
        raise damaged()
    return encoded


def _read(source: Source, size: int) -> bytes:
    try:
        return source.read_exactly(size)
    except TamperedError:
        raise damaged() from None
