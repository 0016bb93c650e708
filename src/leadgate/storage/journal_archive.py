"""The audit journal as an auditor sees it: verified, exported, its entries proven. Changes nothing and needs no secret key.

Works beside a running gateway, and on a data directory that was stopped and copied, also on a medium that cannot be written.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from leadgate.audit.checkpoints import UNREADABLE, Checkpoint, VerifyingKey, read_checkpoint, write_checkpoint
from leadgate.audit.encoding import canonical, fields_of, leaf_fields, read_line, text_of
from leadgate.audit.inspection import Inspection
from leadgate.audit.merkle import prove_consistency, prove_inclusion
from leadgate.errors import ConfigurationError, JournalTamperedError, NotFoundError
from leadgate.model.journal import (
    JournalExtract,
    JournalFault,
    JournalFaultKind,
    JournalRow,
    JournalVerdict,
    ProvenEntry,
)
from leadgate.storage.journal_keys import KEY_FILE, find_public_key, open_signing_key, read_kept_checkpoint
from leadgate.storage.journal_rows import (
    AFTER,
    FILE,
    FROM_START,
    JournalDamagedError,
    NodeReader,
    columns_of,
    connect_for_reading,
    frontier_of,
    last_of,
    newest_of,
    signature_of,
    translated,
)

FORMAT = "leadgate-journal/1"
EXTRACT_FORMAT = "leadgate-journal-extract/1"
_ROWS_AT_ONCE = 500


class JournalArchive:
    """Reads the journal of a data directory."""

    def __init__(self, directory: Path) -> None:
        """Read the journal in this directory; that there is none yet is fine."""
        self._directory = directory
        self._path = directory / FILE

    def is_begun(self) -> bool:
        """True when there is a journal, or something that is left of one."""
        return self._path.exists() or self._key() is not None

    def key(self) -> VerifyingKey:
        """The public key.

        Raises:
            NotFoundError: there is none: no entry was ever written.
            JournalTamperedError: it does not belong to the signing key beside it.
        """
        key = self._key()
        if key is None:
            raise NotFoundError(
                "There is no journal here yet, or its key is missing.",
                code="journal.none",
                hint="The first act that leaves a trace makes it; name the data directory with --data.",
            )
        return key

    def checkpoint_at(self) -> datetime | None:
        """When the checkpoint beside the journal was written; None before there is one."""
        kept = read_kept_checkpoint(self._directory)
        return None if kept is None else kept[1]

    def verify(self, checkpoints: Sequence[str] = (), *, pause_s: float = 0.0) -> JournalVerdict:
        """Walk through every entry from the first on.

        Args:
            checkpoints: texts of checkpoints that were taken out earlier.
            pause_s: how long to rest after every few hundred entries, for a process that has other work.

        Raises:
            JournalTamperedError: a given checkpoint was not signed by the journal's key, or is none.
            JournalUnavailableError: the file cannot be read at all.
        """
        if not self.is_begun():
            if checkpoints:
                raise JournalTamperedError(
                    "There is no journal here, so entry 1 of the one that this checkpoint was taken of is missing.",
                    code="journal.gone",
                    hint="Name the right data directory with --data; see docs/runbook/journal-damaged.md.",
                )
            return JournalVerdict(entries=0, fault=None)
        key = self.key()
        expected = [read_checkpoint(text, key) for text in checkpoints]
        # The kept one is read before the journal: entries that come meanwhile cannot make it look newer than the journal.
        kept, fault = self._kept(key)
        inspection = Inspection(key, expected if kept is None else [*expected, kept])
        return _conclude(inspection, self._walk(inspection, pause_s), fault)

    def head(self) -> str:
        """The newest signed checkpoint.

        Raises:
            NotFoundError: there is no journal yet.
            JournalUnavailableError: its end does not fit its signature.
        """
        if not self._path.exists():
            return self._empty_head()
        with self._reading() as file:
            return self._head(file)[1]

    def newest(
        self, *, limit: int, before: int | None = None, on: str | None = None, area: str | None = None
    ) -> Sequence[JournalRow]:
        """Newest first, as `ports.journal.Journal.newest`."""
        if not self._path.exists():
            return []
        with self._reading() as file:
            return newest_of(file, limit=limit, before=before, on=on, area=area)

    def export(self, target: Path) -> int:
        """Write every entry, the public key and the newest checkpoint as JSON lines; how many entries.

        A journal that was changed is written as it is, as far as its rows can be read: finding that is the verifier's work.

        Raises:
            ConfigurationError: the file cannot be written.
            NotFoundError: there is no journal yet.
            JournalUnavailableError: the journal cannot be read.
        """
        key = self.key()
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        with self._reading() as file:
            size, checkpoint = self._head(file)
            try:
                with temporary.open("xb") as out:
                    temporary.chmod(0o600)
                    out.write(canonical({"format": FORMAT, "key": str(key)}) + b"\n")
                    for columns in _rows(file):
                        if columns[0] == size + 1:
                            break
                        out.write(_export_line(columns) + b"\n")
                    out.write(canonical({"checkpoint": checkpoint, "entries": size}) + b"\n")
                temporary.replace(target)
            except OSError as error:
                raise ConfigurationError(f"The export cannot be written: {error.strerror}.") from error
            finally:
                temporary.unlink(missing_ok=True)
        return size

    def extract(self, numbers: Sequence[int]) -> JournalExtract:
        """Entries with the proofs that they stand in the journal, and the checkpoint that the proofs lead to.

        Raises:
            NotFoundError: there is no entry of this number.
            JournalUnavailableError: the journal was changed.
        """
        key = self.key()
        with self._reading() as file:
            size, checkpoint = self._head(file)
            nodes = NodeReader(file)
            return JournalExtract(
                key=str(key),
                checkpoint=checkpoint,
                entries=[_prove(file, nodes, number, size) for number in numbers],
            )

    def prove_consistency(self, old: int) -> Sequence[str]:
        """That the journal begins with the entries of a checkpoint of this size: the proof of RFC 9162 up to `head`, base64.

        Raises:
            NotFoundError: the journal has fewer entries.
        """
        with self._reading() as file:
            size, _ = last_of(file)
            if not 0 <= old <= size:
                raise NotFoundError(f"The journal has only {size} entries.")
            return [text_of(node) for node in prove_consistency(old, size, NodeReader(file))]

    def _walk(self, inspection: Inspection, pause_s: float) -> JournalFault | None:
        if not self._path.exists():
            return inspection.end()
        with translated(), contextlib.closing(connect_for_reading(self._path)) as file:
            end, _ = file.execute("SELECT coalesce(max(number), 0), 0 FROM journal").fetchone()
            try:
                for count, columns in enumerate(_rows(file)):
                    if columns[0] == end + 1 == inspection.entries + 1:
                        break  # it was added after we began, and would keep us busy for ever
                    if (fault := inspection.read(columns)) is not None:
                        return fault
                    if pause_s and count % _ROWS_AT_ONCE == 0:
                        time.sleep(pause_s)
            except sqlite3.DatabaseError:
                return JournalFault(inspection.entries + 1, JournalFaultKind.CHANGED)
        return inspection.end()

    def _kept(self, key: VerifyingKey) -> tuple[Checkpoint | None, JournalFault | None]:
        kept = read_kept_checkpoint(self._directory)
        if kept is None:
            return None, JournalFault(None, JournalFaultKind.CHECKPOINT_MISSING)
        try:
            return read_checkpoint(kept[0], key), None
        except JournalTamperedError as error:
            is_none = error.code == UNREADABLE
            kind = JournalFaultKind.CHECKPOINT_MISSING if is_none else JournalFaultKind.CHECKPOINT_FORGED
            return None, JournalFault(None, kind)

    def _head(self, file: sqlite3.Connection) -> tuple[int, str]:
        key = self.key()
        size, signature = last_of(file)
        if size == 0:
            return 0, self._empty_head()
        root = frontier_of(file, size).root()
        if not key.has_signed(size, root, signature):
            raise JournalDamagedError(f"what entry {size} ends with was not signed by its key")
        return size, write_checkpoint(key, size, root, signature)

    def _empty_head(self) -> str:
        """The checkpoint of no entries, which was signed when the key was made."""
        key, kept = self.key(), read_kept_checkpoint(self._directory)
        if kept is None or read_checkpoint(kept[0], key).size:
            raise JournalDamagedError("every entry is gone")
        return kept[0]

    def _key(self) -> VerifyingKey | None:
        public = find_public_key(self._directory)
        if not (self._directory / KEY_FILE).exists():
            return public
        signing = open_signing_key(self._directory).public
        if public is not None and str(public) != str(signing):
            raise JournalTamperedError(
                "The public key beside the journal does not belong to its signing key: one of them was replaced.",
                code="journal.key_changed",
                hint="Compare both with a copy of the data directory; see docs/runbook/journal-damaged.md.",
            )
        return signing

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One look at the file, as it stood at its beginning."""
        if not self._path.exists():
            self.key()
            raise JournalDamagedError(f"the file {FILE} is gone")
        with translated(), contextlib.closing(connect_for_reading(self._path)) as file:
            file.execute("BEGIN")
            yield file


