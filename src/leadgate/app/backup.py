"""Making a backup while the gateway works, and proving that one can be restored.

What it holds: every row of the database as of one moment, and the files of the data directory besides it. The key file is not
among them: the key lies in the head, sealed under the recovery key. How to put one back is in `restore`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from leadgate import __version__
from leadgate.app.custodian_book import BOOK, open_custodians
from leadgate.app.half_restored import MARK
from leadgate.app.high_water import NAME as NEWEST_EVENT
from leadgate.app.initialise import UNSHOWN
from leadgate.errors import ConfigurationError, ConflictError, UnknownKeyError
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock
from leadgate.ports.custodian import KeyWrapper
from leadgate.ports.stores import Workspace
from leadgate.settings import DATABASE_FILE, Settings
from leadgate.storage.backup_records import (
    FORMAT,
    Begin,
    End,
    FileBegins,
    FileBytes,
    Record,
    RecordWriter,
    Rows,
    TableBegins,
    read_records,
)
from leadgate.storage.copies import read_tables, snapshot
from leadgate.storage.engines import Database
from leadgate.storage.restored import Restored
from leadgate.storage.steady_files import starts_with, steady
from leadgate.storage.transaction import SqlTransaction
from leadgate.storage.upgrade import HEAD
from leadgate.system import SystemClock
from leadgate.vault.backup_file import MAGIC, Head, begin_file, open_recovery, open_stream, read_head
from leadgate.vault.custodians import Custodians
from leadgate.vault.key_file import KEY_FILE, FileKeyWrapper, open_key_file, sync_folder

RECOVERY_KEY = "recovery_key"
"""Name in the secrets file."""

_PIECE_BYTES = 1 << 20
_OWN_BUSINESS = frozenset({KEY_FILE, UNSHOWN, NEWEST_EVENT, MARK})
"""Files of this directory alone: keys never go along in clear, marks would lie about another directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade:
    """A backup that stands on the disk.

    Attributes:
        sha256: of the whole file, hexadecimal.
        rows: by table.
        files: bytes by path in the data directory.
    """

    file: Path
    created_at: datetime
    size_bytes: int
    sha256: str
    rows: Mapping[str, int]
    files: Mapping[str, int]


def make_backup(
    engine: Database,
    settings: Settings,
    workspace: Workspace,
    wrapper: KeyWrapper,
    *,
    target: Path,
    clock: Clock,
    confirm: Callable[[BackupMade], None],
) -> BackupMade:
    """Write a backup beside `target`; it takes its name, and the place of an older backup, when it is whole and `confirm` agrees.

    Nothing of it stays when that fails or the process is killed: the next call takes the unfinished file over.

    Args:
        confirm: is told of the backup before it takes its name, and may raise.

    Raises:
        ConfigurationError: the folder is missing or cannot be written to, or something else has this name.
        ConflictError: another process writes a backup of this name now.
        ServiceUnavailableError: the database cannot be read.
    """
    _check_target(target)
    try:
        with _unfinished(target) as (file, path):
            made = _write(file, engine, settings, workspace, wrapper, target=target, clock=clock)
            confirm(made)
            path.rename(target)
            sync_folder(target.parent)
            return made
    except OSError as error:
        raise ConfigurationError(
            f"The backup cannot be written: {error.strerror}.", code="backup.not_written", hint="Choose another place."
        ) from error


def open_backup(
    file: BinaryIO, data: Path, secrets: Mapping[str, Secret], *, passphrase_file: Path | None = None
) -> tuple[Head, FileKeyWrapper | Custodians, Iterator[Record]]:
    """Head, key and records of a backup file, with the recovery key when it is given, else with the data directory's key.

    Raises:
        BackupDamagedError: no backup, or changed; for what comes later, when the records are read.
        UnknownKeyError: made under another key, or the recovery key does not fit.
        ConfigurationError: there is neither a key file nor a recovery key, or the key file's passphrase is missing.
    """
    head = read_head(file)
    recovery_key = secrets.get(RECOVERY_KEY)
    if secrets and recovery_key is None:
        raise ConfigurationError(
            f"The secrets file has no {RECOVERY_KEY}.", code="backup.no_key", hint='It holds {"recovery_key": "…"}.'
        )
    if recovery_key is None and not ((data / KEY_FILE).exists() or (data / BOOK).exists()):
        raise ConfigurationError(
            f"There is no key file in {data} to open the backup with.",
            code="backup.no_key",
            hint='Give the recovery key on paper: --secrets-file FILE with {"recovery_key": "…"}.',
        )
    wrapper: FileKeyWrapper | Custodians
    if recovery_key is not None:
        wrapper = open_recovery(head, recovery_key)
    elif (data / BOOK).exists():
        wrapper = open_custodians(data, passphrase_file, SystemClock())
    else:
        wrapper = open_key_file(data, passphrase_file)
    try:
        return head, wrapper, read_records(open_stream(file, head, wrapper))
    except UnknownKeyError:
        raise UnknownKeyError(
            "This backup was made under another key.",
            code="backup.other_key",
            hint='Give the recovery key on paper: --secrets-file FILE with {"recovery_key": "…"}.',
        ) from None


