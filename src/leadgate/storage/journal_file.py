"""The audit journal of a running house: entries are added to a file of its own beside the database, one writer at a time.

An entry is hashed, joined to the Merkle tree and signed in the transaction that keeps it; see `leadgate.audit`. A journal that was
changed from outside is not added to: that would sign the change. Reading all of it is `journal_archive`'s business.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from leadgate.audit.checkpoints import UNREADABLE, SigningKey, read_checkpoint, write_checkpoint
from leadgate.audit.encoding import Line, canonical, leaf_of
from leadgate.audit.merkle import Frontier, leaf_hash
from leadgate.errors import JournalTamperedError
from leadgate.model.journal import JournalEntry, JournalExtract, JournalRow
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.storage.journal_archive import JournalArchive
from leadgate.storage.journal_keys import keep_checkpoint, make_keys, open_signing_key, read_kept_checkpoint
from leadgate.storage.journal_rows import (
    ADD,
    FILE,
    JournalDamagedError,
    connect_for_writing,
    frontier_of,
    last_of,
    newest_of,
    translated,
)
from leadgate.storage.schema import to_micros

__all__ = ["FILE", "JournalFile"]

T = TypeVar("T")
_log = get_logger("journal")


@dataclass(slots=True)
class _Open:
    """An open file: which one (inode), its key, and the tree as this process saw it last."""

    file: sqlite3.Connection
    inode: int
    key: SigningKey
    tree: Frontier
    signature: bytes


class JournalFile:
    """See `ports.journal.Journal`. One thread and one connection; `close` gives both back."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Keep it in this data directory; file and key are made with the first entry."""
        self._directory = directory
        self._path = directory / FILE
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._opened: _Open | None = None
        self.archive = JournalArchive(directory)

    async def record(self, entry: JournalEntry) -> int:
        """Add an entry."""
        return await self._in_thread(lambda: self._append(entry))

    async def newest(
        self, *, limit: int, before: int | None = None, on: str | None = None, area: str | None = None
    ) -> Sequence[JournalRow]:
        """Newest first."""
        return await self._in_thread(lambda: self._newest(limit=limit, before=before, on=on, area=area))

    async def checkpoint(self) -> str | None:
        """Write the newest signed checkpoint beside the journal, to the disk; None before the first entry."""
        return await self._in_thread(self._checkpoint)

    async def extract(self, numbers: Sequence[int]) -> JournalExtract:
        """Entries with their proofs."""
        return await asyncio.to_thread(self.archive.extract, numbers)

    async def export(self, target: Path) -> int:
        """Everything, for the verifier."""
        return await asyncio.to_thread(self.archive.export, target)

    async def close(self) -> None:
        """Leave a checkpoint behind and give file and thread back."""
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            with translated():
                return work()
        except BaseException:
            self._let_go()  # whatever went wrong, the next one begins with a look at the file
            raise

    def _append(self, entry: JournalEntry) -> int:
        opened = self._open()
        opened.file.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up(opened)
            line, tree = self._next_line(opened, entry)
            columns = (line.number, line.at, line.tag, line.by, line.on, line.result, line.details)
            opened.file.execute(ADD, (*columns, line.hashes, line.signature))
            opened.file.execute("COMMIT")
        except BaseException:
            if opened.file.in_transaction:
                opened.file.execute("ROLLBACK")
            raise
        opened.tree, opened.signature = tree, line.signature
        try:
            self._keep(opened, is_durable=False)
        except OSError:  # the entry stands; an older checkpoint fits as well
            _log.error("journal.checkpoint_failed")
        return line.number

    def _next_line(self, opened: _Open, entry: JournalEntry) -> tuple[Line, Frontier]:
        line = Line(
            number=opened.tree.size + 1,
            at=to_micros(self._clock.now()),
            tag=entry.tag.value,
            by=entry.by,
            on=entry.on,
            result=entry.result.value,
            details=canonical(entry.details).decode(),
            hashes=b"",
            signature=b"",
        )
        tree = opened.tree.copy()
        hashes = b"".join(tree.append(leaf_hash(leaf_of(line, opened.signature))))
        signature = opened.key.sign(tree.size, tree.root())
        return Line(
            line.number, line.at, line.tag, line.by, line.on, line.result, line.details, hashes, signature
        ), tree

    def _open(self) -> _Open:
        """The file as it is now; opened anew when another one stands at its place."""
        if self._opened is not None and self._inode() == self._opened.inode:
            return self._opened
        self._let_go()
        file = connect_for_writing(self._path)
        try:
            file.execute("BEGIN IMMEDIATE")
            size, signature = last_of(file)
            key = make_keys(self._directory) if size == 0 else open_signing_key(self._directory)
            tree = frontier_of(file, size)
            self._compare(file, key, tree, signature)
            file.execute("COMMIT")
        except BaseException:
            file.close()
            raise
        self._opened = _Open(file, self._inode(), key, tree, signature)
        return self._opened

    def _compare(self, file: sqlite3.Connection, key: SigningKey, tree: Frontier, signature: bytes) -> None:
        """Does the end of the journal fit its signature and the checkpoint beside it?"""
        _demand_signed(key, tree, signature)
        kept = read_kept_checkpoint(self._directory)
        if kept is None:
            _log.error("journal.checkpoint_missing")  # written again with the next entry
            return
        try:
            checkpoint = read_checkpoint(kept[0], key.public)
        except JournalTamperedError as error:
            if (
                error.code == UNREADABLE
            ):  # between two entries it is not forced to the disk: a power cut may leave it empty
                _log.error("journal.checkpoint_missing")
                return
            raise JournalDamagedError("the checkpoint kept beside it is not signed by its key") from error
        if checkpoint.size > tree.size:
            raise JournalDamagedError(f"entries after number {tree.size} are gone")
        if frontier_of(file, checkpoint.size).root() != checkpoint.root:
            raise JournalDamagedError("it does not begin as the checkpoint kept beside it says")

    def _catch_up(self, opened: _Open) -> None:
        """What another process added since; within the transaction that adds the next."""
        size, signature = last_of(opened.file)
        if (size, signature) == (opened.tree.size, opened.signature):
            return
        if size <= opened.tree.size:
            raise JournalDamagedError(f"entries after number {size} are gone or others")
        tree = frontier_of(opened.file, size)
        _demand_signed(opened.key, tree, signature)
        opened.tree, opened.signature = tree, signature

    def _newest(self, *, limit: int, before: int | None, on: str | None, area: str | None) -> Sequence[JournalRow]:
        if self._opened is None and not self._path.exists():
            return []
        if self._opened is not None and self._inode() == self._opened.inode:
            return newest_of(self._opened.file, limit=limit, before=before, on=on, area=area)
        return self.archive.newest(limit=limit, before=before, on=on, area=area)

    def _checkpoint(self) -> str | None:
        if self._opened is None and not self._path.exists():
            return None
        opened = self._open()
        opened.file.execute("BEGIN")
        try:
            self._catch_up(opened)
        finally:
            opened.file.execute("ROLLBACK")
        return self._keep(opened, is_durable=True)

    def _keep(self, opened: _Open, *, is_durable: bool) -> str:
        signature = opened.signature or opened.key.sign(0, opened.tree.root())
        checkpoint = write_checkpoint(opened.key.public, opened.tree.size, opened.tree.root(), signature)
        keep_checkpoint(self._directory, checkpoint, is_durable=is_durable)
        return checkpoint

    def _inode(self) -> int:
        try:
            return self._path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _close(self) -> None:
        try:
            if self._opened is not None:
                self._checkpoint()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.file.close()


def _demand_signed(key: SigningKey, tree: Frontier, signature: bytes) -> None:
    if tree.size and not key.public.has_signed(tree.size, tree.root(), signature):
        raise JournalDamagedError(f"what entry {tree.size} ends with was not signed by its key")