def _rows(file: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    """Every row in order, some at a time, so that no long look keeps the gateway's own file from being tidied."""
    rows = file.execute(FROM_START, (_ROWS_AT_ONCE,)).fetchall()
    while rows:
        yield from rows
        rows = file.execute(AFTER, (rows[-1][0], _ROWS_AT_ONCE)).fetchall()


def _conclude(inspection: Inspection, found: JournalFault | None, beside: JournalFault | None) -> JournalVerdict:
    fault = found if found is not None else beside
    entries = inspection.entries if found is None or found.number is None else max(0, found.number - 1)
    return JournalVerdict(entries=entries, fault=fault)


def _export_line(columns: tuple[object, ...]) -> bytes:
    try:
        line = read_line(columns)
        return canonical({**fields_of(line), "signature": text_of(line.signature)})
    except ValueError:
        return canonical({"number": columns[0] if type(columns[0]) is int else None, "unreadable": True})


def _prove(file: sqlite3.Connection, nodes: NodeReader, number: int, size: int) -> ProvenEntry:
    columns = columns_of(file, number) if 0 < number <= size else None
    if columns is None:
        raise NotFoundError(f"The journal has no entry {number}.", hint="See: leadgate journal tail")
    try:
        fields = leaf_fields(read_line(columns), signature_of(file, number - 1))
    except ValueError as error:
        raise JournalDamagedError(f"entry {number} cannot be read") from error
    proof = prove_inclusion(number - 1, size, nodes)
    return ProvenEntry(fields, [text_of(node) for node in proof])