def open_file(path: Path) -> BinaryIO:
    """A backup file to read.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError(
            f"The backup cannot be read: {error.strerror}.", code="backup.not_read", hint=f"Look at {path}."
        ) from error


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(
    file: BinaryIO,
    engine: Database,
    settings: Settings,
    workspace: Workspace,
    wrapper: KeyWrapper,
    *,
    target: Path,
    clock: Clock,
) -> BackupMade:
    with snapshot(engine) as connection:
        sealed_recovery = Restored.of(SqlTransaction(connection, workspace.workspace_id)).find_sealed_recovery()
        created_at = clock.now()  # after the first look, which is the moment of the copy
        sealing = begin_file(
            file,
            wrapper,
            workspace_id=workspace.workspace_id,
            created_at=created_at.isoformat(),
            sealed_recovery=sealed_recovery,
        )
        with sealing:
            writer = RecordWriter(sealing)
            writer.write(_begin(workspace, created_at, engine))
            for name, columns, portions in read_tables(connection):
                writer.write(TableBegins(name, columns))
                for rows in portions:
                    writer.write(Rows(rows))
            end = _write_files(writer, settings.data, target, but=database_path(engine))
    file.flush()
    os.fsync(file.fileno())
    return _describe(file, end, target=target, created_at=created_at)


def _begin(workspace: Workspace, created_at: datetime, engine: Database) -> Begin:
    return Begin(
        format=FORMAT,
        version=__version__,
        workspace_id=workspace.workspace_id,
        workspace_name=workspace.name,
        migration=HEAD,
        created_at=created_at.isoformat(),
        engine=engine.dialect.name,
    )


def _describe(file: BinaryIO, end: End, *, target: Path, created_at: datetime) -> BackupMade:
    size, digest = file.tell(), hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return BackupMade(
        file=target,
        created_at=created_at,
        size_bytes=size,
        sha256=digest.hexdigest(),
        rows=end.rows,
        files=end.files,
    )


def database_path(engine: Database) -> Path | None:
    """Where SQLite keeps the database; None with PostgreSQL."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def _write_files(writer: RecordWriter, data: Path, target: Path, *, but: Path | None) -> End:
    """After the rows, so that who was erased in between stands in the list of erased people."""
    for path in sorted(data.rglob("*")):
        relative = path.relative_to(data).as_posix()
        if not _belongs(path, relative) or (but is not None and path.absolute() == but.absolute()):
            continue
        steadily = steady(path, folder=target.parent, prefix=_temporary_name(target, ""))
        with contextlib.suppress(FileNotFoundError), steadily as source:  # gone: a file of a moment
            writer.write(FileBegins(relative))
            while piece := source.read(_PIECE_BYTES):
                writer.write(FileBytes(piece))
    return writer.finish()


def _belongs(path: Path, relative: str) -> bool:
    """True for files that another directory needs; the database is copied by rows, and a backup holds no backups."""
    is_hidden = any(part.startswith(".") for part in relative.split("/"))
    if is_hidden or path.is_symlink() or not path.is_file() or relative in _OWN_BUSINESS:
        return False
    if relative == DATABASE_FILE or relative.endswith(("-wal", "-shm", "-journal")):
        return False
    return not starts_with(path, MAGIC)


def _check_target(target: Path) -> None:
    if not target.parent.is_dir():
        raise ConfigurationError(
            f"There is no folder {target.parent}.", code="backup.no_folder", hint="Make it, or choose another place."
        )
    if target.is_dir() or (target.exists() and not starts_with(target, MAGIC)):
        raise ConfigurationError(
            f"{target} is there and is no backup.", code="backup.other_file", hint="Choose another name."
        )


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """The file that is being written, ours alone, and its path; it is gone at the end unless it was renamed."""
    path = target.with_name(_temporary_name(target, "unfinished"))
    with os.fdopen(_lock(path), "r+b") as file:
        try:
            for leftover in target.parent.iterdir():  # of a call that was killed
                if leftover != path and leftover.name.startswith(_temporary_name(target, "")):
                    leftover.unlink(missing_ok=True)
            yield file, path
        finally:
            if _is_same(path, file.fileno()):
                path.unlink()


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _lock(path: Path) -> int:
    """Open the unfinished file, also one that a killed call left behind; empty, and locked until it is closed."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise ConflictError(
                "Another backup of this name is being made.", code="backup.busy", hint="Wait until it has ended."
            ) from None
        if _is_same(path, descriptor):  # else it was renamed before we had the lock
            os.ftruncate(descriptor, 0)
            os.fchmod(descriptor, 0o600)
            return descriptor
        os.close(descriptor)


def _temporary_name(target: Path, ending: str) -> str:
    return f".{target.name}.leadgate-{ending}"
